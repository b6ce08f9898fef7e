//! Metadata URLs of MySQL (spec 40-sql section 1).

use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result, redact};
use mysql_async::{Opts, OptsBuilder};
use url::form_urlencoded;

use super::tls::{Mode, TlsOptions};
use crate::duration::duration;
use crate::sql::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, CommonOptions, Limits, unescaped};

const DEFAULT_PORT: u16 = 3306;
const URL_FORM: &str =
    "Write mysql://user[:password]@(host:port)/database, or mysql://user@unix(/socket)/database.";
/// Settings of every connection. Values that do not fit are refused instead of cut off; a statement that waits for a
/// lock of a stopped client ends before the whole round trip is given up.
const SETTINGS: [&str; 2] = [
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = 20, autocommit = 1",
];

/// Where the server is and how to enter.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) options: Opts,
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
        // A password may hold any character, a path of a socket slashes.
        let (account, place) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, own) = account.split_once(':').unwrap_or((account, ""));
        let (server, database) = place
            .rsplit_once('/')
            .ok_or_else(|| wrong("it names no database"))?;
        let text = |part: &str| unescaped(part).ok_or_else(|| wrong("it holds bytes that are no text"));
        let (user, own, database) = (text(user)?, text(own)?, text(database)?);
        if database.is_empty() || database.contains('`') {
            return Err(wrong("it names no database"));
        }
        if user.is_empty() {
            return Err(wrong("it names no user"));
        }
        let mut common = CommonOptions::default();
        let mut tls = TlsOptions::default();
        let (mut connect, mut answer) = (CONNECT_TIMEOUT, ANSWER_TIMEOUT);
        // 0 is no limit there; here there always is one.
        let limit = |text: &str, default: Duration| match duration(text) {
            None => Err(wrong("a limit is a time such as 30s or 500ms")),
            Some(Duration::ZERO) => Ok(default),
            Some(limit) => Ok(limit),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("tls", value) => {
                    tls.mode = Mode::named(value)
                        .ok_or_else(|| wrong("tls is true, skip-verify, preferred or false"))?;
                }
                ("tls-ca-cert-file", file) => tls.authorities = Some(file.into()),
                ("tls-cert-file", file) => tls.certificate = Some(file.into()),
                ("tls-key-file", file) => tls.key = Some(file.into()),
                ("timeout", value) => connect = limit(value, CONNECT_TIMEOUT)?,
                ("readTimeout", value) => answer = limit(value, ANSWER_TIMEOUT)?,
                (name, value) if common.take(url, name, value)? => {}
                (name, _) => tracing::warn!("option {name} of the metadata URL has no effect"),
            }
        }
        let secret = Some(own).filter(|own| !own.is_empty());
        let secret = secret.or_else(|| password.map(str::to_owned));
        let mut options = OptsBuilder::default()
            .user(Some(&user))
            .pass(secret)
            .db_name(Some(&database))
            .prefer_socket(false)
            .stmt_cache_size(0)
            .setup(SETTINGS.to_vec());
        let mut shown = if let Some(socket) = inside(server, "unix") {
            options = options.socket(Some(socket));
            format!("mysql://{user}@unix({socket})/{database}")
        } else {
            let server = inside(server, "tcp")
                .or_else(|| inside(server, ""))
                .unwrap_or(server);
            let (host, port) = split_port(server);
            let host = if host.is_empty() { "localhost" } else { host };
            let port = match port {
                None => DEFAULT_PORT,
                Some(text) => text.parse().map_err(|_| wrong("the port is not a number"))?,
            };
            options = options.ip_or_hostname(host).tcp_port(port);
            if host.contains(':') {
                format!("mysql://{user}@([{host}]:{port})/{database}")
            } else {
                format!("mysql://{user}@({host}:{port})/{database}")
            }
        };
        if let Some(own) = common.own_prefix() {
            shown.push_str(&format!("?table_prefix={own}"));
        }
        Ok(Address {
            options: options.into(),
            prefix: common.prefix,
            limits: Limits {
                connections: common.connections,
                connect,
                answer,
            },
            tls,
            database,
            shown,
        })
    }
}

/// What stands in the brackets behind the name of a transport.
fn inside<'a>(server: &'a str, transport: &str) -> Option<&'a str> {
    server
        .strip_prefix(transport)?
        .strip_prefix('(')?
        .strip_suffix(')')
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
            ("mysql://me:secret@(host:3307)/v", "mysql://me@(host:3307)/v"),
            ("mysql://me:sec%72et@tcp(host)/v", "mysql://me@(host:3306)/v"),
            ("mysql://me:se(c@ret@host/v?tls=false", "mysql://me@(host:3306)/v"),
            ("mysql://me:secret@unix(/run/s)/v", "mysql://me@unix(/run/s)/v"),
            ("mysql://me:secret@([::1]:1)/v", "mysql://me@([::1]:1)/v"),
            (
                "mysql://me:secret@(host)/v?table_prefix=p&max_open_conns=3",
                "mysql://me@(host:3306)/v?table_prefix=p",
            ),
        ] {
            let address = Address::parse(url, None).unwrap();
            assert_eq!(address.shown, shown, "{url}");
            assert_eq!(
                Address::parse(&address.shown, None).unwrap().shown,
                shown,
                "{url}"
            );
        }
    }

    #[test]
    fn a_password_in_the_url_comes_before_the_one_of_the_environment() {
        let own = Address::parse("mysql://me:own@(host)/v", Some("other")).unwrap();
        assert_eq!(own.options.pass(), Some("own"));
        let other = Address::parse("mysql://me@(host)/v", Some("other")).unwrap();
        assert_eq!(other.options.pass(), Some("other"));
    }

    #[test]
    fn urls_that_can_not_be_meant_are_refused() {
        for url in [
            "mysql://me:secret@(host)",
            "mysql://me:secret@(host)/",
            "mysql://:secret@(host)/v",
            "mysql://me:secret@(host:x)/v",
            "mysql://me:secret@(host)/v?tls=maybe",
            "mysql://me:secret@(host)/v?readTimeout=long",
            "mysql://me:secret@(host)/v?table_prefix=a`b",
        ] {
            let text = Address::parse(url, None).err().map(|error| error.to_string());
            assert!(!text.unwrap().contains("secret"), "{url}");
        }
    }
}
