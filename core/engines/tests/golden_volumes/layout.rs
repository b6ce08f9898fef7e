//! Tables as JuiceFS makes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use moorage_meta::{Meta, MetaOptions};
use moorage_model::SystemClock;
use rusqlite::Connection;

use super::volume::fixtures;

/// Columns (name, type, whether it may be NULL, default, place in the primary key) of each table, and its indexes
/// (whether it is unique, columns).
type Layout = BTreeMap<String, (Vec<String>, BTreeMap<String, String>)>;

fn texts(raw: &Connection, sql: &str) -> Vec<String> {
    let mut statement = raw.prepare(sql).unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn layout(database: &Path) -> Layout {
    let raw = Connection::open(database).unwrap();
    let tables = texts(
        &raw,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'jfs_%'",
    );
    let described = tables.into_iter().map(|table| {
        let columns = texts(
            &raw,
            &format!(
                "SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '-') || ' ' || pk \
                 FROM pragma_table_info('{table}') ORDER BY cid"
            ),
        );
        // Those that SQLite makes for primary keys have no name of ours.
        let names = texts(
            &raw,
            &format!("SELECT name FROM pragma_index_list('{table}') WHERE origin = 'c' ORDER BY name"),
        );
        let indexes = names.into_iter().map(|index| {
            let unique = texts(
                &raw,
                &format!("SELECT CAST(\"unique\" AS TEXT) FROM pragma_index_list('{table}') WHERE name = '{index}'"),
            );
            let columns = texts(&raw, &format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"));
            let described = format!("{} {}", unique.join(""), columns.join(","));
            (index, described)
        });
        let indexes = indexes.collect();
        (table, (columns, indexes))
    });
    described.collect()
}

#[tokio::test]
async fn a_new_volume_has_the_tables_columns_and_indexes_of_juicefs() {
    let Some(fixtures) = fixtures() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let golden = folder.path().join("golden.db");
    std::fs::write(&golden, std::fs::read(fixtures.join("plain/meta.db")).unwrap()).unwrap();
    let own = folder.path().join("own.db");
    let engine = moorage_engines::open(&format!("sqlite3://{}", own.display()), None).unwrap();
    engine.prepare().await.unwrap();
    engine.close().await.unwrap();
    assert_eq!(layout(&own), layout(&golden));
}

#[tokio::test]
async fn opening_a_volume_of_juicefs_for_writing_leaves_its_tables_as_they_are() {
    let Some(fixtures) = fixtures() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("meta.db");
    let golden = std::fs::read(fixtures.join("plain/meta.db")).unwrap();
    std::fs::write(&copy, &golden).unwrap();
    let engine = moorage_engines::open(&format!("sqlite3://{}", copy.display()), None).unwrap();
    let meta = Meta::open(Arc::clone(&engine), MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap();
    drop(meta);
    engine.close().await.unwrap();
    assert!(std::fs::read(&copy).unwrap() == golden, "nothing was written");
}
