//! A volume in memory, mounted through the library.

mod volume;

use std::path::Path;
use std::sync::Arc;

use moorage_host::{MountBackend as _, MountPoint};
use moorage_model::Ino;
use moorage_vfs::{Caller, Vfs, VfsOptions};
use moorage_winfsp::{WinFspBackend, WinFspOptions, WinFspSession};
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::stand_in;

/// A volume and its mount. The runtime ends last.
pub(crate) struct Mounted {
    pub(crate) driver: Driver,
    pub(crate) vfs: Arc<Vfs>,
    session: Option<WinFspSession>,
    pub(crate) runtime: Runtime,
}

impl Mounted {
    pub(crate) fn new() -> Mounted {
        Mounted::with(VfsOptions::default())
    }

    pub(crate) fn with(options: VfsOptions) -> Mounted {
        let runtime = volume::runtime();
        // As the command mounts on Windows.
        let options = VfsOptions {
            hide_internal: true,
            ignore_case: true,
            ..options
        };
        let read_only = options.read_only;
        let vfs = runtime.block_on(volume::open(options));
        let backend = WinFspBackend::new(runtime.handle().clone()).with_library(volume::library());
        let shown = WinFspOptions {
            name: "photos".to_owned(),
            uuid: "5a2f1a3e-9d0c-4a6e-8f3f-0f6f0c1d2e3f".to_owned(),
            read_only,
            network: true,
        };
        let point = MountPoint::resolve(Path::new("X:")).expect("a drive");
        let (session, driver) = {
            let _turn = stand_in::turn();
            let session = backend.mount(&vfs, &point, &shown).expect("mounted");
            (session, Driver::of(stand_in::last_made()))
        };
        Mounted {
            driver,
            vfs,
            session: Some(session),
            runtime,
        }
    }

    /// What is stored under a name of the root, past the driver.
    pub(crate) fn stored(&self, name: &[u8]) -> Option<moorage_vfs::EntryReply> {
        let caller = Caller::root();
        let looked = self.vfs.lookup(&caller, Ino::ROOT, name);
        self.runtime.block_on(looked).ok()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(self.session.take());
    }
}
