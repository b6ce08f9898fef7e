//! The server of an object store, and the way to it: name, port, certificate and clock, each asked by itself, so that a
//! person can be told which of them is wrong.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use moorage_model::{Error, ErrorKind, Result};
use tokio::net::{TcpStream, lookup_host};
use url::Url;

use super::probe::CHECK_NETWORK;

/// The port of SFTP (RFC 4251).
const SSH_PORT: u16 = 22;
/// Longest one of a server's addresses may take to answer before the next is tried.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Variables by which requests go through a proxy, which knows other names and ways than this machine.
const PROXIES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// The address of a server: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    host: String,
    port: u16,
}

/// What a server says before anybody shows it a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The clock of the server, to the second.
    pub date: Option<SystemTime>,
}

impl Endpoint {
    /// Reads an address like `https://HOST[:PORT]`; nothing else of it is kept.
    pub fn parse(address: &str) -> Option<Endpoint> {
        let mut url = Url::parse(address).ok()?;
        let host = url.host_str()?.to_owned();
        let port = match url.scheme() {
            "ssh" => url.port().unwrap_or(SSH_PORT),
            _ => url.port_or_known_default()?,
        };
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        Some(Endpoint { url, host, port })
    }

    /// Host without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it speaks HTTP, with or without encryption.
    pub fn is_http(&self) -> bool {
        matches!(self.url.scheme(), "http" | "https")
    }

    /// Whether it shows a certificate.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether requests go to it through a proxy of the environment.
    pub fn is_behind_proxy(&self) -> bool {
        self.is_http()
            && PROXIES
                .iter()
                .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    }

    /// The addresses that the host's name stands for.
    ///
    /// # Errors
    /// `NotFound` when it stands for none.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>> {
        let unknown = || {
            Error::new(
                ErrorKind::NotFound,
                format!("the host {} is not found", self.host),
            )
            .with_advice(
                "Check how the address of the bucket is written, and the DNS server of this computer.",
            )
        };
        // An IPv6 address stands in brackets in a URL, and without them here.
        let host = self.host.trim_matches(['[', ']']);
        let found: Vec<SocketAddr> = lookup_host((host, self.port))
            .await
            .map_err(|error| unknown().with_source(error))?
            .collect();
        if found.is_empty() {
            Err(unknown())
        } else {
            Ok(found)
        }
    }

    /// Connects to the first address that answers, and closes that connection.
    ///
    /// # Errors
    /// `Unavailable` with what the last one said; `Timeout` when that gave no answer within 5 s.
    pub async fn connect(&self, addresses: &[SocketAddr]) -> Result<()> {
        let away = |kind, what: &str| {
            Error::new(kind, format!("{} at port {} {what}", self.host, self.port)).with_advice(CHECK_NETWORK)
        };
        let mut last = away(ErrorKind::Unavailable, "has no address");
        for address in addresses {
            last = match tokio::time::timeout(CONNECT_DEADLINE, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => away(ErrorKind::Unavailable, "takes no connection").with_source(error),
                Err(_) => away(ErrorKind::Timeout, "gave no answer"),
            };
        }
        Err(last)
    }

    /// Asks an HTTP server for its head, without a key: whatever it answers shows that its certificate is good.
    ///
    /// # Errors
    /// `Unavailable` with the cause: that of the certificate among them.
    pub async fn greet(&self) -> Result<Greeting> {
        let failed = |error: reqwest::Error| {
            // The library repeats the address in each layer; the lowest one says what is wrong.
            let cause = lowest(&error);
            let what = if self.is_tls() {
                format!("no encrypted connection to {} can be made", self.host)
            } else {
                format!("{} does not answer as a web server does", self.host)
            };
            Error::new(ErrorKind::Unavailable, what)
                .with_source(std::io::Error::other(cause))
                .with_advice(
                    "Check that the address begins with the right one of http and https, that the certificate is meant \
                     for this host, and that this computer trusts who signed it.",
                )
        };
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(failed)?;
        let answer = client.head(self.url.clone()).send().await.map_err(failed)?;
        let date = answer.headers().get(reqwest::header::DATE);
        let date = date
            .and_then(|date| date.to_str().ok())
            .and_then(|date| httpdate::parse_http_date(date).ok());
        Ok(Greeting { date })
    }
}

fn lowest(error: &dyn StdError) -> String {
    let mut lowest = error;
    while let Some(next) = lowest.source() {
        lowest = next;
    }
    lowest.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn endpoint(address: &str) -> Endpoint {
        Endpoint::parse(address).expect("an address")
    }

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        for (address, host, port, tls) in [
            (
                "https://s3.eu-west-1.amazonaws.com",
                "s3.eu-west-1.amazonaws.com",
                443,
                true,
            ),
            ("http://127.0.0.1:9000/photos?region=x", "127.0.0.1", 9000, false),
            ("ssh://nas", "nas", SSH_PORT, false),
            ("https://[::1]:9000", "[::1]", 9000, true),
        ] {
            let endpoint = endpoint(address);
            assert_eq!(
                (endpoint.host(), endpoint.port(), endpoint.is_tls()),
                (host, port, tls)
            );
            assert!(!endpoint.url.as_str().contains("photos"), "{}", endpoint.url);
        }
        assert_eq!(Endpoint::parse("photos"), None);
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_not_found() {
        let error = endpoint("https://store.invalid")
            .resolve()
            .await
            .expect_err("no such host");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("store.invalid"), "{error}");
    }

    #[tokio::test]
    async fn a_closed_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let endpoint = endpoint(&format!("http://127.0.0.1:{port}"));
        let addresses = endpoint.resolve().await.expect("an address");
        let error = endpoint.connect(&addresses).await.expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }

    /// Answers one request with `answer`.
    async fn server(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        port
    }

    #[tokio::test]
    async fn a_server_tells_its_clock_even_when_it_refuses() {
        let port = server(
            "HTTP/1.1 403 Forbidden\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
        let greeting = endpoint(&format!("http://127.0.0.1:{port}"))
            .greet()
            .await
            .expect("an answer");
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(greeting.date, Some(expected));
    }

    #[tokio::test]
    async fn a_server_without_encryption_is_no_answer_to_https() {
        let port = server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        let endpoint = endpoint(&format!("https://127.0.0.1:{port}"));
        let error = endpoint.greet().await.expect_err("no TLS");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            error.advice().is_some_and(|advice| advice.contains("https")),
            "{error}"
        );
    }
}
