//! Metadata URLs of PostgreSQL (spec 40-sql section 1).

use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result, redact};
use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;
use url::form_urlencoded;

use super::tls::{Mode, TlsOptions};
use crate::sql::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, CommonOptions, Limits, unescaped};

const DEFAULT_PORT: u16 = 5432;
const URL_FORM: &str =
    "Write postgres://[user[:password]@]host[:port]/database[?sslmode=verify-full&search_path=SCHEMA].";

/// Where the server is and how to enter.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    /// Schema of the tables, where the URL names one.
    pub(super) schema: Option<String>,
    pub(super) prefix: String,
    pub(super) limits: Limits,
    pub(super) tls: TlsOptions,
    pub(super) database: String,
    /// For messages: without secrets.
    pub(super) shown: String,
}

impl Address {
    /// From a URL; `password` takes the place of none in it.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed one; the text holds no password.
    pub(super) fn parse(url: &str, password: Option<&str>) -> Result<Address> {
        let wrong = |what: &str| {
            Error::new(ErrorKind::InvalidArgument, format!("{}: {what}", redact(url))).with_advice(URL_FORM)
        };
        let (_, rest) = url.split_once("://").ok_or_else(|| wrong("it can not be read"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A password may hold any character.
        let (account, place) = place.rsplit_once('@').unwrap_or(("", place));
        let (account, own) = account.split_once(':').unwrap_or((account, ""));
        let (server, path) = place.split_once('/').unwrap_or((place, ""));
        let text = |part: &str| unescaped(part).ok_or_else(|| wrong("it holds bytes that are no text"));
        let mut common = CommonOptions::default();
        let mut config = Config::new();
        let mut tls = TlsOptions::default();
        let mut connect = CONNECT_TIMEOUT;
        config.application_name("moorage");
        let (name, number) = split_port(server);
        let mut host = text(name)?;
        let port_of = |text: &str| text.parse().map_err(|_| wrong("the port is not a number"));
        let mut port = number.map_or(Ok(DEFAULT_PORT), port_of)?;
        let mut user = text(account)?;
        let mut secret = text(own)?;
        let mut database = text(path)?;
        let mut schema = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "host" => host = value,
                "port" => port = port_of(&value)?,
                "user" => user = value,
                "password" => secret = value,
                "dbname" => database = value,
                "sslmode" => tls.mode = Mode::named(&value).ok_or_else(|| wrong("sslmode is not known"))?,
                // The authorities of this computer.
                "sslrootcert" if value == "system" => {}
                "sslrootcert" => tls.authorities = Some(value.into()),
                "sslcert" => tls.certificate = Some(value.into()),
                "sslkey" => tls.key = Some(value.into()),
                "search_path" if value.contains(',') => {
                    return Err(wrong("search_path names more than one schema"));
                }
                "search_path" => schema = Some(value.trim_matches('"').to_owned()).filter(|s| !s.is_empty()),
                "application_name" => {
                    config.application_name(value);
                }
                "connect_timeout" => {
                    let seconds = value
                        .parse()
                        .map_err(|_| wrong("connect_timeout is not a number of seconds"))?;
                    // 0 is no limit there; here there always is one.
                    connect = Some(Duration::from_secs(seconds))
                        .filter(|limit| !limit.is_zero())
                        .unwrap_or(CONNECT_TIMEOUT);
                }
                "target_session_attrs" => {
                    config.target_session_attrs(match value.as_str() {
                        "any" => TargetSessionAttrs::Any,
                        "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
                        "read-only" | "standby" => TargetSessionAttrs::ReadOnly,
                        _ => return Err(wrong("target_session_attrs is any, read-write or read-only")),
                    });
                }
                name if common.take(url, name, &value)? => {}
                name => tracing::warn!("option {name} of the metadata URL has no effect"),
            }
        }
        if schema
            .as_deref()
            .is_some_and(|name| name.contains('"') || name.contains('\0'))
        {
            return Err(wrong("search_path is no name of a schema"));
        }
        if user.is_empty() {
            user = std::env::var("PGUSER")
                .or_else(|_| std::env::var("USER"))
                .unwrap_or_else(|_| "postgres".to_owned());
        }
        if database.is_empty() {
            database.clone_from(&user);
        }
        if host.is_empty() {
            host = "localhost".to_owned();
        }
        if host.starts_with('/') {
            // Sockets do not leave this computer.
            tls.mode = Mode::Disable;
        }
        config.host(&host).port(port).user(&user).dbname(&database);
        if secret.is_empty() {
            secret = password
                .map(str::to_owned)
                .or_else(|| std::env::var("PGPASSWORD").ok())
                .unwrap_or_default();
        }
        if !secret.is_empty() {
            config.password(secret);
        }
        let mut shown = if host.starts_with('/') {
            format!("postgres://{user}@/{database}?host={host}")
        } else if host.contains(':') {
            format!("postgres://{user}@[{host}]:{port}/{database}")
        } else {
            format!("postgres://{user}@{host}:{port}/{database}")
        };
        let mut option = |text: String| {
            shown.push(if shown.contains('?') { '&' } else { '?' });
            shown.push_str(&text);
        };
        if host.starts_with('/') && port != DEFAULT_PORT {
            option(format!("port={port}"));
        }
        if let Some(schema) = &schema {
            option(format!("search_path={schema}"));
        }
        if let Some(own) = common.own_prefix() {
            option(format!("table_prefix={own}"));
        }
        Ok(Address {
            config,
            schema,
            prefix: common.prefix,
            limits: Limits {
                connections: common.connections,
                connect,
                answer: ANSWER_TIMEOUT,
            },
            tls,
            database,
            shown,
        })
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn split_port(server: &str) -> (&str, Option<&str>) {
    if let Some((host, port)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, port.strip_prefix(':'));
    }
    match server.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (server, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_address_leads_to_the_same_tables_and_holds_no_password() {
        for (url, shown) in [
            ("postgres://me:secret@host/v", "postgres://me@host:5432/v"),
            (
                "postgresql://me:sec%72et@[::1]:7000/v?sslmode=disable",
                "postgres://me@[::1]:7000/v",
            ),
            (
                "postgres://me@/v?host=/run/pg&password=secret",
                "postgres://me@/v?host=/run/pg",
            ),
            (
                "postgres://me:secret@host/v?search_path=s&table_prefix=p",
                "postgres://me@host:5432/v?search_path=s&table_prefix=p",
            ),
        ] {
            let address = Address::parse(url, None).unwrap();
            assert_eq!(address.shown, shown, "{url}");
            assert_eq!(
                Address::parse(&address.shown, None).unwrap().shown,
                shown,
                "{url}"
            );
            assert!(!format!("{:?}", address.config).contains("secret"), "{url}");
        }
    }

    #[test]
    fn a_password_in_the_url_comes_before_the_one_of_the_environment() {
        let own = Address::parse("postgres://me:own@host/v", Some("other")).unwrap();
        assert_eq!(own.config.get_password(), Some(&b"own"[..]));
        let other = Address::parse("postgres://me@host/v", Some("other")).unwrap();
        assert_eq!(other.config.get_password(), Some(&b"other"[..]));
    }

    #[test]
    fn options_that_can_not_be_meant_are_refused() {
        for query in [
            "search_path=a,b",
            "sslmode=maybe",
            "target_session_attrs=one",
            "table_prefix=a-b",
            "max_open_conns=many",
        ] {
            let refused = Address::parse(&format!("postgres://me:secret@host/v?{query}"), None);
            let error = refused.err().map(|error| (error.kind(), error.to_string()));
            let (kind, text) = error.unwrap();
            assert_eq!(kind, ErrorKind::InvalidArgument, "{query}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
