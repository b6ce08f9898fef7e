//! Commands that find a volume by a path of its mount.

use std::fs;
use std::path::Path;

use crate::fixture::{Volume, succeed, until};

fn program(volume: &Volume, command: &str, paths: &[&Path]) -> String {
    succeed(volume.program().arg(command).arg("--json").args(paths))
}

#[test]
fn info_clone_summary_and_rmr_take_paths_of_a_mount() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mounted = volume.mount("mnt", &[]);
    fs::create_dir(mounted.file("folder")).expect("a folder");
    fs::write(mounted.file("folder/file"), vec![7; 5000]).expect("a file");
    let info = program(&volume, "info", &[&mounted.file("folder/file")]);
    assert!(
        info.contains("\"/folder/file\"") && info.contains("testvolume/chunks/"),
        "{info}"
    );
    let (source, copy) = (mounted.file("folder"), mounted.file("copy"));
    program(&volume, "clone", &[&source, &copy]);
    until("the mount shows the clone", || mounted.file("copy/file").exists());
    assert_eq!(
        fs::read(mounted.file("copy/file")).expect("the clone"),
        vec![7; 5000]
    );
    let summary = program(&volume, "summary", &[mounted.point()]);
    assert!(summary.contains("\"files\": 2"), "{summary}");
    program(&volume, "rmr", &[&copy]);
    until("the mount loses the clone", || !copy.exists());
    assert!(mounted.file("folder/file").exists());
}

#[test]
fn a_path_below_a_mounted_folder_of_the_volume_is_refused_since_another_file_may_have_it() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mounted = volume.mount("mnt", &["--subdir", "/team"]);
    fs::write(mounted.file("note"), "x").expect("a file");
    let mut rmr = volume.program();
    let output = rmr
        .arg("rmr")
        .arg(mounted.file("note"))
        .output()
        .expect("the program starts");
    assert!(!output.status.success());
    assert!(mounted.file("note").exists());
}
