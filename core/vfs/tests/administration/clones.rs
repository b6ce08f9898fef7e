//! clone.

use moorage_meta::admin::{CloneOptions, Progress, ReclaimMode};
use moorage_meta::{Key, Record};
use moorage_model::{AclEntry, AclKind, AclRule, ErrorKind, Ino, Uid};

use crate::volume::{DAY, Volume, name, on_each_engine};

async fn clone(volume: &Volume, source: Ino, text: &str, preserve: bool) -> moorage_model::Result<Ino> {
    let options = CloneOptions {
        preserve,
        ..CloneOptions::default()
    };
    volume
        .meta
        .clone_tree(
            &volume.root,
            source,
            Ino::ROOT,
            &name(text),
            options,
            &Progress::default(),
        )
        .await
        .map(|cloned| cloned.ino)
}

async fn make_source(volume: &Volume) -> Ino {
    let top = volume.mkdir(Ino::ROOT, "source").await;
    let below = volume.mkdir(top, "below").await;
    let file = volume.file(below, "file", 100_000).await;
    volume.symlink(below, "link", "file").await;
    volume
        .meta
        .link(&volume.root, file, top, &name("hard"))
        .await
        .unwrap();
    for number in 0..120 {
        volume.file(top, &format!("f{number}"), 10).await;
    }
    top
}

#[tokio::test]
async fn the_access_list_of_a_copy_follows_the_mode_that_the_umask_leaves() {
    on_each_engine(
        |setting| setting.enable_acl = true,
        async |volume| {
            let source = volume.mkdir(Ino::ROOT, "source").await;
            let file = volume.file(source, "file", 1).await;
            let rule = AclRule {
                owner: 7,
                group: 5,
                mask: 7,
                other: 5,
                users: vec![AclEntry {
                    id: 1000,
                    permissions: 7,
                }],
                ..AclRule::default()
            };
            for ino in [source, file] {
                volume
                    .meta
                    .set_acl(&volume.root, ino, AclKind::Access, Some(rule.clone()))
                    .await
                    .unwrap();
            }
            let options = CloneOptions {
                umask: 0o027,
                ..CloneOptions::default()
            };
            volume
                .meta
                .clone_tree(
                    &volume.root,
                    source,
                    Ino::ROOT,
                    &name("copy"),
                    options,
                    &Progress::default(),
                )
                .await
                .unwrap();
            let expected = AclRule {
                mask: 5,
                other: 0,
                ..rule
            };
            for path in ["/copy", "/copy/file"] {
                let copy = volume.find(path).await.unwrap();
                assert_eq!(volume.meta.getattr(copy).await.unwrap().mode & 0o777, 0o750);
                let found = volume.meta.get_acl(copy, AclKind::Access).await.unwrap();
                assert_eq!(found.as_ref(), Some(&expected), "{path}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_cloned_tree_shares_the_objects_and_outlives_its_source() {
    on_each_engine(
        |_| {},
        async |volume| {
            let source = make_source(volume).await;
            let objects = volume.objects().await;
            let cloned = volume
                .meta
                .clone_tree(
                    &volume.root,
                    source,
                    Ino::ROOT,
                    &name("copy"),
                    CloneOptions::default(),
                    &Progress::default(),
                )
                .await
                .unwrap();
            // Two directories, 120 files, a file, its other name, a symlink.
            assert_eq!(cloned.nodes, 125);
            assert_eq!(volume.objects().await, objects);
            assert_eq!(volume.meta.getattr(cloned.ino).await.unwrap().nlink, 3);
            volume.assert_whole().await;
            let hard = volume.find("/copy/hard").await.unwrap();
            assert_ne!(
                Some(hard),
                volume.find("/copy/below/file").await,
                "hard links become files"
            );
            volume
                .meta
                .remove_tree(
                    &volume.root,
                    Ino::ROOT,
                    &name("source"),
                    moorage_meta::admin::RemoveTreeOptions::default(),
                    &Progress::default(),
                )
                .await
                .unwrap();
            volume.meta.flush_deletions().await.unwrap();
            assert_eq!(volume.objects().await, objects, "the copy owns every object");
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn owner_and_mode_are_kept_only_when_asked_for() {
    on_each_engine(
        |_| {},
        async |volume| {
            let file = volume.file(Ino::ROOT, "file", 10).await;
            let mut attr = volume.meta.getattr(file).await.unwrap();
            attr.uid = Uid(1000);
            attr.mode = 0o666;
            volume
                .tamper(Key::Node(file), Some(Record::Node(attr.clone())))
                .await;
            volume.clock.advance(10);
            let plain = clone(volume, file, "plain", false).await.unwrap();
            let plain = volume.meta.getattr(plain).await.unwrap();
            assert_eq!((plain.uid, plain.mode, plain.nlink), (Uid::ROOT, 0o644, 1));
            assert_ne!(plain.mtime, attr.mtime);
            let kept = clone(volume, file, "kept", true).await.unwrap();
            let kept = volume.meta.getattr(kept).await.unwrap();
            assert_eq!((kept.uid, kept.mode, kept.mtime), (Uid(1000), 0o666, attr.mtime));
        },
    )
    .await;
}

#[tokio::test]
async fn a_clone_does_not_replace_and_does_not_enter_the_trash() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            let source = make_source(volume).await;
            let taken = clone(volume, source, "source", false).await;
            assert_eq!(taken.unwrap_err().kind(), ErrorKind::Exists);
            let refused = volume
                .meta
                .clone_tree(
                    &volume.root,
                    source,
                    Ino::TRASH,
                    &name("x"),
                    CloneOptions::default(),
                    &Progress::default(),
                )
                .await;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotPermitted);
            let unreadable = volume
                .meta
                .clone_tree(
                    &Volume::stranger(),
                    source,
                    source,
                    &name("x"),
                    CloneOptions::default(),
                    &Progress::default(),
                )
                .await;
            assert_eq!(unreadable.unwrap_err().kind(), ErrorKind::AccessDenied);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_clone_that_does_not_fit_leaves_nothing() {
    on_each_engine(
        |setting| setting.inodes = 200,
        async |volume| {
            let source = make_source(volume).await;
            let refused = clone(volume, source, "copy", false).await;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::NoSpace);
            assert_eq!(volume.find("/copy").await, None);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_tree_is_not_cloned_into_itself() {
    on_each_engine(
        |_| {},
        async |volume| {
            let source = make_source(volume).await;
            let below = volume.find("/source/below").await.unwrap();
            for parent in [source, below] {
                let refused = volume
                    .meta
                    .clone_tree(
                        &volume.root,
                        source,
                        parent,
                        &name("inside"),
                        CloneOptions::default(),
                        &Progress::default(),
                    )
                    .await
                    .unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
            }
            assert_eq!(volume.find("/source/inside").await, None);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn an_abandoned_clone_is_removed_after_its_time() {
    on_each_engine(
        |_| {},
        async |volume| {
            let source = make_source(volume).await;
            for path in ["/source/below", "/source/f7"] {
                let ino = volume.find(path).await.unwrap();
                let mut attr = volume.meta.getattr(ino).await.unwrap();
                attr.flags = moorage_model::Flags::IMMUTABLE;
                volume.tamper(Key::Node(ino), Some(Record::Node(attr))).await;
            }
            let copy = clone(volume, source, "copy", false).await.unwrap();
            // As a client leaves it that dies before the attachment.
            let began = moorage_model::Clock::now(volume.clock.as_ref()).seconds;
            volume.tamper(Key::Edge(Ino::ROOT, name("copy")), None).await;
            volume
                .tamper(Key::Detached(copy), Some(Record::Detached(began)))
                .await;
            let progress = Progress::default();
            let young = volume
                .meta
                .reclaim_detached(began - DAY, ReclaimMode::Delete, &progress)
                .await;
            assert_eq!(young.unwrap().count, 0);
            volume.clock.advance(DAY + 1);
            let old = volume
                .meta
                .reclaim_detached(began + 1, ReclaimMode::Delete, &progress)
                .await;
            assert_eq!(old.unwrap().count, 1);
            volume.meta.flush_deletions().await.unwrap();
            let gone = volume.engine.read(&[Key::Node(copy), Key::Detached(copy)]).await;
            assert_eq!(gone.unwrap(), [None, None]);
            let report = volume.check().await;
            assert!(
                crate::volume::serious(&report)
                    .iter()
                    .all(|text| text.contains("links")),
                "{report:#?}"
            );
        },
    )
    .await;
}
