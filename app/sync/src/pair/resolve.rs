//! What a person makes of a conflict.

use moorage_model::{Error, ErrorKind, Result};

use super::conflict::Conflict;
use super::decide::Mode;
use super::round::Pair;
use crate::RelativePath;

/// Which version of a conflict stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The one that kept its name.
    Original,
    /// The one that got another name; it gets the old one back.
    Copy,
    /// Both, under the names that they have.
    Both,
}

impl Pair {
    /// Settles a conflict on the side of the copy; the next round carries that to the other one. No round of the pair runs
    /// meanwhile. A version is removed only while the one to keep is there.
    ///
    /// # Errors
    /// `NotFound` when the version to keep is gone; `NotSupported` for keeping the copy where changes do not go both ways,
    /// since it would be a conflict again; what the side answers. Then at least the version to keep is there.
    ///
    /// # Cancel safety
    /// As the death of the process: the version to keep stays, and the conflict is settled by being asked again.
    pub async fn resolve(&self, conflict: &Conflict, keep: Keep) -> Result<()> {
        let side = self.side(conflict.end);
        let there = |path: &RelativePath| {
            let path = path.clone();
            async move {
                let gone = || {
                    Error::new(ErrorKind::NotFound, format!("{path} is not there any more"))
                        .with_advice("Look at both versions again, and keep the one that is left.")
                };
                side.look(&path).await?.ok_or_else(gone)
            }
        };
        match keep {
            Keep::Both => {}
            Keep::Original => {
                there(&conflict.path).await?;
                side.remove(&there(&conflict.copy).await?).await?;
            }
            Keep::Copy => {
                if self.options.mode != Mode::TwoWay {
                    return Err(Error::new(
                        ErrorKind::NotSupported,
                        format!("{} can not take the place of {}", conflict.copy, conflict.path),
                    )
                    .with_advice(
                        "Changes of this pair go one way. Keep both, or make the pair two-way first.",
                    ));
                }
                there(&conflict.copy).await?;
                if let Some(original) = side.look(&conflict.path).await? {
                    side.remove(&original).await?;
                }
                side.rename(&conflict.copy, &conflict.path).await?;
            }
        }
        side.settle().await?;
        self.state.forget_conflict(conflict)
    }
}
