//! PostgreSQL keeps the promises of every engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;
mod postgres_server;

use conformance::{Fresh, conformance};
use moorage_engines::open;
use moorage_meta::{Key, Record};
use moorage_model::{ErrorKind, Ino, Uid};
use postgres_server::{PASSWORD, Server};

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

#[tokio::test]
async fn what_a_column_can_not_hold_is_refused_and_changes_nothing() {
    let Some(Fresh { engine, _keep, .. }) = fresh().await else {
        return;
    };
    let mut attr = conformance::samples::file(Ino(1));
    attr.uid = Uid(1 << 31);
    let values = [
        (Key::Node(Ino(7)), Record::Node(attr)),
        (Key::Xattr(Ino(7), b"user.\xFF".to_vec()), Record::Xattr(vec![1])),
    ];
    for (key, record) in values {
        let name = key.to_string();
        let others = [Key::Node(Ino(6)), Key::Node(Ino(8))];
        let [before, after] = others.clone();
        let refused = conformance::write(engine.as_ref(), move |txn| {
            let node = || Record::Node(conformance::samples::file(Ino(1)));
            txn.put(before.clone(), node());
            txn.insert(key.clone(), record.clone());
            txn.put(after.clone(), node());
        });
        let error = refused.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}: {error}");
        for other in others {
            assert_eq!(
                conformance::read(engine.as_ref(), &other).await,
                None,
                "{name}: {other}"
            );
        }
    }
}

/// What opening a volume at this address says.
async fn refusal(url: &str, password: Option<&str>) -> moorage_model::Error {
    let engine = open(url, password).unwrap();
    let error = engine.prepare().await.unwrap_err();
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
    assert!(!engine.location().contains("pa%2F"), "{}", engine.location());
    error
}

#[tokio::test]
async fn a_schema_that_is_gone_takes_nothing_and_goes_on_when_it_is_back() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.new_database();
    let engine = open(&server.url(&database), None).unwrap();
    engine.prepare().await.unwrap();
    let write = || {
        conformance::write(engine.as_ref(), |txn| {
            txn.put(
                Key::Node(Ino(7)),
                Record::Node(conformance::samples::file(Ino(1))),
            );
        })
    };
    write().await.unwrap();
    server
        .ask(&database, "ALTER SCHEMA public RENAME TO away")
        .unwrap();
    let error = write().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DatabaseMissing, "{error}");
    server
        .ask(&database, "ALTER SCHEMA away RENAME TO public")
        .unwrap();
    write().await.unwrap();
}

#[tokio::test]
async fn a_missing_database_a_missing_schema_and_a_wrong_password_are_told_apart() {
    let Some(server) = Server::shared() else {
        return;
    };
    let missing = refusal(&server.url("nothing"), None).await;
    assert_eq!(missing.kind(), ErrorKind::DatabaseMissing, "{missing}");
    assert!(
        missing.advice().unwrap().contains("createdb nothing"),
        "{missing}"
    );
    let url = server.url(&server.new_database());
    let schema = refusal(&format!("{url}&search_path=nowhere"), None).await;
    assert_eq!(schema.kind(), ErrorKind::DatabaseMissing, "{schema}");
    assert!(
        schema.advice().unwrap().contains("CREATE SCHEMA nowhere"),
        "{schema}"
    );
    let bare = url.replace(":pa%2Fss%20w@", "@");
    let wrong = refusal(&bare, Some("wrong")).await;
    assert_eq!(wrong.kind(), ErrorKind::Unauthenticated, "{wrong}");
    let none = refusal(&bare, None).await;
    assert_eq!(none.kind(), ErrorKind::Unauthenticated, "{none}");
    open(&bare, Some(PASSWORD)).unwrap().prepare().await.unwrap();
}

#[tokio::test]
async fn volumes_of_one_database_are_told_apart_by_schema_and_prefix() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.new_database();
    server.ask(&database, "CREATE SCHEMA other").unwrap();
    let url = server.url(&database);
    let places = [
        "",
        "&table_prefix=p",
        "&search_path=other",
        "&search_path=other&table_prefix=p",
    ];
    let engines = places.map(|place| open(&format!("{url}{place}"), None).unwrap());
    for engine in &engines {
        engine.prepare().await.unwrap();
        assert!(engine.is_empty().await.unwrap(), "{}", engine.location());
        let key = moorage_meta::Key::Setting;
        let record = moorage_meta::Record::Setting(engine.location());
        let (stored, named) = (record.clone(), key.clone());
        conformance::write(engine.as_ref(), move |txn| {
            txn.insert(named.clone(), stored.clone());
        })
        .await
        .unwrap();
        assert_eq!(conformance::read(engine.as_ref(), &key).await, Some(record));
    }
    let shown: std::collections::BTreeSet<String> = engines.iter().map(|e| e.location()).collect();
    assert_eq!(shown.len(), places.len());
}
