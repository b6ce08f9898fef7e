//! Options of metadata URLs that all SQL servers have.

use std::borrow::Cow;

use moorage_model::{Error, ErrorKind, Result, redact};

/// Connections at most, when the URL does not say.
const DEFAULT_CONNECTIONS: usize = 16;
/// Length of a prefix at most, in bytes, so that names of indexes stay below the 63 bytes of PostgreSQL.
const MAX_PREFIX_BYTES: usize = 24;

/// What a URL says beside the address of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommonOptions {
    /// What the names of tables begin with.
    pub(crate) prefix: String,
    /// Connections at most.
    pub(crate) connections: usize,
}

impl Default for CommonOptions {
    fn default() -> Self {
        CommonOptions {
            prefix: "jfs_".to_owned(),
            connections: DEFAULT_CONNECTIONS,
        }
    }
}

impl CommonOptions {
    /// The prefix as the URL names it.
    pub(crate) fn own_prefix(&self) -> Option<&str> {
        self.prefix.strip_prefix("jfs_")?.strip_suffix('_')
    }

    /// Takes over an option; `false` when it is none of these.
    ///
    /// # Errors
    /// `InvalidArgument` for a value that can not be meant.
    pub(crate) fn take(&mut self, url: &str, name: &str, value: &str) -> Result<bool> {
        let wrong = |what: &str| Error::new(ErrorKind::InvalidArgument, format!("{}: {what}", redact(url)));
        match name {
            "table_prefix" => {
                let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if !plain || value.len() > MAX_PREFIX_BYTES {
                    return Err(wrong(
                        "table_prefix is at most 24 letters, digits and underscores",
                    ));
                }
                if !value.is_empty() {
                    self.prefix = format!("jfs_{value}_");
                }
            }
            "max_open_conns" => {
                let number: usize = value
                    .parse()
                    .map_err(|_| wrong("max_open_conns is not a number"))?;
                if number > 0 {
                    self.connections = number;
                }
            }
            // Connections are kept while they work.
            "max_idle_conns" | "max_idle_time" | "max_life_time" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Resolves the percent escapes of a part of a URL; `None` when what results is no text.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let pairs = format!("x={}", text.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map(|(_, value)| Cow::into_owned(value));
    decoded.filter(|text| !text.contains('\u{FFFD}'))
}
