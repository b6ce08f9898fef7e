//! The jobs that clients share (spec 70-semantics section 2).

use std::time::Duration;

use moorage_meta::{Context, Key, Scan};
use moorage_model::{Counter, ErrorKind, Ino};

use crate::check::broken_invariants;
use crate::fixture::{START, Volume, kind, quiet};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn deleted_files_are_left_to_their_deleter_for_an_hour() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    // The deleter dies before it comes to it.
    let other = volume.client(quiet()).await;
    other.clean_up_files().await.unwrap();
    assert_eq!(volume.scan(Scan::DeletedFiles).await.len(), 1);
    volume.clock.advance(HOUR + Duration::from_secs(1));
    other.clean_up_files().await.unwrap();
    assert_eq!(volume.scan(Scan::DeletedFiles).await, []);
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn replaced_slices_are_purged_after_the_trash_days() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 10).await;
    volume.write(file, 5, 10).await;
    volume
        .meta
        .compact_chunk(file, moorage_model::ChunkIndex(0))
        .await
        .unwrap();
    volume.clock.advance(23 * HOUR);
    volume.meta.clean_up_trash().await.unwrap();
    assert_eq!(volume.data.ids().len(), 3);
    volume.clock.advance(2 * HOUR);
    volume.meta.clean_up_trash().await.unwrap();
    assert_eq!(volume.data.ids().len(), 1);
    assert_eq!(volume.scan(Scan::DelayedSlices).await, []);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn trashed_files_are_deleted_two_hours_after_the_trash_days() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 10).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.clock.advance(25 * HOUR);
    volume.meta.clean_up_trash().await.unwrap();
    assert!(volume.meta.getattr(file).await.is_ok());
    volume.clock.advance(2 * HOUR);
    volume.meta.clean_up_trash().await.unwrap();
    assert_eq!(kind(volume.meta.getattr(file).await), ErrorKind::NotFound);
    volume.flush().await;
    assert_eq!(volume.data.ids(), []);
    assert_eq!(volume.counter(Counter::TotalInodes).await, 0);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn the_changelog_is_trimmed_by_count_and_by_age() {
    let volume = Volume::with(|setting| {
        setting.change_log = true;
        setting.change_log_max_lines = 7;
        setting.change_log_max_age = 3600;
    })
    .await;
    // Three lines more are about batches of inode numbers.
    for number in 0..3000 {
        volume.file(Ino::ROOT, &format!("f{number}")).await;
    }
    let versions = || async {
        let lines = volume.scan(Scan::Changelog).await;
        lines.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    volume.meta.trim_changelog().await.unwrap();
    let kept: Vec<Key> = (2997..=3003).map(Key::ChangelogLine).collect();
    assert_eq!(versions().await, kept);
    volume.clock.advance(HOUR + Duration::from_secs(1));
    volume.file(Ino::ROOT, "young").await;
    volume.meta.trim_changelog().await.unwrap();
    assert_eq!(versions().await, [Key::ChangelogLine(3004)]);
}

#[tokio::test(start_paused = true)]
async fn each_job_runs_once_per_hour_whoever_wins_its_guard() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let clients = [volume.session().await, volume.session().await];
    let guards = [
        Counter::LastCleanupFiles,
        Counter::NextCleanupSlices,
        Counter::LastCleanupTrash,
    ];
    volume.clock.advance(HOUR);
    tokio::time::sleep(HOUR + HOUR / 10).await;
    for guard in guards {
        let at = volume.counter(guard).await;
        // The wall clock of the test moves by microseconds only, so the second client loses.
        assert!((START + 3600..START + 3700).contains(&at), "{guard:?} {at}");
    }
    for client in clients {
        client.close_session().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_background_jobs_takes_part_in_none() {
    let volume = Volume::new().await;
    let options = moorage_meta::MetaOptions {
        background_jobs: false,
        heartbeat: Duration::from_secs(12),
        ..quiet()
    };
    let meta = volume.client(options).await;
    meta.start_session(volume.data.clone()).await.unwrap();
    volume.clock.advance(3 * HOUR);
    tokio::time::sleep(3 * HOUR).await;
    meta.refresh_session().await.unwrap();
    for guard in [Counter::LastCleanupFiles, Counter::LastCleanupSessions] {
        assert_eq!(volume.counter(guard).await, 0, "{guard:?}");
    }
    let context = Context::root();
    assert!(meta.access(&context, Ino::ROOT, 0).await.is_ok());
}
