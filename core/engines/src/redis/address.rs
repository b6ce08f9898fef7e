//! Metadata URLs of Redis (spec 30-redis section 1).

use std::path::PathBuf;

use moorage_model::{Error, ErrorKind, Result, redact};
use redis::RedisConnectionInfo;

use super::options::{OptionError, Options};

const DEFAULT_PORT: u16 = 6379;
const DEFAULT_SENTINEL_PORT: u16 = 26_379;
const URL_FORMS: &str = "Write redis://[user[:password]@]host[:port][/db], rediss://... for TLS, \
    redis://[:password@]master,sentinel1,sentinel2:port[/db], redis://host1:port,host2:port[/db] for a cluster, \
    or unix:///path[?db=N].";

/// A host name or address and a port.
pub(super) type Host = (String, u16);

/// Which servers make the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// One server; it may turn out to be a node of a cluster.
    One(Host),
    /// One server on a socket of this computer.
    Socket(PathBuf),
    /// Whatever server the sentinels name as the master of this name.
    Sentinel(String, Vec<Host>),
    /// Some nodes of a cluster.
    Cluster(Vec<Host>),
}

/// Where the server is and how to enter.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) servers: Servers,
    /// Whether connections are encrypted.
    pub(super) tls: bool,
    /// Number of the database: on a cluster, the hash tag.
    pub(super) database: i64,
    /// Who enters a server.
    pub(super) login: Login,
    /// Who enters a sentinel.
    pub(super) sentinel_login: Login,
    pub(super) options: Options,
    /// For messages: without secrets.
    pub(super) shown: String,
}

/// A user and a password; each may be missing.
#[derive(Clone, Default)]
pub(super) struct Login {
    user: Option<String>,
    password: Option<String>,
}

impl Login {
    /// What the client library is told.
    pub(super) fn settings(&self, database: i64) -> RedisConnectionInfo {
        let mut settings = RedisConnectionInfo::default().set_db(database);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        settings
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

/// Passwords that stand in no URL.
#[derive(Clone, Copy, Default)]
pub(super) struct Passwords<'a> {
    /// Of the server, when the URL has none.
    pub(super) server: Option<&'a str>,
    /// Of the sentinels.
    pub(super) sentinel: Option<&'a str>,
}

impl Address {
    /// From a URL.
    ///
    /// # Errors
    /// `InvalidArgument` for a malformed one, `NotSupported` for an option that can not be followed; the text holds no
    /// password.
    pub(super) fn parse(url: &str, passwords: Passwords<'_>) -> Result<Address> {
        let refuse = |kind: ErrorKind, what: &str| {
            Error::new(kind, format!("{}: {what}", redact(url))).with_advice(URL_FORMS)
        };
        let wrong = |what: &str| refuse(ErrorKind::InvalidArgument, what);
        let (scheme, rest) = url.split_once("://").unwrap_or(("redis", url));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match place.find('/') {
            Some(slash) => place.split_at(slash),
            None => (place, ""),
        };
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (parse_login(login), hosts),
            None => (Login::default(), authority),
        };
        let options = Options::parse(query).map_err(|error| match error {
            OptionError::Invalid(what) => wrong(&what),
            OptionError::NotSupported(what) => refuse(ErrorKind::NotSupported, &what),
        })?;
        let unix = scheme.eq_ignore_ascii_case("unix");
        let tls = scheme.eq_ignore_ascii_case("rediss");
        if options.wants_tls() && !tls {
            return Err(wrong("options of TLS need a URL that begins with rediss://"));
        }
        let database = if unix || path.trim_matches('/').is_empty() {
            options.database.unwrap_or(0)
        } else {
            let number = path.trim_matches('/').parse().ok();
            number
                .filter(|number| *number >= 0)
                .ok_or_else(|| wrong("the database is not a number"))?
        };
        let servers = if unix {
            if !hosts.is_empty() || path.len() < 2 {
                return Err(wrong("the path of the socket has to be absolute"));
            }
            Servers::Socket(decoded(path).into())
        } else {
            parse_servers(hosts).ok_or_else(|| wrong("its hosts can not be read"))?
        };
        let shown = servers.shown(scheme, database);
        Ok(Address {
            servers,
            tls,
            database,
            login: Login {
                password: login.password.or_else(|| passwords.server.map(str::to_owned)),
                ..login
            },
            sentinel_login: Login {
                user: None,
                password: passwords.sentinel.map(str::to_owned),
            },
            options,
            shown,
        })
    }
}

fn parse_login(text: &str) -> Login {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let set = |text: &str| Some(decoded(text)).filter(|text| !text.is_empty());
    Login {
        user: set(user),
        password: set(password),
    }
}

/// The text without its percent signs.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let pair = behind
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        bytes.push(pair.unwrap_or(*first));
        rest = behind
            .get(if pair.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn parse_servers(hosts: &str) -> Option<Servers> {
    let Some((first, others)) = hosts.split_once(',') else {
        return Some(Servers::One(parse_host(hosts, DEFAULT_PORT)?));
    };
    if !others.contains(':') || first.contains(':') {
        let nodes: Option<Vec<Host>> = hosts
            .split(',')
            .map(|host| parse_host(host, DEFAULT_PORT))
            .collect();
        return nodes.map(Servers::Cluster);
    }
    let last = others.rsplit(',').next()?;
    let (_, port) = parse_host(last, DEFAULT_SENTINEL_PORT)?;
    let sentinels: Option<Vec<Host>> = others.split(',').map(|host| parse_host(host, port)).collect();
    (!first.is_empty()).then_some(Servers::Sentinel(decoded(first), sentinels?))
}

/// A host with an optional port; an IPv6 address stands in brackets. An empty one is this computer.
fn parse_host(text: &str, default_port: u16) -> Option<Host> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            match behind.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if behind.is_empty() => (host, None),
                None => return None,
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None | Some("") => default_port,
        Some(port) => port.parse().ok()?,
    };
    let plain = !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#@[]".contains(c));
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    plain.then(|| (host.to_owned(), port))
}

impl Servers {
    fn shown(&self, scheme: &str, database: i64) -> String {
        let join = |hosts: &[Host]| {
            let hosts: Vec<String> = hosts.iter().map(shown_host).collect();
            hosts.join(",")
        };
        match self {
            Servers::Socket(path) if database == 0 => format!("unix://{}", path.display()),
            Servers::Socket(path) => format!("unix://{}?db={database}", path.display()),
            Servers::One(host) => format!("{scheme}://{}/{database}", shown_host(host)),
            Servers::Sentinel(master, hosts) => format!("{scheme}://{master},{}/{database}", join(hosts)),
            Servers::Cluster(hosts) => format!("{scheme}://{}/{database}", join(hosts)),
        }
    }
}

/// A host as a URL has it.
pub(super) fn shown_host((host, port): &Host) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address> {
        Address::parse(url, Passwords::default())
    }

    fn host(name: &str, port: u16) -> Host {
        (name.to_owned(), port)
    }

    #[test]
    fn a_shown_address_leads_to_the_same_database_and_holds_no_password() {
        for (url, shown) in [
            ("redis://me:secret@host", "redis://host:6379/0"),
            ("redis://host:7000/3", "redis://host:7000/3"),
            ("rediss://:secret@[::1]:7000/3", "rediss://[::1]:7000/3"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            (
                "unix://:secret@/run/redis.sock?db=2",
                "unix:///run/redis.sock?db=2",
            ),
            ("redis://:secret@main,a,b:5000/1", "redis://main,a:5000,b:5000/1"),
            ("redis://me:secret@a:1,b:2", "redis://a:1,b:2/0"),
        ] {
            let address = parse(url).unwrap();
            assert_eq!(address.shown, shown, "{url}");
            assert_eq!(parse(&address.shown).unwrap().shown, shown, "{url}");
        }
    }

    #[test]
    fn a_list_of_hosts_is_a_cluster_or_a_master_with_sentinels() {
        for (list, servers) in [
            ("host", Servers::One(host("host", 6379))),
            ("", Servers::One(host("127.0.0.1", 6379))),
            ("a:1,b:2", Servers::Cluster(vec![host("a", 1), host("b", 2)])),
            ("a,b", Servers::Cluster(vec![host("a", 6379), host("b", 6379)])),
            (
                "main,a,b:5000",
                Servers::Sentinel("main".to_owned(), vec![host("a", 5000), host("b", 5000)]),
            ),
            (
                "main,a:1,b",
                Servers::Sentinel("main".to_owned(), vec![host("a", 1), host("b", 26_379)]),
            ),
        ] {
            assert_eq!(
                parse(&format!("redis://{list}")).unwrap().servers,
                servers,
                "{list}"
            );
        }
    }

    #[test]
    fn a_password_comes_from_the_url_or_else_from_outside() {
        let outside = Passwords {
            server: Some("outer"),
            sentinel: None,
        };
        for (url, user, password) in [
            ("redis://ann:p%40ss@host", Some("ann"), Some("p@ss")),
            ("redis://ann@host", Some("ann"), Some("outer")),
            ("redis://host", None, Some("outer")),
            ("unix://ann:inner@/run/s", Some("ann"), Some("inner")),
        ] {
            let login = Address::parse(url, outside).unwrap().login;
            assert_eq!((login.user(), login.password()), (user, password), "{url}");
        }
    }

    #[test]
    fn a_malformed_url_is_refused_without_its_password() {
        for url in [
            "redis://ann:hunter2@host:port",
            "redis://ann:hunter2@host/x",
            "redis://ann:hunter2@host?what=1",
            "redis://ann:hunter2@host?tls-ca-cert-file=/a",
            "unix://ann:hunter2@host/run/s",
            "unix://ann:hunter2@",
        ] {
            let Err(error) = parse(url) else {
                panic!("{url} is refused")
            };
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
