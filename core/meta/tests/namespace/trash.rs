//! Moving to the trash (spec 70-semantics section 3).

use moorage_meta::admin::{Progress, RemoveTreeOptions};
use moorage_meta::{Context, Key, OpenFlags, RenameFlags, UnlinkOptions};
use moorage_model::{ErrorKind, Flags, Ino};

use crate::check::broken_invariants;
use crate::fixture::{Volume, kind, name, user};

async fn volume() -> Volume {
    Volume::with(|setting| setting.trash_days = 1).await
}

async fn hour(volume: &Volume) -> Ino {
    let found = volume
        .meta
        .lookup(&Context::root(), Ino::TRASH, &name("2023-11-14-22"))
        .await;
    found.unwrap().0
}

#[tokio::test]
async fn a_removed_file_lies_in_the_hour_under_parent_inode_and_name() {
    let volume = volume().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    let hour = hour(&volume).await;
    assert_eq!(hour, Ino(Ino::TRASH.0 + 1));
    let entry = name(&format!("1-{file}-f"));
    let (found, attr) = volume.meta.lookup(&Context::root(), hour, &entry).await.unwrap();
    assert_eq!((found, attr.parent, attr.nlink), (file, hour, 1));
    volume.flush().await;
    assert_eq!(volume.data.ids().len(), 1);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_removed_directory_keeps_its_node_and_loses_its_statistics() {
    let volume = volume().await;
    let directory = volume.directory(Ino::ROOT, "d").await;
    let options = UnlinkOptions::default();
    volume
        .meta
        .rmdir(&Context::root(), Ino::ROOT, &name("d"), options)
        .await
        .unwrap();
    assert_eq!(volume.attr(directory).await.parent, hour(&volume).await);
    assert_eq!(volume.attr(Ino::ROOT).await.nlink, 2);
    assert_eq!(volume.dir_stat(directory).await, None);
    assert_eq!(broken_invariants(volume.engine.as_ref(), None).await, [""; 0]);
}

#[tokio::test]
async fn a_replaced_target_goes_to_the_trash_too() {
    let volume = volume().await;
    let (source, target) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    let (from, to) = (name("f"), name("g"));
    volume
        .meta
        .rename(
            &Context::root(),
            (Ino::ROOT, &from),
            (Ino::ROOT, &to),
            RenameFlags::default(),
        )
        .await
        .unwrap();
    let entry = name(&format!("1-{target}-g"));
    let found = volume
        .meta
        .lookup(&Context::root(), hour(&volume).await, &entry)
        .await
        .unwrap();
    assert_eq!(found.0, target);
    assert_eq!(
        volume
            .meta
            .lookup(&Context::root(), Ino::ROOT, &to)
            .await
            .unwrap()
            .0,
        source
    );
    assert_eq!(broken_invariants(volume.engine.as_ref(), None).await, [""; 0]);
}

#[tokio::test]
async fn skip_trash_deletes_at_once() {
    let volume = volume().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume
        .meta
        .set_flags(&root, file, Flags::SKIP_TRASH, Flags::SKIP_TRASH)
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    assert_eq!(kind(volume.meta.getattr(file).await), ErrorKind::NotFound);
    let asked = volume.file(Ino::ROOT, "g").await;
    let options = UnlinkOptions { skip_trash: true };
    volume
        .meta
        .unlink(&root, Ino::ROOT, &name("g"), options)
        .await
        .unwrap();
    assert_eq!(kind(volume.meta.getattr(asked).await), ErrorKind::NotFound);
    let directory = volume.directory(Ino::ROOT, "d").await;
    volume
        .meta
        .set_flags(&root, directory, Flags::SKIP_TRASH, Flags::SKIP_TRASH)
        .await
        .unwrap();
    let inner = volume.file(directory, "f").await;
    assert_eq!(volume.attr(inner).await.flags, Flags::SKIP_TRASH);
}

#[tokio::test]
async fn both_links_of_a_file_removed_in_one_hour_leave_one_entry_each_place() {
    let volume = volume().await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d").await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume
        .meta
        .link(&root, file, directory, &name("g"))
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.unlink(directory, "g").await.unwrap();
    assert_eq!(volume.attr(file).await.nlink, 2);
    assert_eq!(broken_invariants(volume.engine.as_ref(), None).await, [""; 0]);
    // The same name again: its place in the trash is taken, so it is really removed.
    volume
        .meta
        .link(&root, file, directory, &name("g"))
        .await
        .unwrap();
    volume.unlink(directory, "g").await.unwrap();
    assert_eq!(volume.attr(file).await.nlink, 2);
    assert_eq!(broken_invariants(volume.engine.as_ref(), None).await, [""; 0]);
}

#[tokio::test]
async fn a_trashed_file_is_readable_and_not_writable_and_only_root_takes_it_out() {
    let volume = volume().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    let hour = hour(&volume).await;
    let entry = name(&format!("1-{file}-f"));
    let read = OpenFlags {
        read: true,
        ..OpenFlags::default()
    };
    let write = OpenFlags { write: true, ..read };
    volume.meta.open_file(&user(10, 20), file, read).await.unwrap();
    assert_eq!(
        kind(volume.meta.open_file(&root, file, write).await),
        ErrorKind::NotPermitted
    );
    let options = UnlinkOptions::default();
    let stranger = volume.meta.unlink(&user(10, 20), hour, &entry, options).await;
    assert_eq!(kind(stranger), ErrorKind::NotPermitted);
    let target = name("back");
    volume
        .meta
        .rename(
            &root,
            (hour, &entry),
            (Ino::ROOT, &target),
            RenameFlags::default(),
        )
        .await
        .unwrap();
    assert_eq!(volume.attr(file).await.parent, Ino::ROOT);
    assert_eq!(broken_invariants(volume.engine.as_ref(), None).await, [""; 0]);
}

#[tokio::test]
async fn the_hours_cannot_be_removed_and_an_unlink_inside_deletes() {
    let volume = volume().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 10).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    let hour = hour(&volume).await;
    let options = UnlinkOptions::default();
    let removed = volume
        .meta
        .rmdir(&root, Ino::TRASH, &name("2023-11-14-22"), options)
        .await;
    assert_eq!(kind(removed), ErrorKind::NotPermitted);
    let entry = name(&format!("1-{file}-f"));
    volume.meta.unlink(&root, hour, &entry, options).await.unwrap();
    assert_eq!(volume.record(Key::Node(file)).await, None);
    volume.flush().await;
    assert_eq!(volume.data.ids(), []);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_path_leads_into_the_trash_and_what_is_removed_there_is_deleted_for_good() {
    let volume = volume().await;
    let (root, options, progress) = (Context::root(), RemoveTreeOptions::default(), Progress::default());
    let mut names = Vec::new();
    for file in ["one", "other"] {
        let ino = volume.file(Ino::ROOT, file).await;
        volume.write(ino, 0, 100).await;
        volume.unlink(Ino::ROOT, file).await.unwrap();
        let name = format!("1-{ino}-{file}");
        let path = format!("/.trash/2023-11-14-22/{name}");
        assert_eq!(volume.meta.resolve(&root, path.as_bytes()).await.unwrap().0, ino);
        names.push(name);
    }
    let hour = hour(&volume).await;
    let one = name(&names[0]);
    volume
        .meta
        .remove_tree(&root, hour, &one, options, &progress)
        .await
        .unwrap();
    volume.flush().await;
    assert_eq!(volume.data.ids().len(), 1);
    let whole = name("2023-11-14-22");
    volume
        .meta
        .remove_tree(&root, Ino::TRASH, &whole, options, &progress)
        .await
        .unwrap();
    volume.flush().await;
    assert_eq!(volume.data.ids().len(), 0);
    assert!(volume.meta.getattr(hour).await.unwrap().is_directory());
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}
