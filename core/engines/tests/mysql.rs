//! MySQL keeps the promises of every engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;
mod mysql_server;

use conformance::{Fresh, conformance};
use moorage_engines::open;
use moorage_meta::{Key, Record};
use moorage_model::{ErrorKind, Ino};
use mysql_server::{PASSWORD, Server};

async fn fresh() -> Option<Fresh> {
    let server = Server::shared()?;
    let url = server.url(&server.new_database());
    let (engine, other) = (open(&url, None).unwrap(), open(&url, None).unwrap());
    engine.prepare().await.unwrap();
    Some(Fresh {
        engine,
        other,
        _keep: Box::new(server),
    })
}

conformance!(fresh);

/// What opening a volume at this address says.
async fn refusal(url: &str, password: Option<&str>) -> moorage_model::Error {
    let engine = open(url, password).unwrap();
    let error = engine.prepare().await.unwrap_err();
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
    assert!(!engine.location().contains("pa%2F"), "{}", engine.location());
    error
}

#[tokio::test]
async fn a_missing_database_and_a_wrong_password_are_told_apart() {
    let Some(server) = Server::shared() else {
        return;
    };
    let missing = refusal(&server.url("nothing"), None).await;
    assert_eq!(missing.kind(), ErrorKind::DatabaseMissing, "{missing}");
    assert!(
        missing.advice().unwrap().contains("CREATE DATABASE nothing"),
        "{missing}"
    );
    let url = server.url(&server.new_database());
    let bare = url.replace(":pa%2Fss%20w%40rd@", "@");
    let wrong = refusal(&bare, Some("wrong")).await;
    assert_eq!(wrong.kind(), ErrorKind::Unauthenticated, "{wrong}");
    let none = refusal(&bare, None).await;
    assert_eq!(none.kind(), ErrorKind::Unauthenticated, "{none}");
    open(&bare, Some(PASSWORD)).unwrap().prepare().await.unwrap();
}

#[tokio::test]
async fn what_a_column_can_not_hold_is_refused_and_changes_nothing() {
    let Some(Fresh { engine, _keep, .. }) = fresh().await else {
        return;
    };
    let mut attr = conformance::samples::file(Ino(1));
    attr.uid = moorage_model::Uid(1 << 31);
    let values = [
        (Key::Node(Ino(7)), Record::Node(attr)),
        (Key::Xattr(Ino(7), b"user.\xFF".to_vec()), Record::Xattr(vec![1])),
        (
            Key::Xattr(Ino(7), b"user.large".to_vec()),
            Record::Xattr(vec![1; 65_536]),
        ),
    ];
    for (key, record) in values {
        let name = key.to_string();
        let (wanted, stored) = (key.clone(), record.clone());
        let refused = conformance::write(engine.as_ref(), move |txn| {
            txn.put(
                Key::Node(Ino(8)),
                Record::Node(conformance::samples::file(Ino(1))),
            );
            txn.insert(wanted.clone(), stored.clone());
        });
        let error = refused.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}: {error}");
        assert_eq!(
            conformance::read(engine.as_ref(), &Key::Node(Ino(8))).await,
            None,
            "{name}"
        );
    }
}
