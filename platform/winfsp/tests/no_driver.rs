//! What the library itself says where its driver does not run.
#![cfg(windows)]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "driverless/fixture/volume.rs"]
mod volume;

use std::path::Path;

use moorage_host::{MountBackend as _, MountPoint, MountProblem};
use moorage_vfs::VfsOptions;
use moorage_winfsp::{WinFspBackend, WinFspOptions};

#[test]
fn a_driver_that_does_not_run_is_missing_and_the_volume_goes_on() {
    let runtime = volume::runtime();
    let vfs = runtime.block_on(volume::open(VfsOptions::default()));
    let backend = WinFspBackend::new(runtime.handle().clone()).with_library(volume::library());
    backend.check().expect("the library is there, and new enough");
    let options = WinFspOptions {
        name: "photos".to_owned(),
        uuid: String::new(),
        read_only: false,
        network: true,
    };
    let point = MountPoint::resolve(Path::new("X:")).expect("a drive");
    for _ in 0..2 {
        let refused = backend.mount(&vfs, &point, &options).expect_err("no driver");
        assert_eq!(refused.problem(), MountProblem::DriverMissing);
        assert!(refused.to_string().contains("does not run"), "{refused}");
    }
    runtime.block_on(vfs.shutdown()).expect("nothing was lost");
}

#[test]
fn a_place_without_the_library_is_told_before_anything_is_loaded() {
    let runtime = volume::runtime();
    let backend =
        WinFspBackend::new(runtime.handle().clone()).with_library("C:\\none\\winfsp-x64.dll".into());
    let missing = backend.check().expect_err("no library");
    assert_eq!(missing.problem(), MountProblem::DriverMissing);
}
