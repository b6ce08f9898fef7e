//! The address of a volume's database.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::Args;
use moorage_model::password_in;

/// Engines that keep the volume in a file.
const LOCAL_SCHEMES: [&str; 2] = ["sqlite3://", "sqlite://"];

/// A metadata URL. It may hold a password, so it is shown only with that left out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MetaUrl {
    text: String,
    /// It comes from the record of a mount, which keeps no password.
    recorded: bool,
}

impl MetaUrl {
    /// The URL in the record of a mount, as [`MetaUrl::to_share`] made it.
    pub(crate) fn of_record(text: String) -> MetaUrl {
        MetaUrl { text, recorded: true }
    }

    /// Whether it comes from the record of a mount, and so has no password although the mount's own may have had one.
    pub(crate) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// The URL with its password, for opening.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Which engine it names.
    pub(crate) fn scheme(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }

    /// The URL as another process may open it: without its password, which comes from the environment there, and
    /// with the absolute path of a local file.
    pub(crate) fn to_share(&self) -> MetaUrl {
        let open = match password_in(&self.text) {
            Some(password) => {
                let (before, after) = (self.text.get(..password.start), self.text.get(password.end..));
                let before = before.unwrap_or_default().trim_end_matches(':');
                format!("{before}{}", after.unwrap_or_default())
            }
            None => self.text.clone(),
        };
        for scheme in LOCAL_SCHEMES {
            if let Some(path) = open.strip_prefix(scheme)
                && let Ok(absolute) = std::path::absolute(path)
            {
                return format!("{scheme}{}", absolute.display()).into();
            }
        }
        open.into()
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
        MetaUrl {
            text,
            recorded: false,
        }
    }
}

impl FromStr for MetaUrl {
    type Err = Infallible;

    /// Takes any text: what is wrong with it is said where it is opened.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl fmt::Debug for MetaUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.text.split("://").next().unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_url_has_no_password_and_an_absolute_file() {
        let shared = |text: &str| MetaUrl::from(text.to_owned()).to_share().text;
        assert_eq!(shared("redis://me:secret@host:1/2"), "redis://me@host:1/2");
        let whole = match cfg!(windows) {
            true => r"sqlite3://C:\a\b.db?x=y",
            false => "sqlite3:///a/b.db?x=y",
        };
        assert_eq!(shared(whole), whole);
        let made_whole = shared("sqlite3://b.db");
        let path = made_whole.strip_prefix("sqlite3://").unwrap();
        assert!(std::path::Path::new(path).is_absolute(), "{path}");
    }

    #[test]
    fn a_url_is_told_from_a_path() {
        assert!(MetaUrl::looks_like("sqlite3:///a"));
        assert!(!MetaUrl::looks_like("/mnt/a://b"));
        assert!(!MetaUrl::looks_like("photos"));
    }

    #[test]
    fn debug_output_shows_no_password() {
        let url = MetaUrl::from("mysql://me:secret@(h)/d".to_owned());
        assert!(!format!("{url:?}").contains("secret"));
    }
}
