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
        serde_json::to_string_pretty(value)
            .map_err(|error| Error::new(ErrorKind::Io, "the result is no JSON").with_source(error))?
    } else {
        text(value)
    };
    line(&shown)
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

/// Rows under a heading, columns as wide as they need; numbers, by look, to the right.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(heading.get(column).map_or(0, |head| head.chars().count()))
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut text = String::new();
    let heading: Vec<String> = heading.iter().map(|&head| head.to_owned()).collect();
    for row in std::iter::once(&heading).chain(rows) {
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

/// `name: value` lines, values aligned.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len() + 1).max().unwrap_or(0);
    fields
        .iter()
        .map(|(name, value)| format!("{:<width$} {value}\n", format!("{name}:")))
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
}
