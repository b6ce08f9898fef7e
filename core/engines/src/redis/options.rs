//! Options in the query of a Redis URL (spec 30-redis section 1).

use std::path::PathBuf;
use std::time::Duration;

use crate::duration::duration;

/// As JuiceFS waits for an answer.
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// As JuiceFS waits for a connection.
const DEFAULT_DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// As JuiceFS waits before it asks again.
const DEFAULT_MIN_BACKOFF: Duration = Duration::from_millis(20);
/// Longest wait before a request is sent again.
const DEFAULT_MAX_BACKOFF: Duration = Duration::from_secs(10);
/// Shortest time limit: what is below it would end every request.
const MIN_TIMEOUT: Duration = Duration::from_millis(10);

/// Options that other clients know and that change nothing here: all requests share one connection, so there is no
/// pool; every read goes to the master, so that a client sees what it wrote; the read time limit covers the writing of
/// the request.
const WITHOUT_EFFECT: [&str; 26] = [
    "client-cache",
    "client-cache-expire",
    "client-cache-preload",
    "client-cache-size",
    "client-name",
    "conn-max-idle-time",
    "conn-max-lifetime",
    "idle-check-frequency",
    "idle-timeout",
    "max-active-conns",
    "max-conn-age",
    "max-idle-conns",
    "max-redirects",
    "max-retries",
    "min-idle-conns",
    "pool-fifo",
    "pool-size",
    "pool-timeout",
    "protocol",
    "read-buffer-size",
    "read-only",
    "route-by-latency",
    "route-randomly",
    "route-read",
    "write-buffer-size",
    "write-timeout",
];
/// Options that are followed.
const FOLLOWED: [&str; 10] = [
    "db",
    "dial-timeout",
    "insecure-skip-verify",
    "max-retry-backoff",
    "min-retry-backoff",
    "read-timeout",
    "tls-ca-cert-file",
    "tls-cert-file",
    "tls-key-file",
    "tls-server-name",
];

/// The options of one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Number of the database, for a URL whose path is a socket.
    pub(super) database: Option<i64>,
    /// Longest wait for an answer.
    pub(super) read_timeout: Duration,
    /// Longest wait for a connection.
    pub(super) dial_timeout: Duration,
    /// Wait before a request is sent again; it doubles up to the longest one.
    pub(super) min_backoff: Duration,
    /// The longest of these waits.
    pub(super) max_backoff: Duration,
    pub(super) tls: TlsOptions,
}

/// What concerns TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TlsOptions {
    /// Any certificate of the server will do.
    pub(super) insecure: bool,
    /// Certificate of this client and the key to it, PEM.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
    /// Certificates of the authorities that the server's certificate may come from, PEM.
    pub(super) authorities: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            database: None,
            read_timeout: DEFAULT_READ_TIMEOUT,
            dial_timeout: DEFAULT_DIAL_TIMEOUT,
            min_backoff: DEFAULT_MIN_BACKOFF,
            max_backoff: DEFAULT_MAX_BACKOFF,
            tls: TlsOptions::default(),
        }
    }
}

/// Why options can not be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OptionError {
    /// This is wrong with them.
    Invalid(String),
    /// Known elsewhere, and would be dangerous to pass over here.
    NotSupported(String),
}

impl Options {
    /// From the query of a URL, without its question mark.
    ///
    /// # Errors
    /// An option that is unknown or has no sense; the text holds no value of an unknown one.
    pub(super) fn parse(query: &str) -> Result<Options, OptionError> {
        let mut options = Options::default();
        let (mut certificate, mut key) = (None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let time = || {
                duration(&value)
                    .filter(|time| *time >= MIN_TIMEOUT)
                    .ok_or_else(|| invalid(format!("{name} is no time such as 30s or 500ms")))
            };
            let file = || (!value.is_empty()).then(|| PathBuf::from(value.as_ref()));
            match name.replace('_', "-").as_str() {
                "" => {}
                "db" => {
                    let number = value.parse().ok().filter(|number| *number >= 0);
                    options.database =
                        Some(number.ok_or_else(|| invalid("the database is not a number".to_owned()))?);
                }
                "read-timeout" => options.read_timeout = time()?,
                "dial-timeout" => options.dial_timeout = time()?,
                "min-retry-backoff" => options.min_backoff = time()?,
                "max-retry-backoff" => options.max_backoff = time()?,
                "insecure-skip-verify" => {
                    options.tls.insecure = match value.as_ref() {
                        "" | "true" | "1" => true,
                        "false" | "0" => false,
                        _ => return Err(invalid(format!("{name} is neither true nor false"))),
                    };
                }
                "tls-cert-file" => certificate = file(),
                "tls-key-file" => key = file(),
                "tls-ca-cert-file" => options.tls.authorities = file(),
                "tls-server-name" if value.is_empty() => {}
                "tls-server-name" => {
                    return Err(OptionError::NotSupported(format!(
                        "{name}: the certificate of the server has to name the host of the URL"
                    )));
                }
                known if WITHOUT_EFFECT.contains(&known) => {
                    tracing::debug!("the option {known} of the metadata URL has no effect");
                }
                _ => {
                    return Err(invalid(format!(
                        "unknown option {name}; known are {} and, without effect, {}",
                        FOLLOWED.join(", "),
                        WITHOUT_EFFECT.join(", ")
                    )));
                }
            }
        }
        options.max_backoff = options.max_backoff.max(options.min_backoff);
        options.tls.certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err(invalid(
                    "tls-cert-file and tls-key-file have to stand together".to_owned(),
                ));
            }
        };
        Ok(options)
    }

    /// Whether any of them needs TLS.
    pub(super) fn wants_tls(&self) -> bool {
        self.tls != TlsOptions::default()
    }
}

fn invalid(what: String) -> OptionError {
    OptionError::Invalid(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_understood_and_options_of_pools_pass() {
        let options = Options::parse(
            "read_timeout=2s&min-retry-backoff=50ms&pool_size=10&min-idle-conns=3&route-read=replica&db=4",
        )
        .unwrap();
        assert_eq!(options.read_timeout, Duration::from_secs(2));
        assert_eq!(options.min_backoff, Duration::from_millis(50));
        assert_eq!(options.database, Some(4));
    }

    #[test]
    fn an_unknown_option_is_refused_with_the_list_and_without_its_value() {
        let Err(OptionError::Invalid(text)) = Options::parse("paswort=hunter2") else {
            panic!("refused");
        };
        assert!(
            text.contains("paswort") && text.contains("read-timeout"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn half_a_client_certificate_is_refused() {
        assert!(matches!(
            Options::parse("tls-cert-file=/a.pem"),
            Err(OptionError::Invalid(_))
        ));
        assert!(matches!(
            Options::parse("tls-server-name=other"),
            Err(OptionError::NotSupported(_))
        ));
    }
}
