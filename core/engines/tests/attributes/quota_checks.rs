use moorage_meta::{Counting, Key, Meta, Record};
use moorage_model::{DirStat, ErrorKind, Gid, Ino, QuotaKey, Setting, SystemClock, Uid};

use crate::fixture;
use crate::quotas::{all_consistent, chown, limit, limits, make, usage, used, used_below};
use crate::volume::{kind, name, on_each_engine, root, unchanged, user};

#[tokio::test]
async fn a_new_quota_counts_what_lies_below_but_not_itself() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let top = volume.directory(Ino::ROOT, "top").await;
        let sub = volume.directory(top, "sub").await;
        let file = volume.file(sub, "f").await;
        meta.truncate(&root(), file, 5000).await.unwrap();
        meta.link(&root(), file, top, &name("hard")).await.unwrap();
        for counting in [Counting::Statistics, Counting::Entries] {
            let key = QuotaKey::Directory(top);
            let quota = meta
                .set_quota(key, limits(1 << 30, None), counting)
                .await
                .unwrap();
            // The hard link counts per entry.
            assert_eq!((quota.used_space, quota.used_inodes), (4096 + 2 * 8192, 3));
            assert_eq!((quota.max_space, quota.max_inodes), (1 << 30, -1));
            meta.delete_quota(key).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_check_finds_drift_and_repairs_it_by_the_difference() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let directory = volume.directory(Ino::ROOT, "d").await;
        volume.file(directory, "f").await;
        chown(meta, volume.file(directory, "g").await, 7, 7).await;
        limit(meta, directory, limits(1 << 20, None)).await;
        let keys = [QuotaKey::Directory(directory), QuotaKey::User(Uid(7))];
        moorage_meta::run(meta.engine().as_ref(), "drift", move |txn| {
            for key in keys {
                txn.add_quota_usage(key, 8192, -1);
            }
            Box::pin(async { Ok(()) })
        })
        .await
        .unwrap();
        for key in keys {
            let found = meta.check_quota(key, Counting::Statistics, false).await.unwrap();
            assert!(!found.is_consistent() && !found.repaired);
            let found = meta.check_quota(key, Counting::Statistics, true).await.unwrap();
            assert!(found.repaired);
            let found = meta.check_quota(key, Counting::Statistics, true).await.unwrap();
            assert!(found.is_consistent() && !found.repaired);
        }
        assert_eq!(used_below(meta, directory).await, usage(8192, 2));
        let absent = meta
            .check_quota(QuotaKey::User(Uid(99)), Counting::Statistics, true)
            .await;
        assert_eq!(kind(absent), ErrorKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_full_check_gives_every_owner_a_record() {
    on_each_engine(
        |setting| setting.user_group_quota = false,
        |volume| async move {
            let file = volume.file(Ino::ROOT, "f").await;
            chown(&volume.meta, file, 7, 8).await;
            let meta = &volume.meta;
            let switch_on = |setting: &mut Setting| {
                setting.user_group_quota = true;
                Ok(())
            };
            Meta::change_setting(meta.engine(), &SystemClock, switch_on)
                .await
                .unwrap();
            meta.refresh_session().await.unwrap();
            let checks = meta
                .check_quotas(Counting::Statistics, true)
                .await
                .unwrap()
                .checks;
            assert_eq!(
                checks.iter().filter(|check| check.repaired).count(),
                2,
                "{checks:?}"
            );
            assert_eq!(used(meta, QuotaKey::User(Uid(7))).await, usage(4096, 1));
            assert_eq!(used(meta, QuotaKey::Group(Gid(8))).await, usage(4096, 1));
            all_consistent(meta, Counting::Statistics).await;
        },
    )
    .await;
}

#[tokio::test]
async fn limits_of_owners_outlast_a_time_without_counting() {
    on_each_engine(
        |setting| setting.user_group_quota = true,
        |volume| async move {
            let meta = &volume.meta;
            let file = volume.file(Ino::ROOT, "f").await;
            chown(meta, file, 7, 8).await;
            let key = QuotaKey::User(Uid(7));
            meta.set_quota(key, limits(1 << 20, Some(5)), Counting::Statistics)
                .await
                .unwrap();
            for counts in [false, true] {
                Meta::change_setting(meta.engine(), &SystemClock, move |setting: &mut Setting| {
                    setting.user_group_quota = counts;
                    Ok(())
                })
                .await
                .unwrap();
            }
            let kept = meta.get_quota(key).await.unwrap().unwrap();
            assert_eq!((kept.max_space, kept.max_inodes), (1 << 20, 5));
            assert_eq!((kept.used_space, kept.used_inodes), (0, 0));
            let without_limits = QuotaKey::Group(Gid(8));
            assert_eq!(meta.get_quota(without_limits).await.unwrap(), None);
        },
    )
    .await;
}

#[tokio::test]
async fn usage_that_juicefs_recorded_is_what_we_count() {
    let Some(golden) = fixture::open("quota").await else {
        return;
    };
    let meta = &golden.meta;
    for counting in [Counting::Statistics, Counting::Entries] {
        for path in ["tree", "tree/d1/d2", "links", "made/by/quota"] {
            let key = QuotaKey::Directory(golden.resolve(path).await);
            let check = meta.check_quota(key, counting, false).await.unwrap();
            assert!(check.is_consistent(), "/{path} by {counting:?}: {check:?}");
        }
    }
    // Its own tool made the three directories /made/by/quota and counted them as inodes, but not their space.
    let key = QuotaKey::Directory(Ino::ROOT);
    let check = meta.check_quota(key, Counting::Entries, false).await.unwrap();
    let stored = check.stored.unwrap();
    assert_eq!(
        check.actual,
        usage(stored.used_space + 3 * 4096, stored.used_inodes)
    );
    // JuiceFS lists: gid:2002 16 KiB 2, uid:4242 20 KiB 3.
    for (key, space, inodes) in [
        (QuotaKey::Group(Gid(2002)), 16 << 10, 2),
        (QuotaKey::User(Uid(4242)), 20 << 10, 3),
    ] {
        let check = meta.check_quota(key, Counting::Statistics, false).await.unwrap();
        assert!(check.is_consistent(), "{check:?}");
        assert_eq!(check.actual, usage(space, inodes));
    }
}

#[tokio::test]
async fn limits_that_juicefs_set_are_enforced() {
    let Some(golden) = fixture::open("quota").await else {
        return;
    };
    let meta = &golden.meta;
    // /tree/d1/d2 holds 3 of 12 inodes.
    let directory = golden.resolve("tree/d1/d2").await;
    for number in 0..9 {
        make(meta, directory, &format!("new{number}")).await.unwrap();
    }
    assert_eq!(
        kind(make(meta, directory, "one too many").await),
        ErrorKind::QuotaExceeded
    );
    // User 1000 owns 10 of 6 inodes.
    let users = golden.resolve("users").await;
    let mine = meta
        .create(&user(1000, 1000), users, &name("mine"), 0o644, 0)
        .await;
    assert_eq!(kind(mine), ErrorKind::QuotaExceeded);
    // /links uses 60 of 100 KiB.
    let file = make(meta, golden.resolve("links").await, "new").await.unwrap();
    meta.truncate(&root(), file, 40 << 10).await.unwrap();
    assert_eq!(
        kind(meta.truncate(&root(), file, (40 << 10) + 1).await),
        ErrorKind::QuotaExceeded
    );
}

#[tokio::test]
async fn statistics_that_are_missing_or_negative_are_counted_anew_by_who_notices() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let top = volume.directory(Ino::ROOT, "top").await;
        let sub = volume.directory(top, "sub").await;
        volume.file(sub, "f").await;
        moorage_meta::run(meta.engine().as_ref(), "damage", move |txn| {
            txn.delete(Key::DirStat(top));
            let negative = DirStat {
                length: 0,
                space: -4096,
                inodes: -1,
            };
            txn.put(Key::DirStat(sub), Record::DirStat(negative));
            Box::pin(async { Ok(()) })
        })
        .await
        .unwrap();
        limit(meta, top, limits(1 << 20, None)).await;
        assert_eq!(used_below(meta, top).await, usage(8192, 2));
        let one_entry = DirStat {
            length: 0,
            space: 4096,
            inodes: 1,
        };
        for directory in [top, sub] {
            let found = meta.engine().read(&[Key::DirStat(directory)]).await.unwrap();
            assert_eq!(found, [Some(Record::DirStat(one_entry))]);
        }
    })
    .await;
}
