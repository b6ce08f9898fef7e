//! chmod, chown, utimes, flags, access times, statfs.

use std::time::Duration;

use moorage_meta::{AtimeMode, Context, MetaOptions, OpenFlags, SetAttr, SetTime};
use moorage_model::{ErrorKind, Flags, Gid, Ino, Timestamp, Uid};

use crate::fixture::{Volume, kind, name, user};

fn chmod(mode: u16) -> SetAttr {
    SetAttr {
        mode: Some(mode),
        ..SetAttr::default()
    }
}

fn chown(uid: u32, gid: u32) -> SetAttr {
    SetAttr {
        uid: Some(Uid(uid)),
        gid: Some(Gid(gid)),
        ..SetAttr::default()
    }
}

fn utimes(atime: SetTime, mtime: SetTime) -> SetAttr {
    SetAttr {
        atime: Some(atime),
        mtime: Some(mtime),
        ..SetAttr::default()
    }
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_nothing() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let before = volume.attr(file).await;
    let same = utimes(SetTime::At(before.atime), SetTime::At(before.mtime));
    let same = SetAttr {
        mode: Some(before.mode),
        uid: Some(before.uid),
        ..same
    };
    volume.meta.setattr(&Context::root(), file, same).await.unwrap();
    assert_eq!(volume.attr(file).await, before);
}

#[tokio::test]
async fn chmod_moves_ctime_only_and_belongs_to_the_owner() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume
        .meta
        .setattr(&Context::root(), file, chown(10, 20))
        .await
        .unwrap();
    let before = volume.attr(file).await;
    let after = volume
        .meta
        .setattr(&user(10, 20), file, chmod(0o600))
        .await
        .unwrap();
    assert_eq!(after.mode, 0o600);
    assert_eq!((after.atime, after.mtime), (before.atime, before.mtime));
    assert!(after.ctime > before.ctime);
    assert_eq!(
        kind(volume.meta.setattr(&user(11, 20), file, chmod(0o777)).await),
        ErrorKind::NotPermitted
    );
}

#[tokio::test]
async fn chown_clears_set_id_bits_and_a_mode_in_the_same_call_wins() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.meta.setattr(&root, file, chmod(0o6755)).await.unwrap();
    let after = volume.meta.setattr(&root, file, chown(10, 20)).await.unwrap();
    assert_eq!((after.mode, after.uid, after.gid), (0o755, Uid(10), Gid(20)));
    let both = SetAttr {
        mode: Some(0o4711),
        ..chown(11, 21)
    };
    let after = volume.meta.setattr(&root, file, both).await.unwrap();
    assert_eq!(after.mode, 0o4711);
}

#[tokio::test]
async fn times_before_1970_mean_now_and_strangers_may_only_touch_what_they_can_write() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let past = SetTime::At(Timestamp::new(-5, 0));
    let after = volume
        .meta
        .setattr(&root, file, utimes(past, past))
        .await
        .unwrap();
    assert_eq!((after.atime, after.mtime), (after.ctime, after.ctime));
    let now = utimes(SetTime::Now, SetTime::Now);
    assert_eq!(
        kind(volume.meta.setattr(&user(10, 20), file, now).await),
        ErrorKind::AccessDenied
    );
    volume.meta.setattr(&root, file, chmod(0o666)).await.unwrap();
    volume.meta.setattr(&user(10, 20), file, now).await.unwrap();
    let explicit = utimes(SetTime::At(Timestamp::new(5, 0)), SetTime::Now);
    assert_eq!(
        kind(volume.meta.setattr(&user(10, 20), file, explicit).await),
        ErrorKind::NotPermitted
    );
}

#[tokio::test]
async fn a_size_is_set_with_its_holes_times_and_usage_in_one_change() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let slice = volume.write(file, 0, 100_000).await;
    let change = SetAttr {
        size: Some(10),
        mode: Some(0o600),
        ..SetAttr::default()
    };
    let after = volume.meta.setattr(&Context::root(), file, change).await.unwrap();
    assert_eq!((after.length, after.mode), (10, 0o600));
    let records = volume
        .meta
        .read_slices(file, moorage_model::ChunkIndex(0))
        .await
        .unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], slice);
    assert_eq!((records[1].pos, records[1].len), (10, 99_990));
    assert_eq!(
        crate::check::broken_invariants(volume.engine.as_ref(), None).await,
        [""; 0]
    );
}

#[tokio::test]
async fn usage_follows_the_owner() {
    let volume = Volume::with(|setting| setting.user_group_quota = true).await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 10_000).await;
    volume
        .meta
        .setattr(&Context::root(), file, chown(10, 20))
        .await
        .unwrap();
    for key in [
        moorage_model::QuotaKey::User(Uid(10)),
        moorage_model::QuotaKey::Group(Gid(20)),
    ] {
        match volume.record(moorage_meta::Key::Quota(key)).await {
            Some(moorage_meta::Record::Quota(quota)) => {
                assert_eq!((quota.used_space, quota.used_inodes), (12_288, 1));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_trash_and_what_lies_in_it_do_not_change() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    assert_eq!(
        kind(volume.meta.setattr(&root, file, chmod(0o600)).await),
        ErrorKind::NotPermitted
    );
    assert_eq!(
        kind(volume.meta.truncate(&root, file, 5).await),
        ErrorKind::NotPermitted
    );
    volume.meta.truncate_open(file, 5).await.unwrap();
    let hour = volume.attr(file).await.parent;
    assert_eq!(
        kind(volume.meta.setattr(&root, hour, chmod(0o777)).await),
        ErrorKind::NotPermitted
    );
    let before = volume.attr(Ino::TRASH).await;
    volume
        .meta
        .setattr(&root, Ino::TRASH, chmod(0o777))
        .await
        .unwrap();
    assert_eq!(volume.attr(Ino::TRASH).await, before);
}

#[tokio::test]
async fn root_alone_sets_immutable_and_append_and_unknown_flags_stay() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.meta.setattr(&root, file, chown(10, 20)).await.unwrap();
    let all = Flags(0xFF);
    volume
        .meta
        .set_flags(&root, file, Flags(0x40), all)
        .await
        .unwrap();
    let chattr = Flags(0x23);
    let set = volume
        .meta
        .set_flags(&user(10, 20), file, Flags::IMMUTABLE, chattr)
        .await;
    assert_eq!(kind(set), ErrorKind::NotPermitted);
    let set = volume
        .meta
        .set_flags(&user(10, 20), file, Flags::SKIP_TRASH, chattr)
        .await
        .unwrap();
    assert_eq!(set.flags, Flags(0x60));
    let set = volume
        .meta
        .set_flags(&root, file, Flags::IMMUTABLE, chattr)
        .await
        .unwrap();
    assert_eq!(set.flags, Flags(0x41));
    // Immutable restricts content and entries, not mode and owner.
    volume.meta.setattr(&root, file, chmod(0o600)).await.unwrap();
    assert_eq!(
        kind(volume.meta.truncate(&root, file, 5).await),
        ErrorKind::NotPermitted
    );
    assert_eq!(kind(volume.unlink(Ino::ROOT, "f").await), ErrorKind::NotPermitted);
}

#[tokio::test]
async fn opening_renews_the_access_time_as_the_options_ask() {
    let options = |atime| MetaOptions {
        atime,
        ..MetaOptions::default()
    };
    let volume = Volume::with_options(|_| {}, options(AtimeMode::Relative)).await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let read = OpenFlags {
        read: true,
        ..OpenFlags::default()
    };
    let first = volume.meta.open_file(&root, file, read).await.unwrap();
    volume.clock.advance(Duration::from_secs(10));
    let second = volume.meta.open_file(&root, file, read).await.unwrap();
    assert_eq!(second.atime, first.atime);
    volume.clock.advance(Duration::from_secs(25 * 3600));
    let third = volume.meta.open_file(&root, file, read).await.unwrap();
    assert!(third.atime > second.atime);
    assert_eq!(third.ctime, second.ctime);
    let strict = volume.client(options(AtimeMode::Strict)).await;
    volume.clock.advance(Duration::from_secs(2));
    assert!(strict.open_file(&root, file, read).await.unwrap().atime > third.atime);
    let never = volume.client(options(AtimeMode::Never)).await;
    volume.clock.advance(Duration::from_secs(1 << 20));
    let seen = never.open_file(&root, file, read).await.unwrap();
    assert_eq!(never.touch_atime(file).await.unwrap(), None);
    assert_eq!(volume.attr(file).await.atime, seen.atime);
}

#[tokio::test]
async fn statfs_counts_what_was_written_against_the_limits_of_the_volume() {
    let volume = Volume::with(|setting| {
        setting.capacity = 1 << 20;
        setting.inodes = 10;
    })
    .await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 5000).await;
    let numbers = volume.meta.statfs(Ino::ROOT).await.unwrap();
    assert_eq!(numbers.total_space, 1 << 20);
    assert_eq!(numbers.available_space, (1 << 20) - 8192);
    assert_eq!((numbers.used_inodes, numbers.available_inodes), (1, 9));
}

#[tokio::test]
async fn a_missing_node_is_not_found() {
    let volume = Volume::new().await;
    let change = volume
        .meta
        .setattr(&Context::root(), Ino(999), chmod(0o600))
        .await;
    assert_eq!(kind(change), ErrorKind::NotFound);
    assert_eq!(
        kind(
            volume
                .meta
                .lookup(&Context::root(), Ino::ROOT, &name("nothing"))
                .await
        ),
        ErrorKind::NotFound
    );
}
