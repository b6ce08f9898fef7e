//! Volume files that somebody gave: what is read is written and read again as the same, and holds nothing of this computer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_control::volume_file::VolumeFile;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(file) = VolumeFile::parse(text) else {
        return;
    };
    assert_eq!(file.options.cache_folder, None);
    assert!(!file.name.chars().any(char::is_control));
    let written = file.text().expect("what was read can be written");
    // Pretty text may be longer than what was read, up to the limit of files.
    if written.len() <= moorage_control::volume_file::LONGEST {
        assert_eq!(VolumeFile::parse(&written).as_ref(), Ok(&file));
    }
});
