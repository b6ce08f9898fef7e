//! The text of the volume setting as every client writes it (spec 10-setting section 1).

use moorage_model::{Error, ErrorKind, REMOVED_SECRET, Result, Setting, redact};
use serde::Serialize as _;

/// Members that hold a secret, or an address that may hold one.
const SECRETS: [&str; 5] = ["AccessKey", "SecretKey", "SessionToken", "EncryptKey", "Bucket"];
/// Bytes of a damaged line that a message shows.
const LONGEST_LINE_SHOWN: usize = 120;

/// What helps when the stored setting of a volume can not be.
pub const MEND_SETTING: &str = "Restore it from a backup of the database, or mend its text by hand: SQL has it in the \
     table `setting` under the name `format`, Redis in the key `setting`. Nothing was changed.";

/// One member per line, no indentation, no final newline, HTML-safe escapes.
///
/// # Errors
/// `Io` when a member can not be written as JSON.
pub fn encode_setting(setting: &Setting) -> Result<String> {
    let mut text = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(b"");
    setting
        .serialize(&mut serde_json::Serializer::with_formatter(&mut text, layout))
        .map_err(|error| {
            Error::new(ErrorKind::Io, "writing the volume setting as JSON").with_source(error)
        })?;
    let text = String::from_utf8(text).map_err(|error| {
        Error::new(ErrorKind::Io, "writing the volume setting as JSON").with_source(error)
    })?;
    Ok(with_safe_escapes(text))
}

/// A JSON text with the letters escaped that mean something to HTML and JavaScript, as other clients write them.
pub(crate) fn with_safe_escapes(text: String) -> String {
    // These five occur only inside strings of a JSON text.
    const LETTERS: [(char, &str); 5] = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    if !text.contains(LETTERS.map(|(letter, _)| letter)) {
        return text;
    }
    LETTERS
        .into_iter()
        .fold(text, |text, (letter, escape)| text.replace(letter, escape))
}

/// Reads a stored setting; unknown members are kept.
///
/// # Errors
/// `Corrupt` naming the place when the text is no setting.
pub fn decode_setting(text: &str, location: &str) -> Result<Setting> {
    serde_json::from_str(text).map_err(|error| {
        let place = match damaged_line(text, error.line()) {
            Some(line) => format!(", where it says {line}"),
            None => String::new(),
        };
        Error::new(
            ErrorKind::Corrupt,
            format!("the volume setting in {location} is damaged{place}"),
        )
        .with_source(error)
        .with_advice(MEND_SETTING)
    })
}

/// A line of a damaged setting, when it is short, has the form that clients write, and can hold no secret.
fn damaged_line(text: &str, number: usize) -> Option<&str> {
    let line = text.lines().nth(number.checked_sub(1)?)?.trim();
    let (member, value) = line.strip_prefix('"')?.split_once("\":")?;
    let is_word = member.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_one_member = !value.contains("\":");
    let is_open = is_word && is_one_member && !SECRETS.contains(&member) && line.len() <= LONGEST_LINE_SHOWN;
    is_open.then_some(line)
}

/// The setting as tools show it: non-empty secrets replaced by `removed` (spec 10-setting section 3), and the bucket
/// without a password.
pub fn without_secrets(setting: &Setting) -> Setting {
    let mut shown = setting.clone();
    for secret in [
        &mut shown.secret_key,
        &mut shown.session_token,
        &mut shown.encrypt_key,
    ] {
        if !secret.is_empty() {
            REMOVED_SECRET.clone_into(secret);
        }
    }
    shown.bucket = redact(&shown.bucket);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_unknown_members_are_written_back_as_they_were_read() {
        let text = r#"{"Name": "v", "Newer": [3.8888888888838885e30, 0.1, 18446744073709551615, -7]}"#;
        let written = encode_setting(&decode_setting(text, "a test").unwrap()).unwrap();
        for number in ["3.8888888888838885e+30", "0.1", "18446744073709551615", "-7"] {
            assert!(written.contains(number), "{number} is not in {written}");
        }
    }

    #[test]
    fn a_damaged_setting_says_where_it_is_damaged_and_shows_no_secret() {
        let said = |text: &str| decode_setting(text, "a test").unwrap_err().to_string();
        let text = said("{\n\"Name\": \"v\",\n\"BlockSize\": 4x96,\n\"Shards\": 0\n}");
        assert!(text.contains("where it says \"BlockSize\": 4x96,"), "{text}");
        assert!(text.contains("line 3"), "{text}");
        for text in [
            "{\n\"SecretKey\": \"hunter2\"x\n}",
            "{\"Name\": x, \"SecretKey\": \"hunter2\"}",
            "{\n\"Bucket\": \"https://a:hunter2@host\"x\n}",
        ] {
            let text = said(text);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
