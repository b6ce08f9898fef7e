use moorage_meta::{
    Context, Counting, Key, Meta, QuotaLimits, Record, RenameFlags, Scan, SetAttr, UnlinkOptions, Usage,
};
use moorage_model::{ErrorKind, Gid, Ino, Quota, QuotaKey, Result, Uid};

use crate::volume::{kind, name, on_each_engine, root, unchanged, user};

pub(crate) fn limits(max_space: impl Into<Option<i64>>, max_inodes: impl Into<Option<i64>>) -> QuotaLimits {
    QuotaLimits {
        max_space: max_space.into(),
        max_inodes: max_inodes.into(),
    }
}

pub(crate) async fn limit(meta: &Meta, directory: Ino, limits: QuotaLimits) {
    meta.set_quota(QuotaKey::Directory(directory), limits, Counting::Statistics)
        .await
        .unwrap();
}

/// What a quota has on record.
pub(crate) async fn used(meta: &Meta, key: QuotaKey) -> Usage {
    let quota = meta.get_quota(key).await.unwrap().unwrap();
    Usage {
        space: quota.used_space,
        inodes: quota.used_inodes,
    }
}

pub(crate) async fn used_below(meta: &Meta, directory: Ino) -> Usage {
    used(meta, QuotaKey::Directory(directory)).await
}

pub(crate) fn usage(space: i64, inodes: i64) -> Usage {
    Usage { space, inodes }
}

pub(crate) async fn make(meta: &Meta, parent: Ino, text: &str) -> Result<Ino> {
    let created = meta.create(&root(), parent, &name(text), 0o644, 0).await?;
    Ok(created.ino)
}

pub(crate) async fn move_to(meta: &Meta, from: Ino, source: &str, to: Ino, target: &str) -> Result<()> {
    let (source, target) = (name(source), name(target));
    meta.rename(&root(), (from, &source), (to, &target), RenameFlags::default())
        .await
        .map(drop)
}

pub(crate) async fn chown(meta: &Meta, ino: Ino, uid: u32, gid: u32) {
    let change = SetAttr {
        uid: Some(Uid(uid)),
        gid: Some(Gid(gid)),
        ..SetAttr::default()
    };
    meta.setattr(&root(), ino, change).await.unwrap();
}

pub(crate) async fn all_consistent(meta: &Meta, counting: Counting) {
    for check in meta.check_quotas(counting, false).await.unwrap().checks {
        assert!(check.is_consistent(), "{check:?}");
    }
}

#[tokio::test]
async fn limits_are_set_changed_listed_and_removed() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let directory = volume.directory(Ino::ROOT, "d").await;
        let key = QuotaKey::Directory(directory);
        assert_eq!(meta.get_quota(key).await.unwrap(), None);
        assert_eq!(kind(meta.delete_quota(key).await), ErrorKind::NotFound);
        limit(meta, directory, limits(1 << 20, 30)).await;
        limit(meta, directory, limits(None, 0)).await;
        let quota = Quota {
            max_space: 1 << 20,
            max_inodes: -1,
            used_space: 0,
            used_inodes: 0,
        };
        assert_eq!(meta.get_quota(key).await.unwrap(), Some(quota));
        let owner = QuotaKey::User(Uid(5));
        meta.set_quota(owner, limits(4096, 1), Counting::Statistics)
            .await
            .unwrap();
        let listed = meta.list_quotas().await.unwrap().quotas;
        assert!(listed.contains(&(key, quota)));
        assert!(
            listed
                .iter()
                .any(|(key, quota)| *key == owner && quota.max_inodes == 1)
        );
        meta.delete_quota(key).await.unwrap();
        meta.delete_quota(owner).await.unwrap();
        assert_eq!(meta.get_quota(key).await.unwrap(), None);
        // The record of an owner stays, without limits.
        assert_eq!(meta.get_quota(owner).await.unwrap(), Some(Quota::default()));
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_limited_is_refused() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        |volume| async move {
            let meta = &volume.meta;
            let file = volume.file(Ino::ROOT, "f").await;
            let directory = volume.directory(Ino::ROOT, "d").await;
            meta.rmdir(&root(), Ino::ROOT, &name("d"), UnlinkOptions::default())
                .await
                .unwrap();
            let set = async |key| kind(meta.set_quota(key, limits(1, 1), Counting::Statistics).await);
            assert_eq!(set(QuotaKey::Directory(file)).await, ErrorKind::NotDirectory);
            assert_eq!(set(QuotaKey::Directory(Ino(999_999))).await, ErrorKind::NotFound);
            assert_eq!(set(QuotaKey::Directory(directory)).await, ErrorKind::NotPermitted);
            assert_eq!(
                set(QuotaKey::Directory(Ino::TRASH)).await,
                ErrorKind::NotPermitted
            );
            assert_eq!(set(QuotaKey::User(Uid(0))).await, ErrorKind::NotPermitted);
            assert_eq!(set(QuotaKey::Group(Gid(0))).await, ErrorKind::NotPermitted);
        },
    )
    .await;
}

#[tokio::test]
async fn a_volume_that_does_not_count_has_no_quotas() {
    on_each_engine(
        |setting| (setting.dir_stats, setting.user_group_quota) = (false, false),
        |volume| async move {
            let directory = volume.directory(Ino::ROOT, "d").await;
            for key in [QuotaKey::Directory(directory), QuotaKey::User(Uid(5))] {
                let set = volume
                    .meta
                    .set_quota(key, limits(1, 1), Counting::Statistics)
                    .await;
                assert_eq!(kind(set), ErrorKind::NotSupported);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn entries_and_bytes_beyond_a_limit_are_refused_on_every_level() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let top = volume.directory(Ino::ROOT, "top").await;
        let sub = volume.directory(top, "sub").await;
        limit(meta, top, limits(40_960, None)).await;
        limit(meta, sub, limits(None, 2)).await;
        let file = make(meta, sub, "a").await.unwrap();
        make(meta, sub, "b").await.unwrap();
        assert_eq!(kind(make(meta, sub, "c").await), ErrorKind::QuotaExceeded);
        assert_eq!(
            kind(meta.mkdir(&root(), sub, &name("c"), 0o755, 0).await),
            ErrorKind::QuotaExceeded
        );
        assert_eq!(
            kind(meta.link(&root(), file, sub, &name("c")).await),
            ErrorKind::QuotaExceeded
        );
        // sub, a and b count 12 KiB: 28 KiB are left to the top.
        meta.truncate(&root(), file, 32_768).await.unwrap();
        assert_eq!(
            kind(meta.truncate(&root(), file, 32_769).await),
            ErrorKind::QuotaExceeded
        );
        assert_eq!(kind(make(meta, top, "d").await), ErrorKind::QuotaExceeded);
        meta.truncate(&root(), file, 0).await.unwrap();
        make(meta, top, "d").await.unwrap();
        meta.unlink(&root(), sub, &name("b"), UnlinkOptions::default())
            .await
            .unwrap();
        make(meta, sub, "c").await.unwrap();
        all_consistent(meta, Counting::Entries).await;
    })
    .await;
}

#[tokio::test]
async fn moves_carry_their_usage_from_one_quota_to_the_other() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let (left, right) = (
            volume.directory(Ino::ROOT, "left").await,
            volume.directory(Ino::ROOT, "right").await,
        );
        let tree = volume.directory(left, "tree").await;
        let file = volume.file(tree, "f").await;
        meta.truncate(&root(), file, 10_000).await.unwrap();
        volume.file(left, "single").await;
        limit(meta, left, limits(1 << 20, None)).await;
        limit(meta, right, limits(1 << 20, 3)).await;
        limit(meta, Ino::ROOT, limits(None, 100)).await;
        let whole = used_below(meta, Ino::ROOT).await;
        assert_eq!(used_below(meta, left).await, usage(4096 + 12_288 + 4096, 3));
        move_to(meta, left, "tree", right, "tree").await.unwrap();
        assert_eq!(used_below(meta, left).await, usage(4096, 1));
        assert_eq!(used_below(meta, right).await, usage(4096 + 12_288, 2));
        move_to(meta, left, "single", right, "single").await.unwrap();
        volume.file(left, "more").await;
        assert_eq!(
            kind(move_to(meta, left, "more", right, "more").await),
            ErrorKind::QuotaExceeded
        );
        // Replacing frees what the move needs.
        move_to(meta, left, "more", right, "single").await.unwrap();
        assert_eq!(used_below(meta, left).await, usage(0, 0));
        assert_eq!(used_below(meta, right).await, usage(4096 + 12_288 + 4096, 3));
        assert_eq!(
            used_below(meta, Ino::ROOT).await,
            usage(whole.space, whole.inodes)
        );
        all_consistent(meta, Counting::Entries).await;
    })
    .await;
}

#[tokio::test]
async fn an_exchange_swaps_the_usage_of_trees() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let (left, right) = (
            volume.directory(Ino::ROOT, "left").await,
            volume.directory(Ino::ROOT, "right").await,
        );
        let tree = volume.directory(left, "tree").await;
        volume.file(tree, "f").await;
        volume.file(right, "single").await;
        limit(meta, left, limits(1 << 20, None)).await;
        limit(meta, right, limits(1 << 20, None)).await;
        let flags = RenameFlags {
            exchange: true,
            ..RenameFlags::default()
        };
        let (tree, single) = (name("tree"), name("single"));
        meta.rename(&root(), (left, &tree), (right, &single), flags)
            .await
            .unwrap();
        assert_eq!(used_below(meta, left).await, usage(4096, 1));
        assert_eq!(used_below(meta, right).await, usage(8192, 2));
        all_consistent(meta, Counting::Entries).await;
    })
    .await;
}

#[tokio::test]
async fn the_trash_takes_usage_away_and_a_restore_brings_it_back() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        |volume| async move {
            let meta = &volume.meta;
            let directory = volume.directory(Ino::ROOT, "d").await;
            volume.file(directory, "f").await;
            limit(meta, directory, limits(None, 1)).await;
            meta.unlink(&root(), directory, &name("f"), UnlinkOptions::default())
                .await
                .unwrap();
            assert_eq!(used_below(meta, directory).await, usage(0, 0));
            let hours = volume.records(Scan::Edges(Ino::TRASH)).await;
            let (_, Record::Edge(hour)) = &hours[0] else {
                panic!("no hour in {hours:?}")
            };
            let trashed = volume.records(Scan::Edges(hour.ino)).await;
            let (Key::Edge(_, old), _) = &trashed[0] else {
                panic!("no entry in {trashed:?}")
            };
            let flags = RenameFlags {
                no_replace: true,
                restore: true,
                ..RenameFlags::default()
            };
            meta.rename(&root(), (hour.ino, old), (directory, &name("f")), flags)
                .await
                .unwrap();
            assert_eq!(used_below(meta, directory).await, usage(4096, 1));
            assert_eq!(kind(make(meta, directory, "g").await), ErrorKind::QuotaExceeded);
        },
    )
    .await;
}

#[tokio::test]
async fn a_removed_directory_takes_its_quota_along() {
    on_each_engine(unchanged, |volume| async move {
        let directory = volume.directory(Ino::ROOT, "d").await;
        limit(&volume.meta, directory, limits(1, 1)).await;
        volume
            .meta
            .rmdir(&root(), Ino::ROOT, &name("d"), UnlinkOptions::default())
            .await
            .unwrap();
        let left = volume
            .meta
            .get_quota(QuotaKey::Directory(directory))
            .await
            .unwrap();
        assert_eq!(left, None);
    })
    .await;
}

#[tokio::test]
async fn another_client_enforces_a_quota_after_its_heartbeat() {
    on_each_engine(unchanged, |volume| async move {
        let there = volume.client().await;
        let directory = volume.directory(Ino::ROOT, "d").await;
        limit(&volume.meta, directory, limits(None, 1)).await;
        there.refresh_session().await.unwrap();
        make(&there, directory, "a").await.unwrap();
        // The other client decides by the stored number, though it has not seen this change.
        assert_eq!(
            kind(make(&volume.meta, directory, "b").await),
            ErrorKind::QuotaExceeded
        );
        volume
            .meta
            .delete_quota(QuotaKey::Directory(directory))
            .await
            .unwrap();
        make(&there, directory, "b").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn users_and_groups_are_limited_by_what_they_own() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let users = volume.directory(Ino::ROOT, "users").await;
        let open = SetAttr {
            mode: Some(0o777),
            ..SetAttr::default()
        };
        meta.setattr(&root(), users, open).await.unwrap();
        let (uid, gid) = (QuotaKey::User(Uid(4242)), QuotaKey::Group(Gid(2002)));
        meta.set_quota(uid, limits(None, 3), Counting::Statistics)
            .await
            .unwrap();
        meta.set_quota(gid, limits(8192, None), Counting::Statistics)
            .await
            .unwrap();
        let caller = user(4242, 4242);
        let create = async |caller: &Context, text: &str| {
            let created = meta.create(caller, users, &name(text), 0o644, 0).await?;
            Result::Ok(created.ino)
        };
        // As in the golden volume "quota".
        let first = create(&caller, "v0").await.unwrap();
        create(&caller, "v1").await.unwrap();
        create(&caller, "v2").await.unwrap();
        assert_eq!(kind(create(&caller, "v3").await), ErrorKind::QuotaExceeded);
        let linked = meta.link(&caller, first, users, &name("v_link")).await;
        assert_eq!(kind(linked), ErrorKind::QuotaExceeded);
        meta.truncate(&caller, first, 10_000).await.unwrap();
        assert_eq!(used(meta, uid).await, usage(12_288 + 2 * 4096, 3));
        // A chown is not checked, carries the usage over, and growth is then checked against the new group.
        chown(meta, first, 4242, 2002).await;
        assert_eq!(used(meta, gid).await, usage(12_288, 1));
        assert_eq!(used(meta, QuotaKey::Group(Gid(4242))).await, usage(8192, 2));
        assert_eq!(
            kind(meta.truncate(&root(), first, 12_289).await),
            ErrorKind::QuotaExceeded
        );
        meta.truncate(&root(), first, 100).await.unwrap();
        assert_eq!(used(meta, gid).await, usage(4096, 1));
        meta.unlink(&root(), users, &name("v0"), UnlinkOptions::default())
            .await
            .unwrap();
        assert_eq!(used(meta, gid).await, usage(0, 0));
        create(&caller, "v3").await.unwrap();
        all_consistent(meta, Counting::Statistics).await;
    })
    .await;
}

#[tokio::test]
async fn a_mount_inside_a_quota_shows_its_size() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let top = volume.directory(Ino::ROOT, "top").await;
        let sub = volume.directory(top, "sub").await;
        let file = volume.file(sub, "f").await;
        meta.truncate(&root(), file, 100_000).await.unwrap();
        limit(meta, top, limits(1 << 20, 10)).await;
        let shown = meta.statfs(sub).await.unwrap();
        assert_eq!(shown.total_space, 1 << 20);
        assert_eq!(shown.available_space, (1 << 20) - 102_400 - 4096);
        assert_eq!((shown.used_inodes, shown.available_inodes), (2, 8));
        assert_eq!(meta.statfs(Ino::ROOT).await.unwrap().total_space, 1 << 50);
    })
    .await;
}
