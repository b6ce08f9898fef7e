//! The address of a volume's database.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::Args;

/// A metadata URL. It may hold a password, so it is shown only with that left out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MetaUrl(String);

impl MetaUrl {
    /// The URL with its password, for opening.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an argument that may be a path or a URL is a URL.
    pub(crate) fn looks_like(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    }
}

impl From<String> for MetaUrl {
    fn from(text: String) -> Self {
        MetaUrl(text)
    }
}

impl FromStr for MetaUrl {
    type Err = Infallible;

    /// Takes any text: what is wrong with it is said where it is opened.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(MetaUrl(text.to_owned()))
    }
}

impl fmt::Debug for MetaUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.split("://").next().unwrap_or_default();
        write!(f, "MetaUrl({scheme}://…)")
    }
}

/// The database of the volume.
#[derive(Args, Clone, Debug)]
pub(crate) struct MetaUrlArgument {
    /// Database of the volume, such as sqlite3:///home/me/volume.db. A password goes into META_PASSWORD
    #[arg(value_name = "META-URL")]
    pub(crate) url: MetaUrl,
}
