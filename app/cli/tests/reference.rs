//! docs/commands.md says what the program understands: its second part is made from the command line itself.
//!
//! `MOORAGE_WRITE_REFERENCE=1 cargo test -p moorage --test reference` writes it anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, Command};

/// Ends the part that is written by hand.
const MARK: &str = "<!-- From here on made from the command line by a test. -->\n";

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md")
}

#[test]
fn the_reference_is_what_the_program_understands() {
    let text = std::fs::read_to_string(file()).expect("docs/commands.md");
    let (by_hand, written) = text.split_once(MARK).expect("the mark");
    let reference = reference();
    if std::env::var_os("MOORAGE_WRITE_REFERENCE").is_some() {
        std::fs::write(file(), format!("{by_hand}{MARK}{reference}")).expect("docs/commands.md is written");
    } else {
        assert!(
            written == reference,
            "docs/commands.md is not current; run this test with MOORAGE_WRITE_REFERENCE=1"
        );
    }
}

#[test]
fn the_command_line_has_no_contradictions() {
    moorage_cli::command_line().debug_assert();
}

fn reference() -> String {
    let mut root = moorage_cli::command_line();
    root.build();
    let mut text = String::new();
    for command in root
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        describe(command, &mut text);
    }
    text
}

/// A heading, what it does, how it is called, and a table of its flags; then its own commands.
fn describe(command: &Command, text: &mut String) {
    let mut command = command.clone();
    let path = command.get_display_name().unwrap_or_default().replace('-', " ");
    let level = if path.split(' ').count() > 2 { "###" } else { "##" };
    let _ = writeln!(text, "\n{level} {path}\n");
    let about = command.get_long_about().or(command.get_about());
    let _ = writeln!(text, "{}\n", about.map(ToString::to_string).unwrap_or_default());
    let usage = command.render_usage().to_string();
    let _ = writeln!(text, "    {}\n", usage.trim_start_matches("Usage: "));
    if command.has_subcommands() {
        for inner in command
            .get_subcommands()
            .filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
        {
            describe(inner, text);
        }
        return;
    }
    let shown: Vec<&Arg> = command.get_arguments().filter(|arg| is_own(arg)).collect();
    if shown.is_empty() {
        return;
    }
    text.push_str("| argument | meaning |\n|---|---|\n");
    for arg in shown {
        let _ = writeln!(text, "| {} | {} |", spelling(arg), meaning(arg));
    }
}

/// Not among the flags that every command has.
fn is_own(arg: &Arg) -> bool {
    !arg.is_hide_set() && !["help", "version", "verbose", "quiet"].contains(&arg.get_id().as_str())
}

fn spelling(arg: &Arg) -> String {
    let values: Vec<String> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let takes_value = arg.get_action().takes_values();
    let value = if takes_value {
        values.join(" ")
    } else {
        String::new()
    };
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let flags: Vec<String> = short.into_iter().chain(long).collect();
    if flags.is_empty() {
        return format!("`{value}`");
    }
    format!("`{}`", format!("{} {value}", flags.join(", ")).trim_end())
}

fn meaning(arg: &Arg) -> String {
    let help = arg
        .get_long_help()
        .or(arg.get_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut text = help.replace(['\n', '|'], " ");
    let defaults: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    let choices: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if arg.get_action().takes_values() && !choices.is_empty() && choices.len() < 8 {
        let _ = write!(text, " [one of: {}]", choices.join(", "));
    }
    text.trim().to_owned()
}
