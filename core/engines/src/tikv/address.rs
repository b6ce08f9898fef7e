//! Metadata URLs of TiKV (spec 50-tkv section 1).

use std::path::PathBuf;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result, redact};

use super::tls::Tls;
use crate::duration::duration;

/// Where a placement driver listens when the URL does not say.
const DEFAULT_PORT: u16 = 2379;
/// How long old versions are kept, when the URL does not say.
const DEFAULT_GC_INTERVAL: Duration = Duration::from_secs(3 * 3600);
/// Shortest time that old versions may be kept: long reads of other clients need them.
const MIN_GC_INTERVAL: Duration = Duration::from_secs(3600);
/// Between the prefix of a volume and its keys.
const PREFIX_END: u8 = 0xFD;
const URL_FORMS: &str =
    "Write tikv://host[:port][,host...][/prefix], for TLS with ?ca=FILE&cert=FILE&key=FILE.";

/// Options that other clients know and that change nothing here.
const WITHOUT_EFFECT: [&str; 2] = ["open-tso-follower-proxy", "max-tso-batch-wait-interval"];

/// Where the cluster is and which of its keys are the volume's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Placement drivers, as host and port.
    pub(super) drivers: Vec<String>,
    /// In front of every key.
    pub(super) prefix: Vec<u8>,
    pub(super) tls: Option<Tls>,
    /// How long old versions are kept; `None` leaves them to others.
    pub(super) gc_interval: Option<Duration>,
    /// Whether commits take two phases, as servers before 5.0 need it.
    pub(super) two_phases: bool,
    /// For messages.
    pub(super) shown: String,
}

impl Address {
    /// From a `tikv://` URL.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed one, `NotSupported` for an option that can not be followed.
    pub(super) fn parse(url: &str) -> Result<Address> {
        let refuse = |kind: ErrorKind, what: &str| {
            Error::new(kind, format!("{}: {what}", redact(url))).with_advice(URL_FORMS)
        };
        let wrong = |what: &str| refuse(ErrorKind::InvalidArgument, what);
        let (_, rest) = url.split_once("://").unwrap_or(("tikv", url));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, path) = place.split_once('/').unwrap_or((place, ""));
        let drivers: Option<Vec<String>> = hosts.split(',').map(driver).collect();
        let drivers = drivers.ok_or_else(|| wrong("its hosts can not be read"))?;
        let path = path.trim_start_matches('/');
        let name = crate::sql::unescaped(path).ok_or_else(|| wrong("its prefix is no text"))?;

        let (mut ca, mut certificate, mut key) = (None, None, None);
        let mut gc_interval = Some(DEFAULT_GC_INTERVAL);
        let mut two_phases = false;
        for (option, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let file = || (!value.is_empty()).then(|| PathBuf::from(value.as_ref()));
            match option.as_ref() {
                "ca" => ca = file(),
                "cert" => certificate = file(),
                "key" => key = file(),
                // A restriction that is not kept must not look as if it were.
                "verify-cn" if !value.is_empty() => {
                    return Err(refuse(
                        ErrorKind::NotSupported,
                        "this client checks the names of the servers, not their common names (verify-cn)",
                    ));
                }
                "verify-cn" | "" => {}
                "gc-interval" => {
                    let interval =
                        duration(&value).ok_or_else(|| wrong("gc-interval is no time span, as 3h"))?;
                    gc_interval = (!interval.is_zero()).then(|| interval.max(MIN_GC_INTERVAL));
                }
                "commit" => {
                    two_phases = match value.as_ref() {
                        "two-phase" => true,
                        "" | "one-phase" => false,
                        _ => return Err(wrong("commit is one-phase or two-phase")),
                    };
                }
                known if WITHOUT_EFFECT.contains(&known) => {}
                other => return Err(wrong(&format!("there is no option {other}"))),
            }
        }
        let tls = match (ca, certificate, key) {
            (None, None, None) => None,
            (Some(ca), Some(certificate), Some(key)) => Some(Tls { ca, certificate, key }),
            _ => return Err(wrong("TLS needs ca, cert and key together")),
        };
        let mut prefix = name.into_bytes();
        prefix.push(PREFIX_END);
        Ok(Address {
            shown: format!("tikv://{}/{path}", drivers.join(",")),
            drivers,
            prefix,
            tls,
            gc_interval,
            two_phases,
        })
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn driver(text: &str) -> Option<String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, behind) = rest.split_once(']')?;
            let port = match behind.strip_prefix(':') {
                None if !behind.is_empty() => return None,
                port => port,
            };
            (format!("[{inner}]"), port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        },
    };
    let port: u16 = match port {
        None | Some("") => DEFAULT_PORT,
        Some(port) => port.parse().ok()?,
    };
    let inner = host.trim_start_matches('[').trim_end_matches(']');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
    (!inner.is_empty() && inner.chars().all(plain)).then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address> {
        Address::parse(url)
    }

    #[test]
    fn a_url_names_placement_drivers_and_the_prefix_of_every_key() {
        for (url, drivers, prefix) in [
            ("tikv://pd1", &["pd1:2379"][..], &b"\xFD"[..]),
            ("tikv://pd1:1,pd2/", &["pd1:1", "pd2:2379"], b"\xFD"),
            ("tikv://[::1]:5,pd/a%20b/c", &["[::1]:5", "pd:2379"], b"a b/c\xFD"),
            ("tikv://pd//vol", &["pd:2379"], b"vol\xFD"),
        ] {
            let address = parse(url).unwrap();
            assert_eq!(address.drivers, drivers, "{url}");
            assert_eq!(address.prefix, prefix, "{url}");
            assert_eq!(parse(&address.shown).unwrap().prefix, prefix, "{url}");
        }
    }

    #[test]
    fn tls_is_used_with_all_three_files_and_never_half() {
        let address = parse("tikv://pd/v?ca=/c%2Fa&cert=/b&key=/k").unwrap();
        let tls = address.tls.unwrap();
        assert_eq!(tls.ca, PathBuf::from("/c/a"));
        assert_eq!((tls.certificate, tls.key), ("/b".into(), "/k".into()));
        for url in [
            "tikv://pd/v?ca=/a",
            "tikv://pd/v?ca=/a&cert=/b",
            "tikv://pd/v?key=/b",
        ] {
            assert_eq!(
                parse(url).unwrap_err().kind(),
                ErrorKind::InvalidArgument,
                "{url}"
            );
        }
        let restricted = parse("tikv://pd/v?verify-cn=tikv").unwrap_err();
        assert_eq!(restricted.kind(), ErrorKind::NotSupported);
    }

    #[test]
    fn old_versions_are_kept_for_an_hour_at_least_or_left_to_others() {
        for (query, seconds) in [
            ("", Some(10_800)),
            ("?gc-interval=1h30m", Some(5400)),
            ("?gc-interval=5m", Some(3600)),
            ("?gc-interval=0", None),
            ("?gc-interval=0s", None),
        ] {
            let found = parse(&format!("tikv://pd/v{query}")).unwrap().gc_interval;
            assert_eq!(found.map(|interval| interval.as_secs()), seconds, "{query}");
        }
    }

    #[test]
    fn a_malformed_url_is_refused() {
        for url in [
            "tikv://",
            "tikv:///v",
            "tikv://pd:port/v",
            "tikv://pd,,pd2/v",
            "tikv://me:pw@pd/v",
            "tikv://pd/v?what=1",
            "tikv://pd/v?gc-interval=soon",
            "tikv://pd/v?commit=none",
        ] {
            assert_eq!(
                parse(url).unwrap_err().kind(),
                ErrorKind::InvalidArgument,
                "{url}"
            );
        }
    }
}
