//! Commands that find a volume by a path of its mount.

use std::fs;
use std::path::Path;

use crate::fixture::{Volume, succeed, text, until};

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
fn what_a_read_only_mount_shows_is_not_changed_by_commands_on_its_paths() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let writable = volume.mount("writable", &[]);
    fs::write(writable.file("file"), "kept").expect("a file");
    fs::create_dir(writable.file("part")).expect("a folder");
    fs::write(writable.file("part/file"), "kept").expect("a file");
    let whole = volume.mount("whole", &["--read-only"]);
    let part = volume.mount("part", &["--read-only", "--subdir", "/part"]);
    for mount in [&whole, &part] {
        let (file, copy) = (mount.file("file"), mount.file("copy"));
        let changed_first = writable.file("file");
        for (command, paths) in [
            ("rmr", vec![&file]),
            ("rmr", vec![&changed_first, &file]),
            ("clone", vec![&file, &copy]),
            ("compact", vec![&file]),
        ] {
            let output = volume
                .program()
                .arg(command)
                .args(paths)
                .output()
                .expect("a program");
            assert!(!output.status.success(), "{command}");
            assert!(
                text(&output).contains("is read-only"),
                "{command}: {}",
                text(&output)
            );
        }
        assert_eq!(fs::read_to_string(&file).expect("the file"), "kept");
    }
    assert!(writable.file("file").exists(), "removed before the refusal");
    assert!(!writable.file("copy").exists());
    program(&volume, "clone", &[&whole.file("file"), &writable.file("copy")]);
}

#[test]
fn a_path_that_ends_in_dots_shows_a_folder_and_is_neither_removed_nor_made() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mounted = volume.mount("mnt", &[]);
    fs::create_dir_all(mounted.file("folder/inner")).expect("folders");
    fs::write(mounted.file("folder/inner/file"), "kept").expect("a file");
    fs::write(mounted.file("other"), "kept").expect("a file");
    let (other, inner) = (mounted.file("other"), mounted.file("folder/inner"));
    let dots = ["folder/.", "folder/./", "folder/inner/..", "folder/inner/../"];
    let mut refused: Vec<_> = dots
        .iter()
        .map(|path| vec!["rmr".into(), mounted.file(path)])
        .collect();
    refused.push(vec!["rmr".into(), other.clone(), mounted.file("folder/.")]);
    refused.push(vec!["rmr".into(), ".".into()]);
    refused.push(vec!["rmr".into(), "..".into()]);
    refused.push(vec!["clone".into(), other.clone(), mounted.file("folder/new/.")]);
    refused.push(vec![
        "clone".into(),
        other.clone(),
        mounted.file("folder/inner/.."),
    ]);
    for arguments in refused {
        let mut command = volume.program();
        let output = command
            .current_dir(&inner)
            .args(&arguments)
            .output()
            .expect("a program");
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output));
        assert_eq!(
            fs::read_to_string(mounted.file("folder/inner/file")).expect("the file"),
            "kept",
            "{arguments:?}"
        );
    }
    assert!(other.exists(), "removed before the refusal");
    for path in ["folder/.", "folder/inner/.."] {
        let info = program(&volume, "info", &[&mounted.file(path)]);
        assert!(info.contains("\"/folder\""), "{path}: {info}");
    }
}

#[test]
fn what_lies_in_the_trash_is_shown_and_deleted_by_its_path() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mounted = volume.mount("mnt", &[]);
    fs::write(mounted.file("file"), vec![7; 5000]).expect("a file");
    fs::remove_file(mounted.file("file")).expect("removed");
    let only = |folder: &Path| {
        let mut entries = fs::read_dir(folder).expect("a folder");
        entries.next().expect("an entry").expect("an entry").path()
    };
    let file = only(&only(&mounted.file(".trash")));
    let info = program(&volume, "info", &[&file]);
    assert!(
        info.contains("\"/.trash/") && info.contains("\"length\": 5000"),
        "{info}"
    );
    let summary = program(&volume, "summary", &[&mounted.file(".trash")]);
    assert!(summary.contains("\"files\": 1"), "{summary}");
    let inside = Path::new("/").join(file.strip_prefix(mounted.point()).expect("in the mount"));
    let mut by_url = volume.program();
    succeed(by_url.arg("rmr").arg(volume.url()).arg(&inside));
    let mut info = volume.program();
    let gone = info
        .arg("info")
        .arg(volume.url())
        .arg(&inside)
        .output()
        .expect("a program");
    assert_eq!(gone.status.code(), Some(3), "{}", text(&gone));
}

#[test]
fn a_volume_that_was_mounted_by_a_relative_url_is_found_from_another_folder() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mounted = volume.mount_by_relative_url("mnt");
    fs::write(mounted.file("file"), "x").expect("a file");
    let info = program(&volume, "info", &[&mounted.file("file")]);
    assert!(info.contains("\"/file\""), "{info}");
}

#[test]
fn a_path_in_a_mounted_folder_means_the_file_that_the_mount_shows_although_the_folder_was_renamed() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let whole = volume.mount("whole", &[]);
    fs::create_dir_all(whole.file("team/plans/folder")).expect("a folder");
    let part = volume.mount("part", &["--subdir", "/team/plans"]);
    fs::write(part.file("folder/note"), vec![7; 5000]).expect("a file");
    fs::write(part.file("top"), "x").expect("a file");
    // Another folder takes the name that the mount was made with.
    fs::rename(whole.file("team"), whole.file("crew")).expect("a rename");
    fs::create_dir_all(whole.file("team/plans/folder")).expect("a folder");
    fs::write(whole.file("team/plans/folder/note"), "another").expect("a file");
    fs::write(whole.file("team/plans/top"), "another").expect("a file");

    let info = program(&volume, "info", &[&part.file("folder/note")]);
    assert!(
        info.contains("\"/crew/plans/folder/note\"") && info.contains("\"length\": 5000"),
        "{info}"
    );
    let root = program(&volume, "info", &[part.point()]);
    assert!(root.contains("\"/crew/plans\""), "{root}");
    let summary = program(&volume, "summary", &[part.point()]);
    assert!(summary.contains("\"size\": 5001"), "{summary}");
    program(&volume, "compact", &[part.point()]);
    program(&volume, "clone", &[&part.file("folder"), &part.file("copy")]);
    until("the mount shows the clone", || part.file("copy/note").exists());
    assert!(whole.file("crew/plans/copy/note").exists());
    assert!(!whole.file("team/plans/copy").exists());

    program(&volume, "rmr", &[&part.file("folder"), &part.file("top")]);
    until("the mount loses them", || {
        !part.file("folder").exists() && !part.file("top").exists()
    });
    assert!(whole.file("team/plans/folder/note").exists());
    assert!(whole.file("team/plans/top").exists());

    let mut itself = volume.program();
    let refused = itself
        .arg("rmr")
        .arg(part.point())
        .output()
        .expect("the program starts");
    assert!(!refused.status.success());
    assert!(part.file("copy/note").exists());
}
