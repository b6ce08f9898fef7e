//! Metadata URLs of Redis (spec 30-redis section 1).

use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result, redact};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use url::Url;

const DEFAULT_PORT: u16 = 6379;
/// As JuiceFS waits for an answer.
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);
const URL_FORMS: &str = "Write redis://[user[:password]@]host[:port][/db] or unix:///path[?db=N].";

/// Where the server is and how to enter.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) info: ConnectionInfo,
    pub(super) read_timeout: Duration,
    /// For messages: without secrets.
    pub(super) shown: String,
}

impl Address {
    /// From a URL; `password` takes the place of none in it.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed one, `NotSupported` for TLS, Sentinel and lists of hosts; the text holds no
    /// password.
    pub(super) fn parse(url: &str, password: Option<&str>) -> Result<Address> {
        let wrong = |what: &str| {
            Error::new(ErrorKind::InvalidArgument, format!("{}: {what}", redact(url))).with_advice(URL_FORMS)
        };
        let missing = |what: &str| {
            Error::new(
                ErrorKind::NotSupported,
                format!("{}: {what} is not built yet", redact(url)),
            )
            .with_advice(URL_FORMS)
        };
        if url.starts_with("rediss:") {
            return Err(missing("TLS to Redis"));
        }
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        if hosts.contains(',') {
            return Err(missing("a list of Redis servers (Sentinel, Cluster)"));
        }
        let parsed = Url::parse(url).map_err(|_| wrong("it can not be read"))?;
        let decode = |text: &str| {
            let pairs = format!("x={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(pairs.as_bytes())
                .next()
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let option = |name: &str| {
            parsed
                .query_pairs()
                .find(|(key, _)| key.replace('_', "-") == name)
                .map(|(_, value)| value.into_owned())
        };
        let unix = parsed.scheme() == "unix";
        let database = if unix {
            option("db").unwrap_or_default()
        } else {
            parsed.path().trim_matches('/').to_owned()
        };
        let database: i64 = if database.is_empty() {
            0
        } else {
            database
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or_else(|| wrong("the database is not a number"))?
        };
        let (address, place) = if unix {
            let path = decode(parsed.path());
            let place = match database {
                0 => path.clone(),
                _ => format!("{path}?db={database}"),
            };
            (ConnectionAddr::Unix(path.into()), place)
        } else {
            let host = parsed
                .host_str()
                .filter(|host| !host.is_empty())
                .unwrap_or("127.0.0.1");
            let host = host.trim_matches(['[', ']']).to_owned();
            let port = parsed.port().unwrap_or(DEFAULT_PORT);
            (
                ConnectionAddr::Tcp(host.clone(), port),
                format!("{host}:{port}/{database}"),
            )
        };
        let mut settings = RedisConnectionInfo::default().set_db(database);
        let user = decode(parsed.username());
        if !user.is_empty() {
            settings = settings.set_username(user);
        }
        let own = parsed.password().map(decode).filter(|own| !own.is_empty());
        if let Some(password) = own.or_else(|| password.map(str::to_owned)) {
            settings = settings.set_password(password);
        }
        let info = address
            .into_connection_info()
            .map_err(|error| wrong("it can not be read").with_source(error))?
            .set_redis_settings(settings);
        let read_timeout = match option("read-timeout") {
            None => DEFAULT_READ_TIMEOUT,
            Some(text) => duration(&text).ok_or_else(|| wrong("read-timeout is no time like 30s"))?,
        };
        Ok(Address {
            info,
            read_timeout,
            shown: format!("{}://{place}", parsed.scheme()),
        })
    }
}

/// A time as the original writes them: a number with ms, s or m.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_address_leads_to_the_same_database_and_holds_no_password() {
        for (url, shown) in [
            ("redis://me:secret@host", "redis://host:6379/0"),
            ("redis://host:7000/3", "redis://host:7000/3"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ] {
            assert_eq!(Address::parse(url, None).unwrap().shown, shown, "{url}");
        }
    }
}
