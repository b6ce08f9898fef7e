//! Errors as a person reads them: what happened, why, what to do; with `--json` the same for a program.

use std::error::Error as _;
use std::process::ExitCode;

use moorage_model::{Error, ErrorKind};

use crate::output::plain;
use crate::{exit_code, output};

/// Shows what is wrong with the command line, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error, json: bool) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(exit_code::USAGE);
    if json && error.use_stderr() {
        let said = error.render().to_string();
        let said = said.trim().trim_start_matches("error: ");
        let failure = Error::new(ErrorKind::InvalidArgument, said);
        output::tell(&as_json(&failure, code).to_string());
    } else {
        // A closed terminal is no reason to fail in another way.
        let _ = error.print();
    }
    ExitCode::from(code)
}

/// Shows an error on standard error and gives its exit code.
pub(crate) fn present(error: &Error, json: bool) -> ExitCode {
    let code = exit_code::of(error.kind());
    if json {
        output::tell(&as_json(error, code).to_string());
    } else {
        output::tell(&as_text(error));
    }
    ExitCode::from(code)
}

/// An error as [`present`] shows it, and its exit code, for another process to pass on.
pub(crate) fn described(error: &Error) -> (String, u8) {
    (as_text(error), exit_code::of(error.kind()))
}

/// An error as [`present`] shows it to a program, for another process to pass on.
pub(crate) fn described_as_json(error: &Error) -> serde_json::Value {
    as_json(error, exit_code::of(error.kind()))
}

fn as_text(error: &Error) -> String {
    let mut text = format!("error: {}\n", plain(&title(error)));
    for cause in causes(error) {
        text.push_str(&format!("  cause: {}\n", plain(&cause)));
    }
    if let Some(advice) = error.advice() {
        text.push_str(&format!("  what to do: {}\n", plain(advice)));
    }
    text
}

fn as_json(error: &Error, code: u8) -> serde_json::Value {
    serde_json::json!({
        "error": title(error),
        "kind": format!("{:?}", error.kind()),
        "causes": causes(error),
        "advice": error.advice(),
        "exit_code": code,
    })
}

fn title(error: &Error) -> String {
    match error.message() {
        Some(message) if !message.is_empty() => message.to_owned(),
        _ => error.kind().describe().to_owned(),
    }
}

/// The chain of causes, each said once.
pub(crate) fn causes(error: &Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if causes.last().is_none_or(|before| !before.contains(&said)) {
            causes.push(said);
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_title_cause_and_advice_on_lines_of_their_own() {
        let error = Error::new(ErrorKind::NotFound, "no folder /a")
            .with_source(std::io::Error::other("disk is gone"))
            .with_advice("Plug it in.");
        let expected = "error: no folder /a\n  cause: disk is gone\n  what to do: Plug it in.\n";
        assert_eq!(as_text(&error), expected);
        assert_eq!(as_json(&error, 3)["advice"], "Plug it in.");
    }

    #[test]
    fn a_name_in_an_error_is_escaped_as_text_and_kept_as_json() {
        let error = Error::new(ErrorKind::NotFound, "no folder /a\u{1b}[2J\nerror: none");
        assert_eq!(as_text(&error), "error: no folder /a\\u{1b}[2J\\nerror: none\n");
        assert_eq!(as_json(&error, 3)["error"], "no folder /a\u{1b}[2J\nerror: none");
    }
}
