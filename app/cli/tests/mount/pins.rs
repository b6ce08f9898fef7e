//! Keeping files on this computer.

use std::fs;

use serde_json::Value;

use crate::fixture::{succeed, text, until};
use crate::remote::RemoteVolume;
use crate::server::Mood;

/// Bytes of a file, of one block.
const FILE_BYTES: usize = 300_000;
/// Files read beside those that are pinned: several times the cache.
const OTHERS: usize = 40;
/// A small cache, which keeps blocks however full the disk of the test machine is.
const SMALL: [&str; 4] = ["--free-space-ratio", "0.001", "--cache-size", "3M"];

#[test]
fn a_pinned_folder_is_read_whole_without_the_store_however_much_else_was_read() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let volume = &remote.volume;
    let first = volume.mount("first", &[]);
    fs::create_dir(first.file("folder")).expect("made");
    for name in ["folder/a", "folder/b"] {
        fs::write(first.file(name), vec![7; FILE_BYTES]).expect("written");
    }
    for number in 0..OTHERS {
        fs::write(first.file(&format!("other{number}")), vec![8; FILE_BYTES]).expect("written");
    }
    succeed(volume.program().arg("umount").arg(first.point()));
    let mount = volume.mount("second", &SMALL);
    let run = |arguments: &[&str], path: &std::path::Path| -> Value {
        let mut command = volume.program();
        let said = succeed(command.arg("cache").args(arguments).arg("--json").arg(path));
        serde_json::from_str(&said).expect("JSON")
    };
    let folder = mount.file("folder");
    let pinned = run(&["pin", "--wait"], &folder);
    assert_eq!(pinned["pins"][0]["state"], "here", "{pinned}");
    assert_eq!(pinned["pins"][0]["files"], 2, "{pinned}");
    // Comes later.
    fs::write(folder.join("c"), vec![9; FILE_BYTES]).expect("written");
    until("the new file is kept as well", || {
        let pins = run(&["pins"], mount.point());
        pins["pins"][0]["local_bytes"] == 3 * FILE_BYTES
    });
    for number in 0..OTHERS {
        let read = fs::read(mount.file(&format!("other{number}"))).expect("read");
        assert_eq!(read, vec![8; FILE_BYTES]);
    }
    let status = run(&["status"], &folder);
    assert_eq!(status["paths"][0]["pinned_bytes"], 3 * FILE_BYTES, "{status}");
    let cache = &status["caches"][mount.point().to_str().expect("text")];
    assert!(cache["used"].as_u64() <= cache["limit"].as_u64(), "{cache}");
    succeed(volume.program().arg("umount").arg(mount.point()));
    // Nothing is in the memory of a new process, nor in the kernel's.
    let again = volume.mount("second", &SMALL);
    until("the pins are known", || {
        run(&["pins"], again.point())["pins"][0]["state"] == "here"
    });
    remote.server.be(Mood::Silent);
    for (name, letter) in [("a", 7), ("b", 7), ("c", 9)] {
        assert_eq!(
            fs::read(folder.join(name)).expect("read"),
            vec![letter; FILE_BYTES]
        );
    }
    remote.server.be(Mood::Well);
    let mut too_much = volume.program();
    let output = too_much.args(["cache", "pin"]).arg(again.point()).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(8), "{}", text(&output));
    assert!(text(&output).contains("2.4 MiB"), "{}", text(&output));
    run(&["unpin"], &folder);
    assert_eq!(run(&["pins"], again.point())["pins"], Value::Array(vec![]));
}

#[test]
fn a_volume_whose_objects_lie_here_needs_no_pins_and_says_so() {
    let Some(volume) = crate::fixture::Volume::format(&[]) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let mut pin = volume.program();
    let output = pin.args(["cache", "pin"]).arg(mount.point()).output();
    let said = text(&output.expect("it starts"));
    assert!(said.contains("all files are here without being pinned"), "{said}");
}
