//! Taking a mount away.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use moorage_host::{Unmount, unmount};

use super::backend::Session;

/// What takes one mount away.
#[derive(Clone, Debug)]
pub(super) struct Departure {
    point: PathBuf,
}

impl Departure {
    /// That of a mount at this point.
    pub(super) fn of(point: &Path, _session: &Session) -> Departure {
        Departure {
            point: point.to_owned(),
        }
    }

    /// Unmounts; a mount in use vanishes now and ends with its last user.
    pub(super) fn leave(&self) {
        let Err(busy) = unmount(&self.point, Unmount::Clean) else {
            return;
        };
        let _ = writeln!(
            std::io::stderr(),
            "{busy}\nIt is detached now and ends when they are gone; interrupt again to end it at once."
        );
        if let Err(error) = unmount(&self.point, Unmount::Lazy) {
            tracing::warn!("{error}");
        }
    }

    /// Takes it away from whoever uses it.
    pub(super) fn force(&self) {
        if let Err(error) = unmount(&self.point, Unmount::Force) {
            tracing::debug!(%error, "taking the mount away");
        }
    }
}
