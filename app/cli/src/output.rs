//! Results on standard output: JSON for programs, aligned text for people.

use clap::Args;
use moorage_model::{Error, ErrorKind, Result};
use serde::Serialize;

/// The choice of form, for commands that print data.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct OutputArguments {
    /// Print the result (and an error) as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints `value` as indented JSON or by `text`.
///
/// # Errors
/// `Io` when standard output can not be written.
pub(crate) fn print<T: Serialize>(
    arguments: OutputArguments,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<()> {
    let shown = if arguments.json {
        serde_json::to_string_pretty(value).map_err(no_json)?
    } else {
        text(value)
    };
    line(&shown)
}

/// `value` as JSON in one line.
///
/// # Errors
/// `Io` when it can not be said in JSON.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Io, "the result is no JSON").with_source(error)
}

/// Prints text and a final newline. A reader that closed the pipe has seen enough: that is no failure.
///
/// # Errors
/// `Io` when standard output can not be written.
pub(crate) fn line(text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Io, "standard output can not be written").with_source(error))
        }
        _ => Ok(()),
    }
}

/// Prints a line on standard error. Nobody may be listening there any more, which is no failure.
pub(crate) fn tell(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end_matches('\n'));
}

/// Text of others, such as a name, without what would steer a terminal or break a line: those characters are escaped.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || steers_direction(letter) {
            plain.extend(letter.escape_default());
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// Characters that show what follows them in another order: a name could pretend to be another.
fn steers_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Rows under a heading, columns as wide as they need; numbers, by look, to the right.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(heading.get(column).map_or(0, |head| head.chars().count()))
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut text = String::new();
    let heading: Vec<String> = heading.iter().map(|&head| head.to_owned()).collect();
    for row in std::iter::once(&heading).chain(&rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| align(cell, width))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn align(cell: &str, width: usize) -> String {
    if cell.starts_with(|c: char| c.is_ascii_digit()) {
        format!("{cell:>width$}")
    } else {
        format!("{cell:<width$}")
    }
}

/// `name: value` lines, values aligned; further lines of a value below its first.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len() + 1).max().unwrap_or(0);
    fields
        .iter()
        .map(|(name, value)| {
            let lines: Vec<String> = value.split('\n').map(plain).collect();
            let value = lines.join(&format!("\n{:width$} ", ""));
            format!("{:<width$} {value}\n", format!("{name}:"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![
            vec!["a".to_owned(), "10".to_owned()],
            vec!["long".to_owned(), "7".to_owned()],
        ];
        assert_eq!(table(&["name", "n"], &rows), "name  n\na     10\nlong   7\n");
    }

    #[test]
    fn names_can_not_steer_a_terminal() {
        let name = "a\u{1b}[2J\u{9b}b\r\u{202e}c";
        let shown = r"a\u{1b}[2J\u{9b}b\r\u{202e}c";
        assert_eq!(plain(name), shown);
        assert_eq!(plain("Grüße 日本 \\"), "Grüße 日本 \\");
        let rows = vec![vec![name.to_owned()]];
        assert_eq!(table(&["n"], &rows), format!("n\n{shown}\n"));
        assert_eq!(fields(&[("n", name.to_owned())]), format!("n: {shown}\n"));
    }

    #[test]
    fn further_lines_of_a_value_stand_below_its_first() {
        assert_eq!(fields(&[("n", "a\nb".to_owned())]), "n: a\n   b\n");
    }
}
