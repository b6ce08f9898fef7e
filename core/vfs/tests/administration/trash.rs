//! Trash: expiry, restore, delayed slices.

use moorage_meta::admin::{Progress, ReclaimMode, RemoveTreeOptions, RestoreOptions};
use moorage_meta::{Counting, QuotaLimits};
use moorage_model::{Clock as _, ErrorKind, Ino, QuotaKey};

use crate::volume::{DAY, Volume, name, on_each_engine};

async fn hours(volume: &Volume) -> Vec<String> {
    let page = volume
        .meta
        .read_directory(&volume.root, Ino::TRASH, None, 1000, false)
        .await
        .unwrap();
    page.into_iter().map(|item| item.name.to_string()).collect()
}

async fn trash_tree(volume: &Volume) -> (Ino, Ino) {
    let top = volume.mkdir(Ino::ROOT, "top").await;
    let below = volume.mkdir(top, "below").await;
    volume.file(below, "file", 70_000).await;
    volume.file(top, "other", 10).await;
    remove(volume, "top").await;
    (top, below)
}

async fn remove(volume: &Volume, text: &str) {
    volume
        .meta
        .remove_tree(
            &volume.root,
            Ino::ROOT,
            &name(text),
            RemoveTreeOptions::default(),
            &Progress::default(),
        )
        .await
        .unwrap();
}

async fn expire(volume: &Volume, before: i64, mode: ReclaimMode) -> (u64, u64) {
    let expiry = volume
        .meta
        .expire_trash(before, mode, 4, &Progress::default())
        .await
        .unwrap();
    (expiry.hours, expiry.entries)
}

#[tokio::test]
async fn only_hours_older_than_the_trash_days_are_emptied() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            trash_tree(volume).await;
            volume.clock.advance(DAY);
            volume.file(Ino::ROOT, "young", 10).await;
            volume.unlink(Ino::ROOT, "young").await;
            assert_eq!(hours(volume).await.len(), 2);
            volume.clock.advance(3 * 3600);
            let before = volume.meta.trash_expiry();
            assert_eq!(expire(volume, before, ReclaimMode::DryRun).await, (1, 4));
            assert_eq!(hours(volume).await.len(), 2, "a dry run removes nothing");
            assert_eq!(expire(volume, before, ReclaimMode::Delete).await, (1, 4));
            assert_eq!(hours(volume).await.len(), 1);
            volume.meta.flush_deletions().await.unwrap();
            assert_eq!(
                volume.objects().await.len(),
                1,
                "only the young file's object is left"
            );
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn the_hour_that_clients_still_fill_is_never_emptied() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            trash_tree(volume).await;
            assert_eq!(expire(volume, i64::MAX, ReclaimMode::Delete).await, (0, 0));
            assert_eq!(hours(volume).await.len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn put_back_restores_a_whole_tree_where_it_was() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let (top, below) = trash_tree(volume).await;
            let hour = hours(volume).await.remove(0);
            let options = RestoreOptions {
                put_back: true,
                ..RestoreOptions::default()
            };
            let restored = volume
                .meta
                .restore_trash(&volume.root, &hour, options, &Progress::default())
                .await
                .unwrap();
            assert_eq!((restored.put_back, restored.rebuilt), (1, 3));
            assert_eq!((restored.left, restored.name_taken), (0, 0));
            assert_eq!(volume.find("/top").await, Some(top));
            assert_eq!(volume.find("/top/below").await, Some(below));
            assert!(volume.find("/top/below/file").await.is_some());
            assert_eq!(volume.meta.getattr(top).await.unwrap().nlink, 3);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn without_put_back_the_tree_is_rebuilt_inside_the_trash_and_expires_there() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let (top, _) = trash_tree(volume).await;
            let hour = hours(volume).await.remove(0);
            let restored = volume
                .meta
                .restore_trash(
                    &volume.root,
                    &hour,
                    RestoreOptions::default(),
                    &Progress::default(),
                )
                .await
                .unwrap();
            assert_eq!((restored.put_back, restored.rebuilt, restored.left), (0, 3, 1));
            assert_eq!(volume.find("/top").await, None);
            assert!(
                volume
                    .meta
                    .lookup(&volume.root, top, &name("other"))
                    .await
                    .is_ok()
            );
            volume.clock.advance(2 * DAY);
            assert_eq!(
                expire(volume, volume.meta.trash_expiry(), ReclaimMode::Delete).await,
                (1, 4)
            );
            volume.meta.flush_deletions().await.unwrap();
            assert_eq!(volume.objects().await, Vec::<String>::new());
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn what_was_rebuilt_inside_the_trash_is_not_taken_for_a_living_place() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let (_, below) = trash_tree(volume).await;
            let first = hours(volume).await.remove(0);
            let restore = async |hour: &str, put_back| {
                let options = RestoreOptions {
                    put_back,
                    ..RestoreOptions::default()
                };
                let restored = volume
                    .meta
                    .restore_trash(&volume.root, hour, options, &Progress::default())
                    .await
                    .unwrap();
                (restored.put_back, restored.rebuilt, restored.left)
            };
            assert_eq!(restore(&first, false).await, (0, 3, 1));
            // `below` lies inside `top` in the trash now: what is removed from it belongs to it, not to the tree.
            volume.unlink(below, "file").await;
            assert_eq!(restore(&first, true).await, (1, 1, 0));
            assert!(volume.find("/top/below/file").await.is_some());
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn restore_leaves_what_has_no_place_to_go_to() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            volume.file(Ino::ROOT, "taken", 10).await;
            volume.unlink(Ino::ROOT, "taken").await;
            let replacement = volume.file(Ino::ROOT, "taken", 20).await;
            let hour = hours(volume).await.remove(0);
            let options = RestoreOptions {
                put_back: true,
                ..RestoreOptions::default()
            };
            let restored = volume
                .meta
                .restore_trash(&volume.root, &hour, options, &Progress::default())
                .await
                .unwrap();
            assert_eq!(restored.name_taken, 1);
            assert_eq!(volume.find("/taken").await, Some(replacement));
            let none = volume
                .meta
                .restore_trash(&volume.root, "1999-01-01-00", options, &Progress::default())
                .await;
            assert_eq!(none.unwrap_err().kind(), ErrorKind::NotFound);
        },
    )
    .await;
}

#[tokio::test]
async fn what_does_not_fit_a_quota_stays_in_the_trash_and_stops_nothing_else() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let full = volume.mkdir(Ino::ROOT, "full").await;
            for directory in [full, Ino::ROOT] {
                volume.file(directory, "file", 10).await;
                volume.unlink(directory, "file").await;
            }
            let limits = QuotaLimits {
                max_inodes: Some(1),
                ..QuotaLimits::default()
            };
            let quota = volume
                .meta
                .set_quota(QuotaKey::Directory(full), limits, Counting::Entries)
                .await;
            assert_eq!(quota.unwrap().used_inodes, 0);
            volume.file(full, "another", 10).await;
            let hour = hours(volume).await.remove(0);
            let options = RestoreOptions {
                put_back: true,
                ..RestoreOptions::default()
            };
            let progress = Progress::default();
            let restore = || volume.meta.restore_trash(&volume.root, &hour, options, &progress);
            let restored = restore().await.unwrap();
            assert_eq!((restored.put_back, restored.over_quota), (1, 1));
            assert!(volume.find("/file").await.is_some());
            volume.meta.delete_quota(QuotaKey::Directory(full)).await.unwrap();
            volume.meta.refresh_session().await.unwrap();
            assert_eq!(restore().await.unwrap().put_back, 1);
            assert!(volume.find("/full/file").await.is_some());
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn replaced_slices_are_kept_for_the_trash_days_and_then_go() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let file = volume.file(Ino::ROOT, "file", 10).await;
            for pos in 1..5 {
                volume.write(file, pos * 10, 10, 1).await;
            }
            let compacted = volume
                .meta
                .compact_tree(Ino::ROOT, 4, &Progress::default())
                .await
                .unwrap();
            assert_eq!((compacted.compacted, compacted.replaced), (1, 5));
            assert_eq!(volume.slice_counts(file).await, 1);
            assert_eq!(volume.objects().await.len(), 6);
            let progress = Progress::default();
            let before = volume.clock.now().seconds - DAY;
            let young = volume
                .meta
                .reclaim_delayed_slices(before, ReclaimMode::Delete, &progress)
                .await;
            assert_eq!(young.unwrap().count, 0);
            volume.assert_whole().await;
            volume.clock.advance(DAY + 1);
            let old = volume
                .meta
                .reclaim_delayed_slices(volume.meta.delayed_slice_expiry(), ReclaimMode::Delete, &progress)
                .await;
            assert_eq!(old.unwrap().count, 5);
            assert_eq!(volume.objects().await.len(), 1);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_a_day_takes_nothing_from_the_trash_and_keeps_what_is_made_meanwhile() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let before = volume.file(Ino::ROOT, "before", 70_000).await;
            volume.unlink(Ino::ROOT, "before").await;
            volume.clock.advance(-DAY);
            let meanwhile = volume.file(Ino::ROOT, "meanwhile", 70_000).await;
            volume.file(Ino::ROOT, "removed", 10).await;
            volume.unlink(Ino::ROOT, "removed").await;
            let expiry = volume.meta.trash_expiry();
            assert_eq!(expire(volume, expiry, ReclaimMode::Delete).await, (0, 0));
            volume.meta.flush_deletions().await.unwrap();
            assert!(volume.meta.getattr(before).await.is_ok(), "it lies in the trash");
            assert_eq!(volume.find("/meanwhile").await, Some(meanwhile));
            assert_eq!(hours(volume).await.len(), 2);
            volume.assert_whole().await;
            volume.clock.advance(3 * DAY);
            let expiry = volume.meta.trash_expiry();
            assert_eq!(expire(volume, expiry, ReclaimMode::Delete).await, (2, 2));
            volume.meta.flush_deletions().await.unwrap();
            assert_eq!(
                volume.objects().await.len(),
                2,
                "the blocks of the file that stays"
            );
            volume.assert_whole().await;
        },
    )
    .await;
}
