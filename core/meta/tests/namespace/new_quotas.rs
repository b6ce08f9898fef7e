//! Quotas that are set while other clients run: what these changed before they knew of them is counted all the same.

use std::sync::Arc;

use moorage_meta::{Context, Counting, Meta, QuotaLimits, UnlinkOptions, Unrecorded, Usage, run};
use moorage_model::{ErrorKind, Ino, Quota, QuotaKey};

use crate::fixture::{Volume, kind, name};
use crate::server_engine::meddled;

const LIMIT: i64 = 1 << 20;

pub(crate) async fn limit(meta: &Meta, directory: Ino) {
    let limits = QuotaLimits {
        max_space: Some(LIMIT),
        max_inodes: None,
    };
    meta.set_quota(QuotaKey::Directory(directory), limits, Counting::Statistics)
        .await
        .unwrap();
}

async fn create(meta: &Meta, parent: Ino, file: &str) -> Ino {
    let created = meta.create(&Context::root(), parent, &name(file), 0o644, 0).await;
    created.unwrap().ino
}

async fn quota(volume: &Volume, directory: Ino) -> Quota {
    let key = QuotaKey::Directory(directory);
    volume.meta.get_quota(key).await.unwrap().unwrap()
}

pub(crate) async fn used(volume: &Volume, directory: Ino) -> Usage {
    let quota = quota(volume, directory).await;
    Usage {
        space: quota.used_space,
        inodes: quota.used_inodes,
    }
}

pub(crate) fn usage(space: i64, inodes: i64) -> Usage {
    Usage { space, inodes }
}

/// What a heartbeat does, and the work that it leaves to the background.
async fn beat(meta: &Meta) {
    meta.refresh_session().await.unwrap();
    meta.recount_new_quotas().await.unwrap();
}

/// Adds to a figure as a client does that counted something long ago, or twice.
async fn drift(volume: &Volume, directory: Ino, space: i64, inodes: i64) {
    run(volume.engine.as_ref(), "drift", move |txn| {
        txn.add_quota_usage(QuotaKey::Directory(directory), space, inodes);
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_was_written_before_the_quota_was_known_is_counted_after_the_next_heartbeat() {
    let volume = Volume::new().await;
    let mount = volume.session().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    let sub = volume.directory(top, "sub").await;
    limit(&volume.meta, top).await;
    let file = create(&mount, sub, "f").await;
    mount.truncate(&Context::root(), file, 3 << 12).await.unwrap();
    assert_eq!(used(&volume, top).await, usage(4096, 1), "it does not know yet");
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(4 << 12, 2));
    // From then on it counts, and enforces.
    mount.truncate(&Context::root(), file, 1 << 12).await.unwrap();
    assert_eq!(used(&volume, top).await, usage(2 << 12, 2));
    let grown = mount.truncate(&Context::root(), file, LIMIT.unsigned_abs()).await;
    assert_eq!(kind(grown), ErrorKind::QuotaExceeded);
    let gone = UnlinkOptions::default();
    mount
        .unlink(&Context::root(), sub, &name("f"), gone)
        .await
        .unwrap();
    assert_eq!(used(&volume, top).await, usage(4096, 1));
}

#[tokio::test]
async fn what_was_removed_before_the_quota_was_known_is_counted_off() {
    let volume = Volume::new().await;
    let mount = volume.session().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    volume.file(top, "f").await;
    limit(&volume.meta, top).await;
    let gone = UnlinkOptions::default();
    mount
        .unlink(&Context::root(), top, &name("f"), gone)
        .await
        .unwrap();
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(0, 0));
}

#[tokio::test]
async fn several_clients_close_their_gaps_whichever_comes_first() {
    let volume = Volume::new().await;
    let (one, two) = (volume.session().await, volume.session().await);
    let top = volume.directory(Ino::ROOT, "top").await;
    limit(&volume.meta, top).await;
    create(&one, top, "a").await;
    create(&two, top, "b").await;
    beat(&one).await;
    create(&two, top, "c").await;
    beat(&two).await;
    create(&one, top, "d").await;
    assert_eq!(used(&volume, top).await, usage(4 << 12, 4));
}

#[tokio::test]
async fn a_figure_counted_without_statistics_is_not_replaced_by_what_they_say() {
    let volume = Volume::new().await;
    let mount = volume.session().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    run(volume.engine.as_ref(), "drift", move |txn| {
        let lost = moorage_model::DirStat {
            length: 0,
            space: 1 << 16,
            inodes: 16,
        };
        txn.add_dir_stat(top, lost);
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
    let limits = QuotaLimits {
        max_space: Some(LIMIT),
        max_inodes: None,
    };
    volume
        .meta
        .set_quota(QuotaKey::Directory(top), limits, Counting::Entries)
        .await
        .unwrap();
    create(&mount, top, "f").await;
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(4096, 1));
}

#[tokio::test]
async fn a_client_that_changed_nothing_leaves_the_figure_to_others() {
    let volume = Volume::new().await;
    let mount = volume.session().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    limit(&volume.meta, top).await;
    drift(&volume, top, 4096, 1).await;
    beat(&mount).await;
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(4096, 1), "nobody walked the tree");
}

#[tokio::test]
async fn quotas_that_were_there_when_the_client_came_are_taken_as_they_are() {
    let volume = Volume::new().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    limit(&volume.meta, top).await;
    drift(&volume, top, 4096, 1).await;
    let mount = volume.session().await;
    create(&mount, top, "f").await;
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(2 * 4096, 2));
}

#[tokio::test]
async fn a_figure_that_was_replaced_is_looked_at_again_after_the_next_heartbeat() {
    let volume = Volume::new().await;
    let mount = volume.session().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    limit(&volume.meta, top).await;
    create(&mount, top, "f").await;
    beat(&mount).await;
    // A JuiceFS client writes what it counted seconds ago, for nodes that were added up meanwhile.
    drift(&volume, top, 4096, 1).await;
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(4096, 1));
    // Found right once, it is settled: what drifts later is for `quota check`.
    beat(&mount).await;
    drift(&volume, top, 4096, 1).await;
    create(&mount, top, "g").await;
    beat(&mount).await;
    beat(&mount).await;
    assert_eq!(used(&volume, top).await, usage(3 * 4096, 3));
}

#[tokio::test]
async fn a_quota_that_is_gone_again_is_not_made_again() {
    let volume = Volume::new().await;
    let mount = volume.session().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    limit(&volume.meta, top).await;
    create(&mount, top, "f").await;
    mount.refresh_session().await.unwrap();
    let key = QuotaKey::Directory(top);
    volume.meta.delete_quota(key).await.unwrap();
    beat(&mount).await;
    assert_eq!(volume.meta.get_quota(key).await.unwrap(), None);
}

#[tokio::test]
async fn a_figure_that_somebody_changes_while_the_tree_is_added_up_is_not_overwritten() {
    let volume = Volume::new().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    let (mount, engine) = meddled(&volume).await;
    limit(&volume.meta, top).await;
    create(&mount, top, "early").await;
    mount.refresh_session().await.unwrap();
    // The other client knows the quota and counts a file that the first listing has missed.
    let other = Arc::clone(&volume.meta);
    engine.after_listing(Box::pin(async move {
        create(&other, top, "late").await;
    }));
    mount.recount_new_quotas().await.unwrap();
    assert_eq!(used(&volume, top).await, usage(2 * 4096, 2));
}

#[tokio::test]
async fn a_figure_below_zero_makes_no_room_beyond_the_limit() {
    let volume = Volume::new().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    let file = volume.file(top, "f").await;
    limit(&volume.meta, top).await;
    drift(&volume, top, -5 * LIMIT, -5).await;
    let mount = volume.session().await;
    let grown = mount
        .truncate(&Context::root(), file, (LIMIT + 4096 * 2).unsigned_abs())
        .await;
    assert_eq!(kind(grown), ErrorKind::QuotaExceeded);
    let most = mount
        .length_limit(file, &Unrecorded::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(most.length, (LIMIT + 4096).unsigned_abs());
    mount.lookup(&Context::root(), top, &name("f")).await.unwrap();
    mount.statfs(top).await.unwrap();
    let attr = volume.attr(file).await;
    let known = mount.known_length_limit(&attr, 2 * LIMIT.unsigned_abs(), &Unrecorded::default());
    assert_eq!(known.unwrap().length, (LIMIT + 4096).unsigned_abs());
}
