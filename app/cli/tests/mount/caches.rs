//! Filling, looking into and emptying the cache of a mount.

use std::fs;

use crate::fixture::{succeed, text};
use crate::remote::RemoteVolume;
use crate::server::Mood;

/// Bytes of a file, of one block.
const FILE_BYTES: usize = 300_000;
/// The cache of a mount keeps blocks however full the disk of the test machine is.
const ROOMY: [&str; 2] = ["--free-space-ratio", "0.001"];

#[test]
fn what_was_warmed_up_is_read_without_the_store_until_it_is_dropped() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let volume = &remote.volume;
    let first = volume.mount("first", &[]);
    fs::create_dir(first.file("folder")).expect("made");
    for name in ["folder/a", "folder/b", "other"] {
        fs::write(first.file(name), vec![7; FILE_BYTES]).expect("written");
    }
    succeed(volume.program().arg("umount").arg(first.point()));
    let mount = volume.mount("second", &ROOMY);
    let (folder, other) = (mount.file("folder"), mount.file("other"));
    let run = |arguments: &[&str]| {
        let mut command = volume.program();
        command.args(arguments).arg("--json").arg(&folder).arg(&other);
        succeed(&mut command)
    };
    let local = |said: &str| {
        let said: serde_json::Value = serde_json::from_str(said).expect("JSON");
        let paths = said["paths"].as_array().expect("one for each path").clone();
        let blocks: Vec<u64> = paths
            .iter()
            .filter_map(|path| path["local_blocks"].as_u64())
            .collect();
        let cache = &said["caches"][mount.point().to_str().expect("text")];
        (blocks, cache["blocks"].as_u64().expect("a number"))
    };
    assert_eq!(local(&run(&["cache", "status"])), (vec![0, 0], 0));
    succeed(volume.program().arg("warmup").arg(&folder));
    assert_eq!(local(&run(&["warmup", "--check"])), (vec![2, 0], 2));
    remote.server.be(Mood::Silent);
    for name in ["a", "b"] {
        assert_eq!(fs::read(folder.join(name)).expect("read"), vec![7; FILE_BYTES]);
    }
    run(&["evict"]);
    assert_eq!(local(&run(&["cache", "status"])), (vec![0, 0], 0));
    remote.server.be(Mood::Well);
}

#[test]
fn a_file_that_can_not_be_fetched_is_named_and_the_others_are_fetched() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let volume = &remote.volume;
    let first = volume.mount("first", &[]);
    fs::write(first.file("bad"), vec![1; FILE_BYTES]).expect("written");
    let objects: Vec<String> = {
        let objects = remote.server.objects.lock().expect("not poisoned");
        objects
            .keys()
            .filter(|key| key.contains("/chunks/"))
            .cloned()
            .collect()
    };
    fs::write(first.file("good"), vec![2; FILE_BYTES]).expect("written");
    succeed(volume.program().arg("umount").arg(first.point()));
    for key in objects {
        remote.server.objects.lock().expect("not poisoned").remove(&key);
    }
    let mount = volume.mount("second", &ROOMY);
    let mut warm_up = volume.program();
    let output = warm_up
        .arg("warmup")
        .arg(mount.point())
        .output()
        .expect("it starts");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("/bad: ") && !said.contains("/good"), "{said}");
    assert!(said.contains("1 file, 293.0 KiB"), "{said}");
    let mut nowhere = volume.program();
    let output = nowhere
        .arg("evict")
        .arg(volume.path())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}
