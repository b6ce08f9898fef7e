//! Clusters that want TLS: the three files open them, and a refusal says what is wrong.

use std::path::Path;

use moorage_engines::open;
use moorage_meta::{Key, Record};
use moorage_model::{ErrorKind, Ino, Result};

use crate::certificates;
use crate::conformance::samples::file;
use crate::conformance::{read, write};
use crate::front::{Front, HOST};
use crate::tikv_server::Server;

/// A server, its doors with TLS, and the folder of certificates; `None` where something for it is not installed.
async fn encrypted(name: &str) -> Option<(Server, Front, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    certificates::make(folder.path(), name)?;
    let server = Server::start()?;
    let front = Front::before(&server, folder.path()).await;
    Some((server, front, folder))
}

/// The names of the files, by option of the URL.
fn with(url: &str, folder: &Path, [ca, cert, key]: [&str; 3]) -> String {
    let folder = folder.display();
    format!("{url}?ca={folder}/{ca}&cert={folder}/{cert}&key={folder}/{key}")
}

const FILES: [&str; 3] = ["ca.pem", "client.pem", "client.key"];

async fn try_url(url: &str) -> Result<()> {
    open(url, None)?.is_empty().await.map(drop)
}

async fn assert_refused(url: &str, kind: ErrorKind, told: &str) {
    let error = try_url(url).await.unwrap_err();
    let text = format!("{error:?} {:?}", error.advice());
    assert_eq!(error.kind(), kind, "{url}: {text}");
    assert!(text.contains(told), "{url}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_wants_tls_is_used_with_the_three_files() {
    let Some((_server, front, folder)) = encrypted(&format!("IP:{HOST}")).await else {
        return;
    };
    let engine = open(&with(&front.url(), folder.path(), FILES), None).unwrap();
    write(engine.as_ref(), |txn| {
        txn.insert(Key::Node(Ino(5)), Record::Node(file(Ino(1))));
    })
    .await
    .unwrap();
    assert!(read(engine.as_ref(), &Key::Node(Ino(5))).await.is_some());
    let greeted = front.greeted();
    assert!(greeted.iter().all(|connections| *connections > 0), "{greeted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_wants_tls_says_what_it_does_not_take() {
    let Some((_server, front, folder)) = encrypted(&format!("IP:{HOST}")).await else {
        return;
    };
    let url = |files| with(&front.url(), folder.path(), files);
    assert_refused(&front.url(), ErrorKind::Unauthenticated, "wants TLS").await;
    let [ca, certificate, key] = FILES;
    let refused = ErrorKind::Unauthenticated;
    assert_refused(&url(["other.pem", certificate, key]), refused, "UnknownIssuer").await;
    assert_refused(&url([ca, "other.pem", "other.key"]), refused, "Alert").await;
    assert_refused(&url([ca, "none.pem", key]), ErrorKind::NotFound, "none.pem").await;
    assert_refused(&url([ca, certificate, ca]), ErrorKind::InvalidArgument, "key").await;
    assert_refused(
        &url([ca, certificate, "other.key"]),
        ErrorKind::InvalidArgument,
        "no pair",
    )
    .await;
    assert_refused(
        &format!("{}?ca={ca}", front.url()),
        ErrorKind::InvalidArgument,
        "together",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_with_the_certificate_of_another_is_refused() {
    let Some((_server, front, folder)) = encrypted("DNS:elsewhere").await else {
        return;
    };
    let url = with(&front.url(), folder.path(), FILES);
    assert_refused(&url, ErrorKind::Unauthenticated, "NotValidForName").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_tls_is_not_used_by_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = certificates::make(folder.path(), "IP:127.0.0.1") else {
        return;
    };
    let Some(server) = Server::start() else { return };
    let url = with(&server.url(), folder.path(), FILES);
    assert_refused(&url, ErrorKind::Unauthenticated, "uses TLS").await;
}
