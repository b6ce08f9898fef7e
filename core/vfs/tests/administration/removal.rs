//! rmr.

use moorage_meta::admin::{Progress, RemoveTreeOptions};
use moorage_meta::{Key, Record};
use moorage_model::{ErrorKind, Ino};

use crate::volume::{Volume, name, on_each_engine};

async fn make_tree(volume: &Volume) -> Ino {
    let top = volume.mkdir(Ino::ROOT, "top").await;
    for outer in 0..3 {
        let middle = volume.mkdir(top, &format!("d{outer}")).await;
        for inner in 0..3 {
            let deep = volume.mkdir(middle, &format!("e{inner}")).await;
            volume.file(deep, "small", 100).await;
            volume.symlink(deep, "link", "small").await;
        }
        volume.file(middle, "big", 70_000).await;
    }
    top
}

#[tokio::test]
async fn a_removed_tree_leaves_no_record_and_no_object() {
    on_each_engine(
        |_| {},
        async |volume| {
            make_tree(volume).await;
            let progress = Progress::default();
            let removed = volume
                .meta
                .remove_tree(
                    &volume.root,
                    Ino::ROOT,
                    &name("top"),
                    RemoveTreeOptions::default(),
                    &progress,
                )
                .await;
            removed.unwrap();
            // 13 directories, 9 small files, 9 symlinks, 3 big files.
            assert_eq!(progress.counts().done, 34);
            assert_eq!(volume.find("/top").await, None);
            volume.meta.flush_deletions().await.unwrap();
            assert_eq!(volume.objects().await, Vec::<String>::new());
            volume.assert_whole().await;
            let usage = volume.meta.statfs(Ino::ROOT).await.unwrap();
            assert_eq!(usage.used_inodes, 0);
        },
    )
    .await;
}

#[tokio::test]
async fn more_entries_than_a_page_are_all_removed() {
    on_each_engine(
        |_| {},
        async |volume| {
            let top = volume.mkdir(Ino::ROOT, "top").await;
            for number in 0..2100 {
                volume.create(top, &format!("f{number}")).await;
            }
            let progress = Progress::default();
            let removed = volume
                .meta
                .remove_tree(
                    &volume.root,
                    Ino::ROOT,
                    &name("top"),
                    RemoveTreeOptions::default(),
                    &progress,
                )
                .await;
            removed.unwrap();
            assert_eq!(progress.counts().done, 2101);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn with_a_trash_everything_goes_there_unless_it_is_skipped() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            make_tree(volume).await;
            let skip = RemoveTreeOptions {
                skip_trash: true,
                ..RemoveTreeOptions::default()
            };
            let progress = Progress::default();
            let middle = volume.find("/top").await.unwrap();
            volume
                .meta
                .remove_tree(&volume.root, middle, &name("d0"), skip, &progress)
                .await
                .unwrap();
            let pending = volume.meta.pending_status(&progress).await.unwrap();
            assert_eq!(pending.trash_files.count, 0, "skipped");
            volume
                .meta
                .remove_tree(
                    &volume.root,
                    Ino::ROOT,
                    &name("top"),
                    RemoveTreeOptions::default(),
                    &progress,
                )
                .await
                .unwrap();
            let pending = volume.meta.pending_status(&progress).await.unwrap();
            // 1 + 2 * (1 + 3 + 6 + 1)
            assert_eq!(pending.trash_files.count, 23);
            volume.meta.flush_deletions().await.unwrap();
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn what_the_caller_may_not_remove_stays_and_is_named_by_its_kind() {
    on_each_engine(
        |_| {},
        async |volume| {
            make_tree(volume).await;
            let progress = Progress::default();
            let refused = volume
                .meta
                .remove_tree(
                    &Volume::stranger(),
                    Ino::ROOT,
                    &name("top"),
                    RemoveTreeOptions::default(),
                    &progress,
                )
                .await;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::AccessDenied);
            assert!(volume.find("/top/d0/e0/small").await.is_some());
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_cancelled_removal_stops_and_can_be_finished() {
    on_each_engine(
        |_| {},
        async |volume| {
            make_tree(volume).await;
            let progress = Progress::default();
            progress.cancel();
            let options = RemoveTreeOptions::default();
            let stopped = volume
                .meta
                .remove_tree(&volume.root, Ino::ROOT, &name("top"), options, &progress)
                .await;
            assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
            volume.assert_whole().await;
            let finished = volume
                .meta
                .remove_tree(
                    &volume.root,
                    Ino::ROOT,
                    &name("top"),
                    options,
                    &Progress::default(),
                )
                .await;
            finished.unwrap();
            assert_eq!(volume.find("/top").await, None);
        },
    )
    .await;
}

#[tokio::test]
async fn hard_links_of_one_file_are_removed_together() {
    on_each_engine(
        |_| {},
        async |volume| {
            let top = volume.mkdir(Ino::ROOT, "top").await;
            let file = volume.file(top, "a", 10).await;
            for link in ["b", "c"] {
                volume
                    .meta
                    .link(&volume.root, file, top, &name(link))
                    .await
                    .unwrap();
            }
            volume
                .meta
                .link(&volume.root, file, Ino::ROOT, &name("kept"))
                .await
                .unwrap();
            volume
                .meta
                .remove_tree(
                    &volume.root,
                    Ino::ROOT,
                    &name("top"),
                    RemoveTreeOptions::default(),
                    &Progress::default(),
                )
                .await
                .unwrap();
            let kept = volume.engine.read(&[Key::Node(file)]).await.unwrap();
            assert!(matches!(&kept[..], [Some(Record::Node(attr))] if attr.nlink == 1));
            volume.assert_whole().await;
        },
    )
    .await;
}
