//! Volumes that JuiceFS wrote into PostgreSQL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_meta::{Meta, MetaOptions};
use moorage_model::SystemClock;

use super::changed::{assert_read_back, change, expectation};
use super::postgres_server::{PASSWORD, Server};
use super::shown::compare_nodes;
use super::volume::Volume;

/// Fixtures and what their URL says beside the database.
const PLACES: [(&str, &str); 2] = [("pg", ""), ("pgs", "&search_path=myschema&table_prefix=vol1")];

fn fixture(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/engines");
    if folder.is_dir() {
        return Some(folder.join(name));
    }
    println!("skipped: no fixtures in {}", folder.display());
    None
}

/// The database of a fixture in a private server; `None` where one of the two is missing.
fn restored(name: &str) -> Option<(Arc<Server>, PathBuf, String)> {
    let (fixture, server) = (fixture(name)?, Server::shared()?);
    let database = server.new_database();
    server.load(&database, &fixture.join("pg.sql"));
    Some((server, fixture, database))
}

async fn volume(name: &str, fixture: &Path, url: &str, read_only: bool) -> Volume {
    let options = MetaOptions {
        read_only,
        background_jobs: false,
        ..MetaOptions::default()
    };
    let engine = moorage_engines::open_existing(url, None).unwrap();
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let expected = std::fs::read(fixture.join("expect.json")).unwrap();
    Volume {
        name: name.to_owned(),
        folder: tempfile::tempdir().unwrap(),
        meta,
        expected: serde_json::from_slice(&expected).unwrap(),
    }
}

#[tokio::test]
async fn every_node_in_postgres_is_shown_as_juicefs_shows_it() {
    for (name, place) in PLACES {
        let Some((server, fixture, database)) = restored(name) else {
            return;
        };
        let url = format!("{}{place}", server.url(&database));
        compare_nodes(&volume(name, &fixture, &url, true).await).await;
    }
}

#[tokio::test]
async fn a_changed_volume_in_postgres_is_what_an_independent_reader_finds() {
    for (name, place) in PLACES {
        let Some((server, fixture, database)) = restored(name) else {
            return;
        };
        let url = format!("{}{place}", server.url(&database));
        let volume = volume(name, &fixture, &url, false).await;
        let made = change(&volume).await;
        let expected = expectation(&volume, &made).await;
        volume.meta.engine().make_durable().await.unwrap();
        let port = server.port().to_string();
        let mut place = vec!["pg", "127.0.0.1", &port, "tester", PASSWORD, &database];
        if name == "pgs" {
            place.extend(["vol1", "myschema"]);
        }
        assert_read_back(&volume, name, &expected, "read_sql.py", &place);
    }
}

/// Columns and indexes of every table of a volume, as the server describes them.
fn layout(server: &Server, database: &str, schema: &str) -> BTreeMap<String, String> {
    let columns = format!(
        "SELECT table_name || ' ' || ordinal_position || ' ' || column_name || ' ' || data_type || ' ' \
         || coalesce(character_maximum_length::text, '-') || ' ' || is_nullable || ' ' || coalesce(column_default, '-') \
         FROM information_schema.columns WHERE table_schema = '{schema}'"
    );
    let indexes =
        format!("SELECT indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = '{schema}'");
    let mut described = BTreeMap::new();
    for query in [columns, indexes] {
        for line in server.ask(database, &query).unwrap().lines() {
            let (name, rest) = line.split_once(' ').unwrap();
            let number = rest.split(' ').next().unwrap();
            described.insert(format!("{name} {number}"), rest.to_owned());
        }
    }
    described
}

#[tokio::test]
async fn a_new_volume_in_postgres_has_the_tables_columns_and_indexes_of_juicefs() {
    for (name, place) in PLACES {
        let Some((server, _, golden)) = restored(name) else {
            return;
        };
        let own = server.new_database();
        let schema = if place.is_empty() { "public" } else { "myschema" };
        server
            .ask(&own, &format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
            .unwrap();
        let engine = moorage_engines::open(&format!("{}{place}", server.url(&own)), None).unwrap();
        engine.prepare().await.unwrap();
        let (made, expected) = (layout(&server, &own, schema), layout(&server, &golden, schema));
        for (what, text) in &expected {
            assert_eq!(made.get(what), Some(text), "{what} of {name}");
        }
        assert_eq!(made.len(), expected.len());
    }
}

#[tokio::test]
async fn a_volume_of_an_older_release_in_postgres_reads_and_gets_what_it_lacks() {
    let Some((server, fixture, database)) = restored("pg") else {
        return;
    };
    let old = "ALTER TABLE jfs_node DROP COLUMN access_acl_id, DROP COLUMN default_acl_id, DROP COLUMN tier_id; \
               DROP TABLE jfs_acl, jfs_delegation_token, jfs_change_log, jfs_user_group_quota, jfs_detached_node; \
               UPDATE jfs_node SET rdev = NULL WHERE rdev = 0; \
               UPDATE jfs_node SET parent = NULL WHERE parent = 0; \
               UPDATE jfs_setting SET value = replace(value, '\"EnableACL\": true', '\"EnableACL\": false');";
    server.ask(&database, old).unwrap();
    let url = server.url(&database);
    for read_only in [true, false] {
        compare_nodes(&volume("pg", &fixture, &url, read_only).await).await;
        let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'jfs_node'";
        let count = server.ask(&database, columns).unwrap();
        assert_eq!(count, if read_only { "16" } else { "19" });
    }
}
