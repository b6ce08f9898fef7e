//! Taking a mount away.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use moorage_host::{Unmount, unmount};
use moorage_nfs::Stopper;

use super::backend::Session;

/// What takes one mount away.
#[derive(Clone, Debug)]
pub(super) struct Departure {
    point: PathBuf,
    /// Where nothing is mounted.
    stopper: Option<Stopper>,
}

impl Departure {
    /// That of a mount at this point.
    pub(super) fn of(point: &Path, session: &Session) -> Departure {
        Departure {
            point: point.to_owned(),
            stopper: session.stopper(),
        }
    }

    /// Unmounts; a mount in use vanishes now and ends with its last user.
    pub(super) fn leave(&self) {
        if let Some(stopper) = &self.stopper {
            stopper.stop();
            return;
        }
        let Err(busy) = unmount(&self.point, Unmount::Clean) else {
            return;
        };
        let _ = writeln!(std::io::stderr(), "{busy}");
        match unmount(&self.point, Unmount::Lazy) {
            Ok(()) => {
                let _ = writeln!(
                    std::io::stderr(),
                    "It is detached now and ends when they are gone; interrupt again to end it at once."
                );
            }
            Err(error) => tracing::warn!("{error}"),
        }
    }

    /// Takes it away from whoever uses it.
    pub(super) fn force(&self) {
        if let Some(stopper) = &self.stopper {
            stopper.stop();
            return;
        }
        if let Err(error) = unmount(&self.point, Unmount::Force) {
            tracing::debug!(%error, "taking the mount away");
        }
    }
}
