//! Every row of every table.

use moorage_meta::{Key, Record, Scan};
use moorage_model::{Ino, SessionId};
use serde_json::Value;

use super::volume::{all, fixtures, open, volumes};

#[tokio::test]
async fn every_row_of_every_table_is_read() {
    for volume in volumes().await {
        let raw = rusqlite::Connection::open(volume.folder.path().join("meta.db")).unwrap();
        let rows = |table: &str| -> usize {
            let sql = format!("SELECT COUNT(*) FROM jfs_{table}");
            raw.query_row(&sql, [], |row| row.get::<_, i64>(0))
                .map(|n| usize::try_from(n).unwrap())
                .unwrap()
        };
        for (range, expected) in [
            (Scan::AllNodes, rows("node")),
            (Scan::AllEdges, rows("edge")),
            (Scan::AllChunks, rows("chunk")),
            (Scan::SliceRefs, rows("chunk_ref")),
            (Scan::DelayedSlices, rows("delslices")),
            (Scan::Sessions, rows("session2")),
            (Scan::AllSustained, rows("sustained")),
            (Scan::DeletedFiles, rows("delfile")),
            (Scan::DirStats, rows("dir_stats")),
            (Scan::Quotas, rows("dir_quota") + rows("user_group_quota")),
            (Scan::Detached, rows("detached_node")),
            (Scan::Acls, rows("acl")),
        ] {
            let found = all(volume.meta.engine().as_ref(), range.clone()).await;
            assert_eq!(found.len(), expected, "{range:?} of {}", volume.name);
        }
    }
}

#[tokio::test]
async fn what_killed_clients_left_is_read() {
    let Some(folder) = fixtures() else {
        return;
    };
    let volume = open(&folder.join("midstate")).await;
    let engine = volume.meta.engine().as_ref();
    let sessions = all(engine, Scan::Sessions).await;
    let expected = volume.expected["status"]["Sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), expected.len());
    for ((key, record), wanted) in sessions.iter().zip(expected) {
        let (Key::Session(sid), Record::Session(session)) = (key, record) else {
            panic!("{key}")
        };
        assert_eq!(sid.0, wanted["Sid"].as_u64().unwrap());
        let info: Value = serde_json::from_str(&session.info).unwrap();
        for field in [
            "Version",
            "HostName",
            "IPAddrs",
            "MountPoint",
            "MountTime",
            "ProcessID",
        ] {
            assert_eq!(info[field], wanted[field], "{field} of {key}");
        }
    }
    let sustained = all(engine, Scan::Sustained(SessionId(2))).await;
    assert_eq!(sustained.len(), 2);
    let deleted = all(engine, Scan::DeletedFiles).await;
    assert_eq!(
        deleted,
        [(
            Key::DeletedFile(Ino(25), 26_776_436_745),
            Record::DeletedFile(1_795_387_408)
        )]
    );
    assert_eq!(
        all(engine, Scan::Detached).await,
        [(Key::Detached(Ino(2050)), Record::Detached(1_795_387_407))]
    );
    let locks = all(engine, Scan::SessionLocks(SessionId(2))).await;
    let [mut bsd, mut posix, mut ranges] = [0, 0, 0];
    for (_, record) in &locks {
        match record {
            Record::FileLock(_) => bsd += 1,
            Record::RecordLocks(held) => {
                posix += 1;
                ranges += held.len();
            }
            other => panic!("{other:?} is no lock"),
        }
    }
    assert_eq!((bsd, posix, ranges), (3, 3, 6));
}
