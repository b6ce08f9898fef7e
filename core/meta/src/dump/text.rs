//! Bytes as text of a dump (spec 80-dump section 1): names, targets of symlinks and values of extended attributes.

use std::borrow::Cow;

/// Digits of an escaped byte.
const HEX: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
];

/// Writes as `%XX` each byte that is no part of UTF-8 text, and each byte of blanks, control characters, `%`, `"`, `\`
/// and U+FFFD, which older loaders can not tell from damage; everything else as it is.
pub(super) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        for letter in part.valid().chars() {
            if letter <= ' ' || matches!(letter, '%' | '"' | '\\' | '\u{fffd}') {
                let mut buffer = [0; 4];
                escape_bytes(&mut text, letter.encode_utf8(&mut buffer).as_bytes());
            } else {
                text.push(letter);
            }
        }
        escape_bytes(&mut text, part.invalid());
    }
    text
}

fn escape_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push('%');
        for digit in [byte >> 4, byte & 0xF] {
            text.extend(HEX.get(usize::from(digit)));
        }
    }
}

/// The reverse of [`escape`]; a `%` that two upper-case digits do not follow stands for itself.
pub(super) fn unescape(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [b'%', high, low, after @ ..] if digit(*high).is_some() && digit(*low).is_some() => {
                let (high, low) = (digit(*high).unwrap_or(0), digit(*low).unwrap_or(0));
                bytes.push(high << 4 | low);
                after
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
            [] => return Cow::Owned(bytes),
        };
    }
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_format_escapes_is_escaped_and_nothing_else() {
        for (bytes, text) in [
            (&b"on the root"[..], "on%20the%20root"),
            (b"bytes-\xff\xfe \"%41\\", "bytes-%FF%FE%20%22%2541%5C"),
            ("Grüße <&> 日本\u{7f}".as_bytes(), "Grüße%20<&>%20日本\u{7f}"),
            ("\u{fffd}".as_bytes(), "%EF%BF%BD"),
            (b"\xe6\x97", "%E6%97"),
            (b"a\x00\n", "a%00%0A"),
        ] {
            assert_eq!(escape(bytes), text);
            assert_eq!(&*unescape(text), bytes);
        }
    }

    #[test]
    fn a_percent_sign_of_its_own_stands_for_itself() {
        for text in ["100%", "%4", "%zz", "%e6"] {
            assert_eq!(&*unescape(text), text.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let text = escape(&bytes);
            prop_assert_eq!(unescape(&text).into_owned(), bytes);
        }
    }
}
