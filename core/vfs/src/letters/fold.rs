//! What is left of a name when letters count as capital.

/// The form in which names that differ in capital and small letters alone are equal, as the file systems of Windows see
/// them: each character by itself, none that takes two units of UTF-16, and no other letter becomes one of ASCII. Of a
/// name that is no UTF-8 the letters of ASCII alone.
pub fn fold_case(name: &[u8]) -> Box<[u8]> {
    match str::from_utf8(name) {
        Ok(text) if !text.is_ascii() => {
            let folded: String = text.chars().map(capital).collect();
            folded.into_bytes().into()
        }
        _ => name.to_ascii_uppercase().into(),
    }
}

fn capital(one: char) -> char {
    /// The first character of two units.
    const BEYOND: char = '\u{10000}';
    // Letters with an iota below have a capital with it behind, which is two; alone it is one.
    let alone = match u32::from(one) {
        code @ (0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7) => char::from_u32(code + 8),
        code @ (0x1fb3 | 0x1fc3 | 0x1ff3) => char::from_u32(code + 9),
        _ => None,
    };
    if let Some(capital) = alone {
        return capital;
    }
    let mut capitals = one.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(single), None) if one < BEYOND && single < BEYOND && single.is_ascii() == one.is_ascii() => {
            single
        }
        _ => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_scripts_are_folded_one_by_one() {
        for (one, other) in [
            ("Read Me.TXT", "rEAD mE.txt"),
            ("\u{dc}BER", "\u{fc}ber"),
            ("\u{3a3}", "\u{3c3}"),
            ("\u{416}", "\u{436}"),
            ("\u{1f88}", "\u{1f80}"),
        ] {
            assert_eq!(
                fold_case(one.as_bytes()),
                fold_case(other.as_bytes()),
                "{one} and {other}"
            );
        }
    }

    #[test]
    fn what_windows_keeps_apart_stays_apart() {
        for (one, other) in [
            ("stra\u{df}e", "strasse"),
            ("\u{131}", "i"),
            ("\u{17f}", "s"),
            ("\u{10428}", "\u{10400}"),
            ("a", "\u{e4}"),
        ] {
            assert_ne!(
                fold_case(one.as_bytes()),
                fold_case(other.as_bytes()),
                "{one} and {other}"
            );
        }
        assert_eq!(*fold_case(b"a\xffB"), *b"A\xffB");
    }
}
