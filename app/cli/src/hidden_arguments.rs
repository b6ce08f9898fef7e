//! Keeps secrets out of the process list: a command line that holds one is replaced at once by itself with
//! placeholders, and the secrets travel in the environment, which only the same user can read.

use std::ffi::OsString;
use std::ops::Range;

use moorage_model::secrets_in;

#[cfg(target_os = "linux")]
use crate::output;

/// What stands in an argument for the secret in the environment variable of the same number.
const PLACEHOLDER: &str = "****";
/// Name of those variables, without the number.
const VARIABLE: &str = "MOORAGE_HIDDEN_";
/// Flags whose value is a secret.
const SECRET_FLAGS: [&str; 2] = ["--secret-key", "--session-token"];

/// The arguments with their secrets, whether they came in the open or not.
pub(crate) fn take(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (hidden, secrets) = hide(&arguments);
    if !secrets.is_empty() {
        restart(&hidden, &secrets);
    }
    arguments.into_iter().map(reveal).collect()
}

/// Runs this program again, in place, with the hidden arguments. Returns only when that is not possible.
#[cfg(target_os = "linux")]
fn restart(arguments: &[OsString], secrets: &[String]) {
    use std::os::unix::process::CommandExt as _;
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut command = std::process::Command::new(program);
    if let Some((name, rest)) = arguments.split_first() {
        command.arg0(name).args(rest);
    }
    for (number, secret) in secrets.iter().enumerate() {
        command.env(format!("{VARIABLE}{number}"), secret);
    }
    let error = command.exec();
    output::tell(&format!(
        "warning: secrets of the command line can not be hidden from the process list: {error}"
    ));
}

#[cfg(not(target_os = "linux"))]
fn restart(_arguments: &[OsString], _secrets: &[String]) {}

/// The arguments with placeholders, and what they stand for.
fn hide(arguments: &[OsString]) -> (Vec<OsString>, Vec<String>) {
    let mut secrets = Vec::new();
    let mut value_of_secret_flag = false;
    let hidden = arguments
        .iter()
        .map(|argument| {
            let Some(text) = argument.to_str() else {
                return argument.clone();
            };
            let parts = if std::mem::take(&mut value_of_secret_flag) {
                std::iter::once(0..text.len()).collect()
            } else if SECRET_FLAGS.contains(&text) {
                value_of_secret_flag = true;
                return argument.clone();
            } else {
                secret_parts(text)
            };
            OsString::from(replace(text, &parts, &mut secrets))
        })
        .collect();
    (hidden, secrets)
}

/// Where the secrets of one argument are: the value of a flag after `=`, or those of an address.
fn secret_parts(text: &str) -> Vec<Range<usize>> {
    for flag in SECRET_FLAGS {
        if text.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')) {
            return std::iter::once(flag.len() + 1..text.len()).collect();
        }
    }
    // The address of `--flag=ADDRESS` begins behind the sign: the flag is no part of its scheme.
    let value = match text.split_once('=') {
        Some((flag, _)) if flag.starts_with("--") => flag.len() + 1,
        _ => 0,
    };
    secrets_in(text.get(value..).unwrap_or_default())
        .into_iter()
        .map(|secret| secret.start + value..secret.end + value)
        .collect()
}

/// The text with a numbered placeholder for each part that is no placeholder yet; what they stand for is added to
/// `secrets`.
fn replace(text: &str, parts: &[Range<usize>], secrets: &mut Vec<String>) -> String {
    let mut hidden = String::new();
    let mut from = 0;
    for part in parts {
        let secret = text.get(part.clone()).unwrap_or_default();
        if secret.is_empty() || secret.starts_with(PLACEHOLDER) {
            continue;
        }
        hidden.push_str(text.get(from..part.start).unwrap_or_default());
        hidden.push_str(&format!("{PLACEHOLDER}{}", secrets.len()));
        secrets.push(secret.to_owned());
        from = part.end;
    }
    hidden.push_str(text.get(from..).unwrap_or_default());
    hidden
}

/// Puts the secrets back in place of their placeholders.
fn reveal(argument: OsString) -> OsString {
    let Some(text) = argument.to_str().filter(|text| text.contains(PLACEHOLDER)) else {
        return argument;
    };
    let mut pieces = text.split(PLACEHOLDER);
    let mut revealed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, after) = piece.split_at(digits);
        match std::env::var(format!("{VARIABLE}{number}")) {
            Ok(secret) => revealed.push_str(&secret),
            Err(_) => revealed.push_str(&format!("{PLACEHOLDER}{number}")),
        }
        revealed.push_str(after);
    }
    OsString::from(revealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(arguments: &[&str]) -> (Vec<String>, Vec<String>) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let (hidden, secrets) = hide(&arguments);
        (
            hidden.into_iter().filter_map(|a| a.into_string().ok()).collect(),
            secrets,
        )
    }

    #[test]
    fn secrets_of_flags_and_urls_give_way_to_placeholders() {
        let (shown, secrets) = hidden(&[
            "moorage",
            "--secret-key",
            "one",
            "--session-token=two",
            "mysql://me:th@ree@(host:1)/db?x=y@z",
            "--bucket=https://me:four@host/b?token=five&x=1",
        ]);
        let expected = [
            "moorage",
            "--secret-key",
            "****0",
            "--session-token=****1",
            "mysql://me:****2@(host:1)/db?x=y@z",
            "--bucket=https://me:****3@host/b?token=****4&x=1",
        ];
        assert_eq!(shown, expected);
        assert_eq!(secrets, ["one", "two", "th@ree", "four", "five"]);
    }

    #[test]
    fn what_is_hidden_already_and_what_holds_no_secret_stay() {
        let arguments = [
            "moorage",
            "sqlite3:///a/b@c.db",
            "redis://me@host/1",
            "--secret-key",
            "****0",
        ];
        assert_eq!(
            hidden(&arguments),
            (arguments.map(str::to_owned).to_vec(), Vec::new())
        );
    }
}
