//! A volume whose setting is to name another bucket.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::fixture::{Volume, succeed, text};

fn config(volume: &Volume, bucket: &Path, options: &[&str]) -> Output {
    let mut config = volume.program();
    config.arg("config").arg("--bucket").arg(bucket).args(options);
    config.arg(volume.url()).output().expect("the program starts")
}

/// A volume with content, unmounted.
fn filled() -> Option<Volume> {
    let volume = Volume::format(&[])?;
    let mount = volume.mount("mount", &[]);
    for name in ["a", "b", "c"] {
        fs::write(mount.file(name), [7; 10_000]).expect("written");
    }
    assert!(mount.umount(&[]).status.success());
    drop(mount);
    Some(volume)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

#[test]
fn a_place_without_the_objects_of_the_volume_is_refused_and_left_alone() {
    let Some(volume) = filled() else { return };
    let elsewhere = volume.path().join("elsewhere/objects");
    let refused = config(&volume, &elsewhere, &[]);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
    let said = text(&refused);
    assert!(said.contains("elsewhere") && said.contains("--force"), "{said}");
    assert!(!volume.path().join("elsewhere").exists(), "a look made folders");
    let mount = volume.mount("mount", &[]);
    assert_eq!(fs::read(mount.file("a")).expect("read"), [7; 10_000]);
    assert!(mount.umount(&[]).status.success());
}

#[test]
fn a_copy_that_is_not_whole_is_refused_and_a_whole_one_is_taken() {
    let Some(volume) = filled() else { return };
    let (objects, elsewhere) = (volume.path().join("objects"), volume.path().join("elsewhere"));
    copy(&objects, &elsewhere);
    let chunks = elsewhere.join("testvolume/chunks");
    let kept = volume.path().join("chunks");
    fs::rename(&chunks, &kept).expect("taken away");
    let refused = config(&volume, &elsewhere, &[]);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
    assert!(text(&refused).contains("3 objects of 3"), "{}", text(&refused));
    fs::rename(&kept, &chunks).expect("brought back");
    let taken = config(&volume, &elsewhere, &[]);
    assert!(taken.status.success(), "{}", text(&taken));
    fs::remove_dir_all(&objects).expect("the old bucket");
    let mount = volume.mount("mount", &[]);
    assert_eq!(fs::read(mount.file("b")).expect("read"), [7; 10_000]);
    assert!(mount.umount(&[]).status.success());
}

#[test]
fn whoever_insists_gets_a_place_without_objects() {
    let Some(volume) = filled() else { return };
    let elsewhere = volume.path().join("elsewhere");
    let taken = config(&volume, &elsewhere, &["--force"]);
    assert!(taken.status.success(), "{}", text(&taken));
    let mut shown = volume.program();
    let shown = succeed(shown.arg("config").arg(volume.url()));
    assert!(shown.contains("elsewhere"), "{shown}");
}

#[test]
fn a_volume_without_content_moves_to_an_empty_place() {
    let Some(volume) = Volume::format(&[]) else { return };
    let taken = config(&volume, &volume.path().join("elsewhere"), &[]);
    assert!(taken.status.success(), "{}", text(&taken));
}
