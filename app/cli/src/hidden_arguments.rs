//! Keeps secrets out of the process list: a command line that holds one is replaced at once by itself with
//! placeholders, and the secrets travel in the environment, which only the same user can read.

use std::ffi::OsString;

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
            let (before, secret, after) = if std::mem::take(&mut value_of_secret_flag) {
                ("", text, "")
            } else if SECRET_FLAGS.contains(&text) {
                value_of_secret_flag = true;
                return argument.clone();
            } else {
                secret_part(text)
            };
            if secret.is_empty() || secret.starts_with(PLACEHOLDER) {
                return argument.clone();
            }
            secrets.push(secret.to_owned());
            OsString::from(format!("{before}{PLACEHOLDER}{}{after}", secrets.len() - 1))
        })
        .collect();
    (hidden, secrets)
}

/// What is secret in one argument: the value of a flag after `=`, or the password of a URL.
fn secret_part(text: &str) -> (&str, &str, &str) {
    let nothing = (text, "", "");
    for flag in SECRET_FLAGS {
        if text.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')) {
            let (before, secret) = text.split_at(flag.len() + 1);
            return (before, secret, "");
        }
    }
    password_of_url(text).unwrap_or(nothing)
}

/// Splits `scheme://user:password@host…` around the password.
pub(crate) fn password_of_url(text: &str) -> Option<(&str, &str, &str)> {
    let authority_start = text.find("://")? + "://".len();
    let rest = text.get(authority_start..)?;
    // A password may hold any character: the last @ before the query ends it, as the engines read it.
    let address = rest.split('?').next()?;
    let at = address.rfind('@')?;
    let colon = address.get(..at)?.find(':')?;
    let (before, from_password) = text.split_at(authority_start + colon + 1);
    let (password, after) = from_password.split_at(at - colon - 1);
    Some((before, password, after))
}

/// Puts the secret back in place of its placeholder.
fn reveal(argument: OsString) -> OsString {
    let revealed = argument.to_str().and_then(|text| {
        let (before, from_number) = text.split_once(PLACEHOLDER)?;
        let digits = from_number
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from_number.len());
        let (number, after) = from_number.split_at(digits);
        let secret = std::env::var(format!("{VARIABLE}{number}")).ok()?;
        Some(OsString::from(format!("{before}{secret}{after}")))
    });
    revealed.unwrap_or(argument)
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
        ]);
        let expected = [
            "moorage",
            "--secret-key",
            "****0",
            "--session-token=****1",
            "mysql://me:****2@(host:1)/db?x=y@z",
        ];
        assert_eq!(shown, expected);
        assert_eq!(secrets, ["one", "two", "th@ree"]);
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
