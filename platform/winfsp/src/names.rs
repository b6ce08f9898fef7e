//! Names as Windows can show them, and back to the bytes of the volume.
//!
//! What Windows does not allow in a name is shown as a character of the private range from U+F000 on, which is how
//! Cygwin, WSL and the SMB clients of other systems show it: `a:b` is `a\u{f03a}b`.

use std::iter::from_fn;

/// Start of the range; a byte is shown as this plus its value.
const PRIVATE: u16 = 0xF000;
/// Characters that are allowed in no name, beside those below the blank.
const FORBIDDEN: &[u8] = br#"<>:"\|?*"#;
/// Names of devices, whatever follows them behind a dot; those of ports take a digit.
const DEVICES: [&[u8]; 6] = [b"CON", b"PRN", b"AUX", b"NUL", b"CONIN$", b"CONOUT$"];
const PORTS: [&[u8]; 2] = [b"COM", b"LPT"];

/// The bytes of one character, or one byte that is none.
enum Piece {
    Character(char),
    /// One of a pair that stands alone, as programs of Windows can name files.
    Surrogate(u16),
    Byte(u8),
}

/// A stored name in UTF-16 as Windows can show it.
pub(crate) fn shown(name: &[u8]) -> Vec<u16> {
    if matches!(name, b"." | b"..") {
        return name.iter().copied().map(u16::from).collect();
    }
    let mut units = Vec::with_capacity(name.len());
    for piece in pieces(name) {
        match piece {
            Piece::Character(one) => match u8::try_from(one) {
                Ok(byte) if byte < b' ' || FORBIDDEN.contains(&byte) => units.push(private(byte)),
                _ => units.extend_from_slice(one.encode_utf16(&mut [0; 2])),
            },
            Piece::Surrogate(unit) => units.push(unit),
            Piece::Byte(byte) => units.push(private(byte)),
        }
    }
    if let (Some(first), Some(byte)) = (units.first_mut(), name.first())
        && is_reserved(name)
    {
        *first = private(*byte);
    }
    // Programs that do not say otherwise have these taken off.
    if let (Some(last), Some(byte @ (b'.' | b' '))) = (units.last_mut(), name.last()) {
        *last = private(*byte);
    }
    units
}

/// The bytes that a name of Windows stands for.
pub(crate) fn stored(name: &[u16]) -> Vec<u8> {
    bytes_of(name, |unit| match u8::try_from(unit.checked_sub(PRIVATE)?) {
        // No stored name holds these two.
        Ok(0 | b'/') | Err(_) => None,
        Ok(byte) => Some(byte),
    })
}

/// The bytes of a name with characters of the private range as they are, when it has any: a client of another system may
/// have made such a name.
pub(crate) fn stored_literally(name: &[u16]) -> Option<Vec<u8>> {
    let bytes = bytes_of(name, |_| None);
    (bytes != stored(name)).then_some(bytes)
}

fn bytes_of(name: &[u16], special: impl Fn(u16) -> Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len());
    for decoded in char::decode_utf16(name.iter().copied()) {
        match decoded {
            Ok(one) => match u16::try_from(u32::from(one)).ok().and_then(&special) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes()),
            },
            Err(alone) => bytes.extend_from_slice(&surrogate_bytes(alone.unpaired_surrogate())),
        }
    }
    bytes
}

fn private(byte: u8) -> u16 {
    PRIVATE + u16::from(byte)
}

/// Whether a name is that of a device, with or without an extension.
fn is_reserved(name: &[u8]) -> bool {
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end();
    let is = |word: &[u8]| stem.eq_ignore_ascii_case(word);
    if DEVICES.into_iter().any(is) {
        return true;
    }
    let Some((last, port)) = stem.split_last() else {
        return false;
    };
    matches!(last, b'1'..=b'9') && PORTS.into_iter().any(|word| port.eq_ignore_ascii_case(word))
}

/// The generalised UTF-8 of one half of a pair (WTF-8).
fn surrogate_bytes(unit: u16) -> [u8; 3] {
    let low = |shift: u16| 0x80 | ((unit >> shift) & 0x3f) as u8;
    [0xE0 | (unit >> 12) as u8, low(6), low(0)]
}

fn pieces(mut rest: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    from_fn(move || {
        if let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] = *rest {
            rest = rest.get(3..).unwrap_or_default();
            return Some(Piece::Surrogate(
                0xD000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f),
            ));
        }
        let (first, behind) = rest.split_first()?;
        // A character takes four bytes at most; the longest text that begins here has it first.
        let window = rest.get(..rest.len().min(4)).unwrap_or_default();
        let valid = match str::from_utf8(window) {
            Ok(text) => text,
            Err(error) => window
                .get(..error.valid_up_to())
                .and_then(|valid| str::from_utf8(valid).ok())
                .unwrap_or_default(),
        };
        match valid.chars().next() {
            Some(one) => {
                rest = rest.get(one.len_utf8()..).unwrap_or_default();
                Some(Piece::Character(one))
            }
            None => {
                rest = behind;
                Some(Piece::Byte(*first))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &[u8]) -> String {
        String::from_utf16(&shown(name)).expect("whole characters")
    }

    #[test]
    fn what_windows_allows_is_shown_as_it_is() {
        for name in [
            "note.txt",
            ".hidden",
            "\u{fc}ber \u{1f4e6}",
            "com0",
            "console",
            "a.con",
            "lpt10",
        ] {
            assert_eq!(text(name.as_bytes()), name);
        }
    }

    #[test]
    fn what_windows_does_not_allow_is_shown_in_the_private_range() {
        for (stored, shown) in [
            ("a:b", "a\u{f03a}b"),
            (
                r#"<>"\|?*"#,
                "\u{f03c}\u{f03e}\u{f022}\u{f05c}\u{f07c}\u{f03f}\u{f02a}",
            ),
            ("tab\there", "tab\u{f009}here"),
            ("dot.", "dot\u{f02e}"),
            ("blank ", "blank\u{f020}"),
            ("con", "\u{f063}on"),
            ("Nul.tar.gz", "\u{f04e}ul.tar.gz"),
            ("COM1 .txt", "\u{f043}OM1 .txt"),
            ("CONIN$", "\u{f043}ONIN$"),
        ] {
            assert_eq!(text(stored.as_bytes()), shown);
        }
        assert_eq!(text(b"latin \xfc."), "latin \u{f0fc}\u{f02e}");
    }

    #[test]
    fn names_come_back_as_they_were() {
        let mut names: Vec<Vec<u8>> = (1..=255_u8)
            .filter(|byte| *byte != b'/')
            .map(|byte| vec![byte])
            .collect();
        names.extend(
            (1..=255_u8)
                .filter(|byte| *byte != b'/')
                .map(|byte| vec![b'a', byte, b'b']),
        );
        for name in ["aux", "lpt9.x", "a. .", "...", "\u{10ffff}", "\u{ed}\u{a0}"] {
            names.push(name.as_bytes().to_vec());
        }
        names.push(b"\xf0\x9f\x93".to_vec());
        for name in names {
            assert_eq!(stored(&shown(&name)), name, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn half_of_a_pair_is_kept() {
        let name = [u16::from(b'a'), 0xD83D, u16::from(b'b'), 0xDC00];
        assert_eq!(shown(&stored(&name)), name);
    }

    #[test]
    fn a_stored_name_of_the_private_range_is_found_as_it_is() {
        let name: Vec<u16> = "a\u{f03a}b".encode_utf16().collect();
        assert_eq!(stored(&name), b"a:b");
        assert_eq!(stored_literally(&name).as_deref(), Some("a\u{f03a}b".as_bytes()));
        let plain: Vec<u16> = "plain".encode_utf16().collect();
        assert_eq!(stored_literally(&plain), None);
    }
}
