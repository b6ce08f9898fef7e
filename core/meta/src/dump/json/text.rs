//! The layout of a JSON dump: two blanks per level, `attr` and its like on one line each.

use moorage_model::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::dump::DumpOutput;
use crate::setting_text::with_safe_escapes;

/// Writes the members of objects with their commas, line ends and indentation.
#[derive(Debug)]
pub(super) struct JsonText {
    output: DumpOutput,
    /// Objects open around the next member.
    level: usize,
    /// Whether the object has no member yet.
    first: bool,
}

impl JsonText {
    pub(super) fn new(output: DumpOutput) -> JsonText {
        JsonText {
            output,
            level: 0,
            first: true,
        }
    }

    /// Begins the document.
    pub(super) async fn begin(&mut self) -> Result<()> {
        self.level = 1;
        self.first = true;
        self.output.write(b"{").await
    }

    /// Begins a member that is an object; `name` has nothing to escape.
    pub(super) async fn open(&mut self, name: &str) -> Result<()> {
        self.member(name, "{").await?;
        self.level += 1;
        self.first = true;
        Ok(())
    }

    /// Ends the innermost object.
    pub(super) async fn close(&mut self) -> Result<()> {
        self.level = self.level.saturating_sub(1);
        self.first = false;
        let mut text = self.line_end();
        text.push('}');
        self.output.write(text.as_bytes()).await
    }

    /// A member that is a text without anything to escape.
    pub(super) async fn text(&mut self, name: &str, value: &str) -> Result<()> {
        self.member(name, &format!("\"{value}\"")).await
    }

    /// A member on one line.
    pub(super) async fn line(&mut self, name: &str, value: &(impl Serialize + Sync)) -> Result<()> {
        let value = one_line(value)?;
        self.member(name, &value).await
    }

    /// A member with a line for each of its own members.
    pub(super) async fn lines(&mut self, name: &str, value: &(impl Serialize + Sync)) -> Result<()> {
        let value = serde_json::to_string_pretty(value).map_err(unwritable)?;
        let indented = with_safe_escapes(value).replace('\n', &self.line_end());
        self.member(name, &indented).await
    }

    /// Begins a member that is a list with a line for each item.
    pub(super) async fn open_list(&mut self, name: &str) -> Result<()> {
        self.member(name, "[").await?;
        self.level += 1;
        self.first = true;
        Ok(())
    }

    /// An item of a list.
    pub(super) async fn item(&mut self, value: &(impl Serialize + Sync)) -> Result<()> {
        let text = self.separator() + &one_line(value)?;
        self.output.write(text.as_bytes()).await
    }

    /// Ends a list.
    pub(super) async fn close_list(&mut self) -> Result<()> {
        self.level = self.level.saturating_sub(1);
        self.first = false;
        let mut text = self.line_end();
        text.push(']');
        self.output.write(text.as_bytes()).await
    }

    /// Ends the document, and hands over what is left of it. Returns its bytes.
    pub(super) async fn end(mut self) -> Result<u64> {
        self.output.write(b"\n}\n").await?;
        self.output.flush().await?;
        Ok(self.output.written())
    }

    async fn member(&mut self, name: &str, value: &str) -> Result<()> {
        let text = format!("{}\"{name}\": {value}", self.separator());
        self.output.write(text.as_bytes()).await
    }

    fn separator(&mut self) -> String {
        let line_end = self.line_end();
        if std::mem::replace(&mut self.first, false) {
            line_end
        } else {
            format!(",{line_end}")
        }
    }

    fn line_end(&self) -> String {
        let mut text = String::with_capacity(1 + 2 * self.level);
        text.push('\n');
        for _ in 0..self.level {
            text.push_str("  ");
        }
        text
    }
}

fn one_line(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map(with_safe_escapes)
        .map_err(unwritable)
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Io, "writing a record as JSON").with_source(error)
}
