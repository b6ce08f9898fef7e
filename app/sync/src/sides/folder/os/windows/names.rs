//! Names of files as Windows has them: UTF-16, without some characters and words.

use std::io::{self, Result};

use crate::RelativePath;

/// Longest name of a file, in UTF-16 units.
const LONGEST_NAME: usize = 255;
/// Characters that no name has on Windows, beside control characters.
const REFUSED: &[char] = &['<', '>', ':', '"', '/', '\\', '|', '?', '*'];
/// Names of devices, with any ending.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
/// Names of devices that a digit follows.
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// A name as it is stored elsewhere: UTF-8, with half a surrogate pair as if it were a character.
pub(super) fn stored(name: &[u16]) -> Vec<u8> {
    use std::os::windows::ffi::OsStringExt as _;
    std::ffi::OsString::from_wide(name).into_encoded_bytes()
}

/// The units of a name that is there.
///
/// # Errors
/// `InvalidInput` for a name that can not be one here: then nothing has it.
pub(super) fn known(name: &[u8]) -> Result<Vec<u16>> {
    checked(name).map(|text| text.encode_utf16().collect())
}

/// The units of a path below the folder.
pub(super) fn known_path(path: &RelativePath) -> Result<Vec<u16>> {
    let mut units = Vec::new();
    for name in path.names() {
        if !units.is_empty() {
            units.push(u16::from(b'\\'));
        }
        units.extend(checked(name)?.encode_utf16());
    }
    Ok(units)
}

/// The units of a name that is to be given.
pub(super) fn new(name: &[u8]) -> Result<Vec<u16>> {
    let units = known(name)?;
    if units.len() > LONGEST_NAME {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    Ok(units)
}

/// A name that programs of Windows can use: without the system's own check, since it is opened below it, names could be made
/// that nothing opens.
fn checked(name: &[u8]) -> Result<&str> {
    let refused = |why: &str| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("Windows has no such names: {why}"),
        )
    };
    let text = std::str::from_utf8(name).map_err(|_| refused("it is no UTF-8"))?;
    if let Some(bad) = text.chars().find(|c| c.is_ascii_control() || REFUSED.contains(c)) {
        return Err(refused(&format!("it holds {bad:?}")));
    }
    if text.ends_with(['.', ' ']) {
        return Err(refused("it ends in a dot or a space"));
    }
    if is_device(text) {
        return Err(refused("it is that of a device"));
    }
    Ok(text)
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = NUMBERED_DEVICES.iter().any(|device| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| number.len() == 1 && number.bytes().all(|b| matches!(b, b'1'..=b'9')))
    });
    numbered || DEVICES.contains(&stem.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_programs_can_not_open_are_refused() {
        for name in [
            "a:b", "a\\b", "what?", "tab\t", "dot.", "space ", "con", "NUL.txt", "Lpt1", "com9.x",
        ] {
            let refused = known(name.as_bytes()).expect_err(name);
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name}");
        }
        known(b"\xFF").expect_err("no UTF-8");
        new("x".repeat(256).as_bytes()).expect_err("too long");
        for name in ["console", "com10", "lpt", ".hidden", "a b", "\u{e4}", "COM"] {
            new(name.as_bytes()).expect(name);
        }
    }
}
