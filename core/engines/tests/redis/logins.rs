//! Passwords, users and TLS: what opens a server, and what a refusal says.

use moorage_engines::open;
use moorage_meta::{Engine, Key, run};
use moorage_model::{Counter, ErrorKind, Result};

use crate::certificates;
use crate::servers::{Node, free_port};

/// Changes something through the URL.
async fn try_url(url: &str, password: Option<&str>) -> Result<()> {
    count(open(url, password)?.as_ref()).await
}

async fn count(engine: &dyn Engine) -> Result<()> {
    run(engine, "count", |txn| {
        Box::pin(async move {
            txn.lock(&[Key::Counter(Counter::UsedSpace)]).await?;
            txn.add_counter(Counter::UsedSpace, 1);
            Ok(())
        })
    })
    .await
}

/// That the URL is refused so, in words that hold no password.
async fn assert_refused(url: &str, kind: ErrorKind) -> String {
    let error = try_url(url, None).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert_eq!(error.kind(), kind, "{text}");
    assert!(!text.contains("wr0ng") && !text.contains("s3cret"), "{text}");
    text
}

#[tokio::test]
async fn users_and_passwords_open_a_server() {
    let arguments = [
        "--requirepass",
        "s3cret",
        "--user",
        "ann",
        "on",
        ">s3cret",
        "~*",
        "&*",
        "+@all",
    ];
    let Some(node) = Node::start(&arguments).await else {
        return;
    };
    let at = format!("127.0.0.1:{}", node.port);
    for url in [
        format!("redis://:s3cret@{at}"),
        format!("redis://ann:s3cret@{at}/2"),
        format!("redis://ann:%733cret@{at}"),
    ] {
        try_url(&url, None).await.unwrap();
    }
    try_url(&format!("redis://{at}"), Some("s3cret")).await.unwrap();
    for url in [
        format!("redis://{at}"),
        format!("redis://{at}/2"),
        format!("redis://:wr0ng@{at}"),
        format!("redis://ann:wr0ng@{at}"),
        format!("redis://bob:s3cret@{at}"),
    ] {
        let text = assert_refused(&url, ErrorKind::Unauthenticated).await;
        assert!(text.contains("META_PASSWORD"), "{text}");
    }
}

#[tokio::test]
async fn a_password_that_was_changed_is_called_wrong_until_it_is_right_again() {
    let Some(node) = Node::start(&["--requirepass", "s3cret"]).await else {
        return;
    };
    // The choice of a database is refused in other words than a request.
    for database in [0, 2] {
        let url = format!("redis://:s3cret@127.0.0.1:{}/{database}", node.port);
        let engine = open(&url, None).unwrap();
        count(engine.as_ref()).await.unwrap();
        let mut other = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut tell = |words: &[&str]| {
            let mut command = redis::Cmd::new();
            command.arg(words).exec(&mut other).unwrap();
        };
        tell(&["CONFIG", "SET", "requirepass", "other"]);
        tell(&["CLIENT", "KILL", "TYPE", "normal"]);
        for _ in 0..2 {
            let error = count(engine.as_ref()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        }
        tell(&["CONFIG", "SET", "requirepass", "s3cret"]);
        count(engine.as_ref()).await.unwrap();
    }
}

#[tokio::test]
async fn a_password_opens_a_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s").display().to_string();
    let Some(_node) = Node::start(&["--requirepass", "s3cret", "--unixsocket", &socket]).await else {
        return;
    };
    try_url(&format!("unix://:s3cret@{socket}?db=1"), None)
        .await
        .unwrap();
    assert_refused(&format!("unix://:wr0ng@{socket}"), ErrorKind::Unauthenticated).await;
}

/// A server that speaks TLS only and wants certificates of its clients, with its folder of certificates: `ca.pem` signed
/// those of the server and of the client; `other.pem` nothing.
async fn encrypted(arguments: &[&str]) -> Option<Node> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    certificates::make(path, "DNS:localhost,IP:127.0.0.1")?;
    let port = free_port();
    let (text, file) = (port.to_string(), |name: &str| {
        path.join(name).display().to_string()
    });
    let (certificate, key, authority) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let directory = path.display().to_string();
    let mut all = vec![
        "--port",
        "0",
        "--tls-port",
        &text,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--save",
        "",
        "--dir",
        &directory,
    ];
    all.extend(arguments);
    Node::start_with(folder, &all, port).await
}

#[tokio::test]
async fn tls_opens_a_server_that_its_authority_vouches_for() {
    let Some(node) = encrypted(&["--requirepass", "s3cret"]).await else {
        return;
    };
    let folder = node.folder.path().display();
    let at = format!(":s3cret@127.0.0.1:{}", node.port);
    let client = format!("tls-cert-file={folder}/client.pem&tls-key-file={folder}/client.key");
    let authority = format!("tls-ca-cert-file={folder}/ca.pem");
    for url in [
        format!("rediss://{at}/1?{authority}&{client}"),
        format!("rediss://:s3cret@localhost:{}?{authority}&{client}", node.port),
        format!("rediss://{at}?insecure-skip-verify=true&{client}"),
    ] {
        try_url(&url, None).await.unwrap();
    }
    let text = assert_refused(
        &format!("rediss://{at}?tls-ca-cert-file={folder}/other.pem&{client}"),
        ErrorKind::Unauthenticated,
    )
    .await;
    assert!(text.contains("tls-ca-cert-file"), "{text}");
    let missing = format!("rediss://{at}?tls-ca-cert-file={folder}/none.pem");
    let text = assert_refused(&missing, ErrorKind::NotFound).await;
    assert!(text.contains("none.pem"), "{text}");
    let text = assert_refused(&format!("rediss://{at}?{authority}"), ErrorKind::Unavailable).await;
    assert!(text.contains("tls-cert-file"), "{text}");
    let text = assert_refused(&format!("redis://{at}"), ErrorKind::Unavailable).await;
    assert!(text.contains("rediss://"), "{text}");
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_refused_with_the_reason() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let url = format!(
        "rediss://:wr0ng@127.0.0.1:{}?insecure-skip-verify&dial-timeout=1s",
        node.port
    );
    let text = assert_refused(&url, ErrorKind::Timeout).await;
    assert!(text.contains("TLS"), "{text}");
}
