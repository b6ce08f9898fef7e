//! Two clients of one volume on one computer.

use std::fs;

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
