//! Volumes written by JuiceFS: whole, but for what the format allows to drift.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::open_store;
use moorage_meta::admin::{CheckOptions, CheckReport, Progress, Severity};
use moorage_meta::{Meta, MetaOptions};
use moorage_model::{Clock, SystemClock, Timestamp};
use moorage_vfs::volume_check::{GarbageOptions, ObjectCheckOptions, check_objects, collect_garbage};

fn volumes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/volumes");
    let Ok(found) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no fixtures");
        return Vec::new();
    };
    let mut volumes: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    volumes.sort();
    volumes
}

/// A writable copy, since SQLite wants to write beside its file.
async fn open(volume: &Path, copy: &Path) -> Arc<Meta> {
    open_copy(volume, copy, true, Arc::new(SystemClock)).await
}

async fn open_copy(volume: &Path, copy: &Path, read_only: bool, clock: Arc<dyn Clock>) -> Arc<Meta> {
    let file = copy.join("meta.db");
    std::fs::copy(volume.join("meta.db"), &file).unwrap();
    let engine = moorage_engines::open(&format!("sqlite3://{}", file.display()), None).unwrap();
    let options = MetaOptions {
        read_only,
        ..MetaOptions::default()
    };
    Meta::open(engine, options, clock).await.unwrap()
}

/// A time at which every session of the fixtures has expired.
#[derive(Debug)]
struct LongAfter;

impl Clock for LongAfter {
    fn now(&self) -> Timestamp {
        Timestamp::new(4_000_000_000, 0)
    }
}

fn texts(report: &CheckReport) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn records_of_every_fixture_are_whole() {
    for volume in volumes() {
        let copy = tempfile::tempdir().unwrap();
        let meta = open(&volume, copy.path()).await;
        let report = meta
            .check(CheckOptions::default(), &Progress::default())
            .await
            .unwrap();
        assert!(report.counts.nodes > 2, "{}", volume.display());
        assert!(
            report.worst() <= Some(Severity::Note),
            "{}: {:#?}",
            volume.display(),
            texts(&report)
        );
    }
}

#[tokio::test]
async fn a_repaired_fixture_has_no_finding_left() {
    for volume in volumes() {
        let copy = tempfile::tempdir().unwrap();
        let meta = open_copy(&volume, copy.path(), false, Arc::new(LongAfter)).await;
        let repair = CheckOptions {
            repair: true,
            ..CheckOptions::default()
        };
        let report = meta.check(repair, &Progress::default()).await.unwrap();
        let open = report.open.clone();
        assert!(open.is_empty(), "{}: {:#?}", volume.display(), texts(&report));
        let report = meta
            .check(CheckOptions::default(), &Progress::default())
            .await
            .unwrap();
        assert_eq!(report.findings, [], "{}", volume.display());
    }
}

/// Valid, pending, compacted and leaked objects as the gc command of the original counted them.
fn counted_by_the_original(volume: &Path) -> [u64; 4] {
    let text = std::fs::read_to_string(volume.join("expect.json")).unwrap();
    let expect: serde_json::Value = serde_json::from_str(&text).unwrap();
    let line = expect["gc"][0].as_str().unwrap();
    [" valid", " pending delete", " compacted", " leaked"].map(|word| {
        let before = line.split(word).next().unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn objects_of_every_fixture_are_there_and_gc_counts_them_as_the_original_does() {
    for volume in volumes() {
        let copy = tempfile::tempdir().unwrap();
        let meta = open(&volume, copy.path()).await;
        let mut setting = (*meta.setting()).clone();
        setting.bucket = setting
            .bucket
            .replace("/jfs/objects/", &format!("{}/", volume.join("objects").display()));
        // Sizes and names tell enough; nothing is opened.
        setting.encrypt_key.clear();
        let store = open_store(&setting, None).unwrap();
        let progress = Progress::default();
        let report = check_objects(
            &meta,
            store.as_ref(),
            ObjectCheckOptions::default(),
            &HashSet::new,
            &progress,
        )
        .await
        .unwrap();
        assert!(
            report.worst().is_none(),
            "{}: {:#?}",
            volume.display(),
            texts(&report)
        );
        let options = GarbageOptions {
            min_age: Duration::ZERO,
            ..GarbageOptions::default()
        };
        let found = collect_garbage(&meta, store.as_ref(), &SystemClock, options, &progress)
            .await
            .unwrap();
        let counts = [found.valid, found.pending, found.delayed, found.leaked].map(|count| count.objects);
        let mut expected = counted_by_the_original(&volume);
        if setting.shards > 1 {
            // The original lists only a part of a sharded store; this is what its folders hold.
            expected = [33, 0, 0, 0];
        }
        assert_eq!(counts, expected, "{}", volume.display());
    }
}
