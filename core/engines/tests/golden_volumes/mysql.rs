//! A volume that JuiceFS wrote into MariaDB.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_meta::{Meta, MetaOptions};
use moorage_model::SystemClock;

use super::changed::{assert_read_back, change, expectation};
use super::mysql_server::{PASSWORD, Server};
use super::shown::compare_nodes;
use super::volume::Volume;

/// The database of the fixture in a private server; `None` where one of the two is missing.
fn restored() -> Option<(Arc<Server>, PathBuf, String)> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/engines/mysql");
    if !fixture.is_dir() {
        println!("skipped: no fixtures in {}", fixture.display());
        return None;
    }
    let server = Server::shared()?;
    let database = server.new_database();
    server.load(&database, &fixture.join("mysql.sql"));
    Some((server, fixture, database))
}

async fn volume(fixture: &Path, url: &str, read_only: bool) -> Volume {
    let options = MetaOptions {
        read_only,
        background_jobs: false,
        ..MetaOptions::default()
    };
    let engine = moorage_engines::open_existing(url, None).unwrap();
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let expected = std::fs::read(fixture.join("expect.json")).unwrap();
    Volume {
        name: "mysql".to_owned(),
        folder: tempfile::tempdir().unwrap(),
        meta,
        expected: serde_json::from_slice(&expected).unwrap(),
    }
}

#[tokio::test]
async fn every_node_in_mysql_is_shown_as_juicefs_shows_it() {
    let Some((server, fixture, database)) = restored() else {
        return;
    };
    compare_nodes(&volume(&fixture, &server.url(&database), true).await).await;
}

/// Columns and indexes of every table of a volume, as the server describes them.
fn layout(server: &Server, database: &str) -> Vec<String> {
    let columns = "SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_key, \
                   coalesce(column_default, '-'), extra FROM information_schema.columns \
                   WHERE table_schema = DATABASE() ORDER BY 1, 2";
    let indexes = "SELECT table_name, index_name, seq_in_index, column_name, non_unique \
                   FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3";
    let described = [columns, indexes].map(|query| server.ask(database, query).unwrap());
    described
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_new_volume_in_mysql_has_the_tables_columns_and_indexes_of_juicefs() {
    let Some((server, _, golden)) = restored() else {
        return;
    };
    let own = server.new_database();
    let engine = moorage_engines::open(&server.url(&own), None).unwrap();
    engine.prepare().await.unwrap();
    let (made, expected) = (layout(&server, &own), layout(&server, &golden));
    for line in &expected {
        assert!(made.contains(line), "{line} is not among {made:#?}");
    }
    assert_eq!(made.len(), expected.len());
}

#[tokio::test]
async fn a_volume_of_an_older_release_in_mysql_reads_and_gets_what_it_lacks() {
    let Some((server, fixture, database)) = restored() else {
        return;
    };
    let old = "ALTER TABLE jfs_node DROP COLUMN access_acl_id, DROP COLUMN default_acl_id, DROP COLUMN tier_id; \
               DROP TABLE jfs_acl, jfs_delegation_token, jfs_change_log, jfs_user_group_quota, jfs_detached_node; \
               UPDATE jfs_node SET rdev = NULL WHERE rdev = 0; \
               UPDATE jfs_node SET parent = NULL WHERE parent = 0; \
               UPDATE jfs_setting SET value = replace(value, '\"EnableACL\": true', '\"EnableACL\": false');";
    server.ask(&database, old).unwrap();
    for (read_only, columns) in [(true, "16"), (false, "19")] {
        compare_nodes(&volume(&fixture, &server.url(&database), read_only).await).await;
        let count = "SELECT count(*) FROM information_schema.columns \
                     WHERE table_schema = DATABASE() AND table_name = 'jfs_node'";
        assert_eq!(server.ask(&database, count).as_deref(), Some(columns));
    }
}

#[tokio::test]
async fn a_changed_volume_in_mysql_is_what_an_independent_reader_finds() {
    let Some((server, fixture, database)) = restored() else {
        return;
    };
    let volume = volume(&fixture, &server.url(&database), false).await;
    let made = change(&volume).await;
    let expected = expectation(&volume, &made).await;
    volume.meta.engine().make_durable().await.unwrap();
    let port = server.port().to_string();
    let place = ["mysql", "127.0.0.1", &port, "tester", PASSWORD, &database];
    assert_read_back(&volume, "mysql", &expected, "read_sql.py", &place);
}
