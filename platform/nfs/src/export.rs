//! The secrets of a mount: the path under which it is mounted, and the key of its file handles.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use moorage_model::Ino;
use nfs3_types::nfs3::{nfs_fh3, nfsstat3};
use nfs3_types::xdr_codec::Opaque;

/// First byte of a file handle: how the rest is to be read.
const FORM: u8 = 1;
/// Bytes of the inode number in a file handle.
const INO_BYTES: usize = 8;
/// Bytes of the seal of a file handle: nobody guesses so many.
const SEAL_BYTES: usize = 16;
/// Bytes of a file handle.
const HANDLE_BYTES: usize = 1 + INO_BYTES + SEAL_BYTES;

/// What a client needs to know to use the server.
///
/// Whoever has a file handle of the root can say to be any user, so a handle can not be made without the key, which is shown to
/// nobody; and the path leads to the root only while it is open.
#[derive(Debug)]
pub(crate) struct Export {
    path: String,
    open: AtomicBool,
    key: hmac::Key,
    volume: String,
    root: Ino,
}

impl Export {
    /// `root` is what the volume shows as its root there, so that handles of one folder of the volume do not open another.
    pub(crate) fn new(path: String, key: &[u8], volume: &str, root: Ino) -> Export {
        Export {
            path,
            open: AtomicBool::new(true),
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            volume: volume.to_owned(),
            root,
        }
    }

    /// The path to mount.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Nobody else can mount: the path is in the mount table, which everybody on this computer reads.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Whether a path leads to the root.
    pub(crate) fn admits(&self, path: &[u8]) -> bool {
        let is_path = verify_slices_are_equal(path, self.path.as_bytes()).is_ok();
        is_path && self.open.load(Ordering::Acquire)
    }

    /// The file handle of a node. It stays the same over restarts of the server that keep the key.
    pub(crate) fn handle(&self, ino: Ino) -> nfs_fh3 {
        let mut bytes = Vec::with_capacity(HANDLE_BYTES);
        bytes.push(FORM);
        bytes.extend(ino.0.to_be_bytes());
        let seal = self.seal(ino);
        bytes.extend(seal.as_ref().iter().take(SEAL_BYTES));
        nfs_fh3 {
            data: Opaque::owned(bytes),
        }
    }

    /// The node of a file handle.
    ///
    /// # Errors
    /// `BADHANDLE` for what is no handle; `STALE` for one of another mount or volume.
    pub(crate) fn node(&self, handle: &[u8]) -> Result<Ino, nfsstat3> {
        let parts = handle
            .strip_prefix(&[FORM])
            .and_then(|rest| rest.split_first_chunk::<INO_BYTES>());
        let Some((ino, seal)) = parts.filter(|(_, seal)| seal.len() == SEAL_BYTES) else {
            return Err(nfsstat3::NFS3ERR_BADHANDLE);
        };
        let ino = Ino(u64::from_be_bytes(*ino));
        let expected = self.seal(ino);
        let expected = expected.as_ref().get(..SEAL_BYTES).unwrap_or_default();
        match verify_slices_are_equal(seal, expected) {
            Ok(()) => Ok(ino),
            Err(_) => Err(nfsstat3::NFS3ERR_STALE),
        }
    }

    fn seal(&self, ino: Ino) -> hmac::Tag {
        let mut sealed = hmac::Context::with_key(&self.key);
        sealed.update(&[FORM]);
        sealed.update(&ino.0.to_be_bytes());
        sealed.update(&self.root.0.to_be_bytes());
        sealed.update(self.volume.as_bytes());
        sealed.sign()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(key: u8, volume: &str) -> Export {
        Export::new("/secret".to_owned(), &[key; 32], volume, Ino::ROOT)
    }

    #[test]
    fn a_handle_leads_to_its_node_also_after_a_restart_with_the_same_key() {
        let handle = export(1, "a").handle(Ino(42));
        assert_eq!(export(1, "a").node(&handle.data), Ok(Ino(42)));
    }

    #[test]
    fn handles_of_other_keys_and_volumes_are_stale_and_guessed_ones_too() {
        let export_a = export(1, "a");
        for other in [export(2, "a"), export(1, "b")] {
            let handle = other.handle(Ino(42));
            assert_eq!(export_a.node(&handle.data), Err(nfsstat3::NFS3ERR_STALE));
        }
        let mut guessed = export_a.handle(Ino(42)).data.to_vec();
        if let Some(byte) = guessed.get_mut(8) {
            *byte ^= 1;
        }
        assert_eq!(export_a.node(&guessed), Err(nfsstat3::NFS3ERR_STALE));
        assert_eq!(export_a.node(b"short"), Err(nfsstat3::NFS3ERR_BADHANDLE));
    }

    #[test]
    fn a_closed_path_leads_nowhere() {
        let export = export(1, "a");
        assert!(export.admits(b"/secret") && !export.admits(b"/secret2") && !export.admits(b"/"));
        export.close();
        assert!(!export.admits(b"/secret"));
    }
}
