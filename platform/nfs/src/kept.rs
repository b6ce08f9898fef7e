//! What a mount keeps over a restart of its server, so that file handles and the mount itself stay good.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use moorage_host::{Folders, HostError, replace_file};
use serde::{Deserialize, Serialize};

/// Bytes of the key and of the path, each: nobody guesses so many.
const SECRET_BYTES: usize = 32;
/// Folder of these files in the state folder.
const FOLDER: &str = "nfs";
/// Version of the file.
const VERSION: u32 = 1;

/// Where a server listens and its secrets. Closed to other users, as all state of a user.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct KeptServer {
    version: u32,
    /// The volume that it is for.
    volume: String,
    /// The port of the last time; 0 for any.
    pub(crate) port: u16,
    /// The path to mount.
    pub(crate) path: String,
    /// The key of file handles.
    pub(crate) key: Vec<u8>,
}

impl KeptServer {
    /// What was kept for this mount point, or new secrets.
    pub(crate) fn of(state: &Path, point: &Path, volume: &str) -> KeptServer {
        let read = std::fs::read(file(state, point)).ok();
        read.and_then(|text| serde_json::from_slice::<KeptServer>(&text).ok())
            .filter(|kept| kept.version == VERSION && kept.volume == volume && kept.key.len() == SECRET_BYTES)
            .unwrap_or_else(|| KeptServer::new(volume))
    }

    fn new(volume: &str) -> KeptServer {
        let secret: [u8; SECRET_BYTES] = rand::random();
        let path = secret
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        let key: [u8; SECRET_BYTES] = rand::random();
        KeptServer {
            version: VERSION,
            volume: volume.to_owned(),
            port: 0,
            path: format!("/moorage-{path}"),
            key: key.to_vec(),
        }
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn keep(&self, state: &Path, point: &Path) -> Result<(), HostError> {
        let path = file(state, point);
        let failed = |error: io::Error| {
            HostError::new(format!("keeping {}", path.display()))
                .with_advice("Check that this user can write there and that the disk has room.")
                .with_source(error)
        };
        Folders::make_private(&state.join(FOLDER))?;
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        replace_file(&path, &text).map_err(failed)
    }

    /// Forgets it: the mount is gone.
    pub(crate) fn forget(state: &Path, point: &Path) {
        // One that stays is replaced by the next mount there.
        let _ = std::fs::remove_file(file(state, point));
    }
}

fn file(state: &Path, point: &Path) -> PathBuf {
    let digest = digest::digest(&digest::SHA256, point.as_os_str().as_encoded_bytes());
    // Enough to tell the mount points of one computer.
    let name: String = digest
        .as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    state.join(FOLDER).join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_for_a_mount_point_and_its_volume_and_are_closed_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().expect("a folder");
        let point = Path::new("/mnt/a");
        let first = KeptServer::of(state.path(), point, "v");
        first.keep(state.path(), point).expect("kept");
        assert!(KeptServer::of(state.path(), point, "v") == first);
        assert!(KeptServer::of(state.path(), point, "other").key != first.key);
        assert!(KeptServer::of(state.path(), Path::new("/mnt/b"), "v").key != first.key);
        let mode = std::fs::metadata(file(state.path(), point))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0);
        KeptServer::forget(state.path(), point);
        assert!(KeptServer::of(state.path(), point, "v").path != first.path);
    }
}
