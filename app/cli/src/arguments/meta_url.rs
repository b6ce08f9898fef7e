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
pub(crate) struct MetaUrl(String);

impl MetaUrl {
    /// The URL with its password, for opening.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL as another process may open it: without its password, which comes from the environment there, and
    /// with the absolute path of a local file.
    pub(crate) fn to_share(&self) -> MetaUrl {
        let open = match password_in(&self.0) {
            Some(password) => {
                let (before, after) = (self.0.get(..password.start), self.0.get(password.end..));
                let before = before.unwrap_or_default().trim_end_matches(':');
                format!("{before}{}", after.unwrap_or_default())
            }
            None => self.0.clone(),
        };
        for scheme in LOCAL_SCHEMES {
            if let Some(path) = open.strip_prefix(scheme)
                && let Ok(absolute) = std::path::absolute(path)
            {
                return MetaUrl(format!("{scheme}{}", absolute.display()));
            }
        }
        MetaUrl(open)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_url_has_no_password_and_an_absolute_file() {
        let shared = |text: &str| MetaUrl::from(text.to_owned()).to_share().0;
        assert_eq!(shared("redis://me:secret@host:1/2"), "redis://me@host:1/2");
        assert_eq!(shared("sqlite3:///a/b.db?x=y"), "sqlite3:///a/b.db?x=y");
        assert!(shared("sqlite3://b.db").starts_with("sqlite3:///"));
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
