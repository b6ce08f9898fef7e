//! Two clients of one volume on one computer.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, SystemTime};

use crate::fixture::Volume;

#[test]
fn a_file_closed_on_one_mount_is_seen_by_the_next_open_on_the_other() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (one, two) = (volume.mount("one", &[]), volume.mount("two", &[]));
    // Names may be remembered for their second, so the file exists before.
    fs::write(one.file("shared"), b"0").expect("written");
    assert_eq!(fs::read(two.file("shared")).expect("read"), b"0");
    for round in 1..30_u32 {
        let (writer, reader) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        let content = vec![b'a' + (round % 26) as u8; (round as usize * 977) % 9000 + 1];
        fs::write(writer.file("shared"), &content).expect("written");
        assert!(
            fs::read(reader.file("shared")).expect("read") == content,
            "round {round}"
        );
    }
}

#[test]
fn a_rename_over_a_file_is_seen_whole() {
    let Some(volume) = Volume::format(&[]) else { return };
    let no_cache = ["--entry-cache", "0", "--attr-cache", "0"];
    let (one, two) = (volume.mount("one", &no_cache), volume.mount("two", &no_cache));
    fs::write(one.file("target"), [b'0'; 5000]).expect("written");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let content = fs::read(two.file("target")).expect("one of the two files");
                let first = content[0];
                assert!(content.len() == 5000 && content.iter().all(|byte| *byte == first));
            }
        });
        for round in 1..50_u8 {
            fs::write(one.file("fresh"), vec![b'0' + round % 10; 5000]).expect("written");
            fs::rename(one.file("fresh"), one.file("target")).expect("renamed");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().expect("whole files only");
    });
}

#[test]
fn an_open_shows_the_length_of_now_however_lately_the_file_was_looked_at() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (one, two) = (volume.mount("one", &[]), volume.mount("two", &[]));
    let mut expected = b"start\n".to_vec();
    fs::write(one.file("log"), &expected).expect("written");
    for round in 0..30 {
        let (writer, reader) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        // From here on the reader's kernel remembers the length for a second.
        fs::metadata(reader.file("log")).expect("looked at");
        let line = format!("{round}\n");
        let mut file = File::options()
            .append(true)
            .open(writer.file("log"))
            .expect("opened");
        file.write_all(line.as_bytes()).expect("appended");
        drop(file);
        expected.extend(line.bytes());
        let mut opened = File::open(reader.file("log")).expect("opened");
        let length = opened.metadata().expect("attributes").len();
        let mut content = Vec::new();
        opened.read_to_end(&mut content).expect("read");
        assert_eq!(length, expected.len() as u64, "round {round}");
        assert!(content == expected, "round {round}");
    }
}

#[test]
fn a_file_that_was_rewritten_under_its_old_times_is_read_anew() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (one, two) = (volume.mount("one", &[]), volume.mount("two", &[]));
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
    for version in [b'a', b'b', b'c'] {
        let mut file = File::create(two.file("copied")).expect("opened");
        file.write_all(&[version; 100_000]).expect("written");
        file.set_modified(old).expect("times");
        drop(file);
        assert!(fs::read(one.file("copied")).expect("read") == [version; 100_000]);
    }
}

#[test]
fn records_that_are_put_at_the_end_under_a_lock_are_all_kept() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mounts = [volume.mount("one", &[]), volume.mount("two", &[])];
    fs::write(mounts[0].file("journal"), b"").expect("made");
    let opened = |mount: usize| {
        let path = mounts[mount].file("journal");
        File::options().read(true).write(true).open(path).expect("opened")
    };
    // One of two handles stays open all the time, the other is a new one for each record.
    let held = [opened(0), opened(1)];
    let mut expected = String::new();
    for round in 0..60 {
        let mount = round / 2 % 2;
        let fresh = opened(mount);
        let mut file = if round % 2 == 0 { &held[mount] } else { &fresh };
        file.lock().expect("locked");
        let end = file.seek(SeekFrom::End(0)).expect("end");
        let record = format!("{round}\n");
        file.write_all(record.as_bytes()).expect("written");
        file.unlock().expect("unlocked");
        assert_eq!(end, expected.len() as u64, "round {round}");
        expected.push_str(&record);
    }
    for (number, mut file) in held.iter().enumerate() {
        file.lock_shared().expect("locked");
        file.rewind().expect("at the start");
        let mut found = String::new();
        file.read_to_string(&mut found).expect("read");
        file.unlock().expect("unlocked");
        assert!(found == expected, "mount {number}");
    }
}
