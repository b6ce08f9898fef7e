//! Encrypted connections: which words open which server, and what a refusal says.

use moorage_engines::open;
use moorage_model::{ErrorKind, Result};

use crate::certificates;
use crate::{mysql_server, postgres_server};

/// Certificates for `localhost` that the server's user can read; `None` where openssl is not installed.
fn folder() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    certificates::make(folder.path(), "DNS:localhost")?;
    if rustix::process::geteuid().is_root() {
        let nobody = Some(rustix::fs::Uid::from_raw(65534));
        rustix::fs::chown(folder.path(), nobody, None).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            rustix::fs::chown(entry.unwrap().path(), nobody, None).unwrap();
        }
    }
    Some(folder)
}

/// Reads something through the URL.
async fn try_url(url: &str) -> Result<()> {
    open(url, None)?.is_empty().await.map(drop)
}

async fn assert_refused(url: &str, kind: ErrorKind, advice: &str) {
    let error = try_url(url).await.unwrap_err();
    let text = format!("{error:?} {:?}", error.advice());
    assert_eq!(error.kind(), kind, "{url}: {text}");
    assert!(text.contains(advice), "{url}: {text}");
    assert!(!text.contains(postgres_server::PASSWORD), "{text}");
}

struct Postgres {
    server: postgres_server::Server,
    folder: tempfile::TempDir,
    database: String,
}

impl Postgres {
    fn start() -> Option<Postgres> {
        let folder = folder()?;
        let file = |name: &str, file: &str| format!("{name}={}", folder.path().join(file).display());
        let server = postgres_server::Server::start(&[
            "-c",
            "ssl=on",
            "-c",
            &file("ssl_cert_file", "server.pem"),
            "-c",
            &file("ssl_key_file", "server.key"),
            "-c",
            &file("ssl_ca_file", "ca.pem"),
        ])?;
        let database = server.new_database();
        open(&server.url(&database), None).unwrap();
        Some(Postgres {
            server,
            folder,
            database,
        })
    }

    fn url(&self, host: &str, options: &str) -> String {
        let url = self.server.url_through(self.server.port(), &self.database);
        url_with(&url, host, options, &self.folder)
    }

    async fn opens(&self, host: &str, options: &str, encrypted: bool) {
        let url = self.url(host, options);
        let engine = open(&url, None).unwrap();
        engine
            .prepare()
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        let ours = "SELECT bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE application_name LIKE 'moorage %'";
        let answer = self.server.ask(&self.database, ours);
        assert_eq!(
            answer.as_deref(),
            Some(if encrypted { "t" } else { "f" }),
            "{url}"
        );
        engine.close().await.unwrap();
        self.server.break_connections();
    }
}

#[tokio::test]
async fn each_sslmode_of_postgres_encrypts_and_looks_as_closely_as_it_says() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    for (host, options, encrypted) in [
        ("127.0.0.1", "sslmode=disable", false),
        ("127.0.0.1", "sslmode=allow", false),
        ("127.0.0.1", "", true),
        ("127.0.0.1", "sslmode=prefer", true),
        ("127.0.0.1", "sslmode=require", true),
        ("127.0.0.1", "sslmode=require&sslrootcert=DIR/ca.pem", true),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/ca.pem", true),
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/ca.pem", true),
    ] {
        postgres.opens(host, options, encrypted).await;
    }
    for (host, options) in [
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=DIR/ca.pem"),
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/other.pem"),
        ("localhost", "sslmode=verify-ca&sslrootcert=DIR/other.pem"),
        ("localhost", "sslmode=require&sslrootcert=DIR/other.pem"),
        ("localhost", "sslmode=verify-full"),
    ] {
        let url = postgres.url(host, options);
        assert_refused(&url, ErrorKind::Unauthenticated, "sslrootcert").await;
    }
    let missing = postgres.url("localhost", "sslmode=verify-ca&sslrootcert=DIR/none.pem");
    assert_refused(&missing, ErrorKind::NotFound, "none.pem").await;
    let empty = postgres.url("localhost", "sslmode=verify-ca&sslrootcert=DIR/ca.key");
    assert_refused(&empty, ErrorKind::InvalidArgument, "ca.key").await;
}

#[tokio::test]
async fn a_postgres_that_wants_encryption_or_a_certificate_of_the_client_says_so() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    postgres
        .server
        .admit("hostssl all all 127.0.0.1/32 scram-sha-256");
    let plain = postgres.url("127.0.0.1", "sslmode=disable");
    assert_refused(&plain, ErrorKind::Unauthenticated, "sslmode").await;
    postgres.opens("127.0.0.1", "sslmode=allow", true).await;
    postgres
        .server
        .admit("hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca");
    let without = postgres.url("127.0.0.1", "sslmode=require");
    assert_refused(&without, ErrorKind::Unauthenticated, "certificate").await;
    let own = "sslmode=require&sslcert=DIR/client.pem&sslkey=DIR/client.key";
    postgres.opens("127.0.0.1", own, true).await;
    let half = postgres.url("127.0.0.1", "sslmode=require&sslcert=DIR/client.pem");
    assert_refused(&half, ErrorKind::InvalidArgument, "sslkey").await;
    let strange = "sslmode=require&sslcert=DIR/client.pem&sslkey=DIR/other.key";
    let strange = postgres.url("127.0.0.1", strange);
    assert_refused(&strange, ErrorKind::InvalidArgument, "no pair").await;
}

#[tokio::test]
async fn a_postgres_without_encryption_is_used_only_where_the_url_allows_it() {
    let Some(server) = postgres_server::Server::shared() else {
        return;
    };
    let url = server.url_through(server.port(), &server.new_database());
    for mode in ["disable", "allow", "prefer"] {
        try_url(&format!("{url}?sslmode={mode}")).await.unwrap();
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("{url}?sslmode={mode}");
        assert_refused(&url, ErrorKind::Unauthenticated, "does not encrypt").await;
    }
}

/// A URL with another host and these options, in which `DIR` is the folder of the certificates.
fn url_with(url: &str, host: &str, options: &str, folder: &tempfile::TempDir) -> String {
    let options = options.replace("DIR", &folder.path().display().to_string());
    format!("{}?{options}", url.replace("127.0.0.1", host))
}

struct MySql {
    server: mysql_server::Server,
    folder: tempfile::TempDir,
    database: String,
}

impl MySql {
    fn start(more: &[&str]) -> Option<MySql> {
        let folder = folder()?;
        let file = |name: &str, file: &str| format!("--{name}={}", folder.path().join(file).display());
        let own = [
            file("ssl-cert", "server.pem"),
            file("ssl-key", "server.key"),
            file("ssl-ca", "ca.pem"),
        ];
        let arguments: Vec<&str> = own
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        let server = mysql_server::Server::start(&arguments)?;
        let database = server.new_database();
        Some(MySql {
            server,
            folder,
            database,
        })
    }

    fn url(&self, host: &str, options: &str) -> String {
        let url = self.server.url_through(self.server.port(), &self.database);
        url_with(&url, host, options, &self.folder)
    }

    /// Encrypted connections so far.
    fn encrypted(&self) -> u64 {
        let status = "SELECT variable_value FROM information_schema.global_status \
                      WHERE variable_name = 'SSL_FINISHED_ACCEPTS'";
        self.server.ask(&self.database, status).unwrap().parse().unwrap()
    }

    async fn opens(&self, host: &str, options: &str, encrypted: bool) {
        let (url, before) = (self.url(host, options), self.encrypted());
        try_url(&url)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        assert_eq!(self.encrypted() > before, encrypted, "{url}");
    }
}

#[tokio::test]
async fn each_word_for_tls_of_mysql_encrypts_and_looks_as_closely_as_it_says() {
    let Some(mysql) = MySql::start(&[]) else { return };
    for (host, options, encrypted) in [
        ("127.0.0.1", "", false),
        ("127.0.0.1", "tls=false", false),
        ("127.0.0.1", "tls=preferred", true),
        ("127.0.0.1", "tls=skip-verify", true),
        ("localhost", "tls=true&tls-ca-cert-file=DIR/ca.pem", true),
    ] {
        mysql.opens(host, options, encrypted).await;
    }
    for (host, options) in [
        ("127.0.0.1", "tls=true&tls-ca-cert-file=DIR/ca.pem"),
        ("localhost", "tls=true&tls-ca-cert-file=DIR/other.pem"),
        ("localhost", "tls=true"),
    ] {
        let url = mysql.url(host, options);
        assert_refused(&url, ErrorKind::Unauthenticated, "tls-ca-cert-file").await;
    }
    let missing = mysql.url("localhost", "tls=true&tls-ca-cert-file=DIR/none.pem");
    assert_refused(&missing, ErrorKind::NotFound, "none.pem").await;
    let half = mysql.url("localhost", "tls=skip-verify&tls-cert-file=DIR/client.pem");
    assert_refused(&half, ErrorKind::InvalidArgument, "tls-key-file").await;
}

#[tokio::test]
async fn a_mysql_that_wants_encryption_or_a_certificate_of_the_client_says_so() {
    let Some(mysql) = MySql::start(&["--require-secure-transport=ON"]) else {
        return;
    };
    let plain = mysql.url("127.0.0.1", "tls=false");
    assert_refused(&plain, ErrorKind::Unauthenticated, "tls").await;
    mysql.opens("127.0.0.1", "tls=preferred", true).await;
    mysql
        .server
        .ask("mysql", "ALTER USER tester@localhost REQUIRE X509")
        .unwrap();
    let without = mysql.url("127.0.0.1", "tls=skip-verify");
    assert_refused(&without, ErrorKind::Unauthenticated, "tls").await;
    let own = "tls=skip-verify&tls-cert-file=DIR/client.pem&tls-key-file=DIR/client.key";
    mysql.opens("127.0.0.1", own, true).await;
}

#[tokio::test]
async fn a_mysql_without_encryption_is_used_only_where_the_url_allows_it() {
    let Some(server) = mysql_server::Server::shared() else {
        return;
    };
    let url = server.url_through(server.port(), &server.new_database());
    for mode in ["false", "preferred"] {
        try_url(&format!("{url}?tls={mode}")).await.unwrap();
    }
    for mode in ["true", "skip-verify"] {
        let url = format!("{url}?tls={mode}");
        assert_refused(&url, ErrorKind::Unauthenticated, "does not encrypt").await;
    }
}
