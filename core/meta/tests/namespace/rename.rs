//! Rename (spec 70-semantics section 6).

use moorage_meta::{Context, RenameFlags};
use moorage_model::{Attr, ErrorKind, Flags, Ino, Result};

use crate::check::broken_invariants;
use crate::fixture::{Volume, kind, name};

const EXCHANGE: RenameFlags = RenameFlags {
    no_replace: false,
    exchange: true,
    restore: false,
};
const NO_REPLACE: RenameFlags = RenameFlags {
    no_replace: true,
    exchange: false,
    restore: false,
};

async fn rename(
    volume: &Volume,
    source: (Ino, &str),
    target: (Ino, &str),
    flags: RenameFlags,
) -> Result<(Ino, Attr)> {
    let (from, to) = (name(source.1), name(target.1));
    volume
        .meta
        .rename(&Context::root(), (source.0, &from), (target.0, &to), flags)
        .await
}

async fn ino(volume: &Volume, parent: Ino, entry: &str) -> Option<Ino> {
    let found = volume.meta.lookup(&Context::root(), parent, &name(entry)).await;
    found.ok().map(|(ino, _)| ino)
}

async fn sound(volume: &Volume) {
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn rename_moves_replaces_and_keeps_counts() {
    let volume = Volume::new().await;
    let (a, b) = (
        volume.directory(Ino::ROOT, "a").await,
        volume.directory(Ino::ROOT, "b").await,
    );
    let moved = volume.directory(a, "sub").await;
    let file = volume.file(a, "f").await;
    let replaced = volume.file(b, "g").await;
    volume.write(replaced, 0, 100).await;
    rename(&volume, (a, "sub"), (b, "sub"), RenameFlags::default())
        .await
        .unwrap();
    assert_eq!((volume.attr(a).await.nlink, volume.attr(b).await.nlink), (2, 3));
    assert_eq!(volume.attr(moved).await.parent, b);
    rename(&volume, (a, "f"), (b, "g"), RenameFlags::default())
        .await
        .unwrap();
    assert_eq!(ino(&volume, b, "g").await, Some(file));
    assert_eq!(kind(volume.meta.getattr(replaced).await), ErrorKind::NotFound);
    sound(&volume).await;
    volume.flush().await;
    assert_eq!(volume.data.ids(), []);
    sound(&volume).await;
}

#[tokio::test]
async fn rename_refuses_what_posix_refuses() {
    let volume = Volume::new().await;
    let (a, b) = (
        volume.directory(Ino::ROOT, "a").await,
        volume.directory(Ino::ROOT, "b").await,
    );
    let inner = volume.directory(a, "inner").await;
    let deep = volume.directory(inner, "deep").await;
    volume.file(b, "f").await;
    volume.file(Ino::ROOT, "file").await;
    let plain = RenameFlags::default();
    let cases = [
        ((Ino::ROOT, "none"), (b, "x"), plain, ErrorKind::NotFound),
        (
            (Ino::ROOT, "file"),
            (Ino::ROOT, "a"),
            plain,
            ErrorKind::IsDirectory,
        ),
        (
            (Ino::ROOT, "a"),
            (Ino::ROOT, "file"),
            plain,
            ErrorKind::NotDirectory,
        ),
        ((Ino::ROOT, "a"), (Ino::ROOT, "b"), plain, ErrorKind::NotEmpty),
        ((Ino::ROOT, "file"), (b, "f"), NO_REPLACE, ErrorKind::Exists),
        (
            (Ino::ROOT, "file"),
            (Ino::ROOT, "file"),
            NO_REPLACE,
            ErrorKind::Exists,
        ),
        ((Ino::ROOT, "file"), (b, "none"), EXCHANGE, ErrorKind::NotFound),
        ((Ino::ROOT, "a"), (a, "x"), plain, ErrorKind::NotPermitted),
        ((Ino::ROOT, "a"), (deep, "x"), plain, ErrorKind::NotPermitted),
        (
            (Ino::ROOT, "file"),
            (Ino::ROOT, ".trash"),
            plain,
            ErrorKind::NotPermitted,
        ),
        (
            (Ino::ROOT, "file"),
            (Ino::ROOT, ".."),
            plain,
            ErrorKind::InvalidArgument,
        ),
    ];
    for (source, target, flags, expected) in cases {
        let outcome = rename(&volume, source, target, flags).await;
        assert_eq!(kind(outcome), expected, "{source:?} to {target:?}");
    }
    sound(&volume).await;
}

#[tokio::test]
async fn exchange_swaps_entries_kinds_and_link_counts() {
    let volume = Volume::new().await;
    let (a, b) = (
        volume.directory(Ino::ROOT, "a").await,
        volume.directory(Ino::ROOT, "b").await,
    );
    let (directory, file) = (volume.directory(a, "x").await, volume.file(b, "y").await);
    volume.write(file, 0, 5000).await;
    rename(&volume, (a, "x"), (b, "y"), EXCHANGE).await.unwrap();
    assert_eq!(
        (ino(&volume, a, "x").await, ino(&volume, b, "y").await),
        (Some(file), Some(directory))
    );
    assert_eq!((volume.attr(a).await.nlink, volume.attr(b).await.nlink), (2, 3));
    sound(&volume).await;
    let into_itself = rename(&volume, (Ino::ROOT, "b"), (b, "y"), EXCHANGE).await;
    assert_eq!(kind(into_itself), ErrorKind::NotPermitted);
}

#[tokio::test]
async fn rename_between_two_links_of_one_node_does_nothing() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume
        .meta
        .link(&root, file, Ino::ROOT, &name("g"))
        .await
        .unwrap();
    rename(
        &volume,
        (Ino::ROOT, "f"),
        (Ino::ROOT, "g"),
        RenameFlags::default(),
    )
    .await
    .unwrap();
    assert_eq!(ino(&volume, Ino::ROOT, "f").await, Some(file));
    assert_eq!(volume.attr(file).await.nlink, 2);
}

#[tokio::test]
async fn two_clients_cannot_move_directories_into_each_other() {
    let volume = Volume::new().await;
    let (a, b) = (
        volume.directory(Ino::ROOT, "a").await,
        volume.directory(Ino::ROOT, "b").await,
    );
    let other = volume.client(moorage_meta::MetaOptions::default()).await;
    let root = Context::root();
    let (name_a, name_b, inner) = (name("a"), name("b"), name("inner"));
    let plain = RenameFlags::default();
    let (first, second) = tokio::join!(
        volume
            .meta
            .rename(&root, (Ino::ROOT, &name_a), (b, &inner), plain),
        other.rename(&root, (Ino::ROOT, &name_b), (a, &inner), plain)
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    sound(&volume).await;
}

#[tokio::test]
async fn flags_protect_files_and_directories() {
    let volume = Volume::new().await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d").await;
    let file = volume.file(directory, "f").await;
    let all = Flags(0x23);
    let plain = RenameFlags::default();
    volume
        .meta
        .set_flags(&root, directory, Flags::APPEND, all)
        .await
        .unwrap();
    volume.file(directory, "new").await;
    volume
        .meta
        .link(&root, file, directory, &name("linked"))
        .await
        .unwrap();
    assert_eq!(kind(volume.unlink(directory, "f").await), ErrorKind::NotPermitted);
    assert_eq!(
        kind(rename(&volume, (directory, "f"), (Ino::ROOT, "f"), plain).await),
        ErrorKind::NotPermitted
    );
    volume.file(Ino::ROOT, "outside").await;
    rename(&volume, (Ino::ROOT, "outside"), (directory, "inside"), plain)
        .await
        .unwrap();
    volume
        .meta
        .set_flags(&root, directory, Flags::default(), all)
        .await
        .unwrap();
    volume
        .meta
        .set_flags(&root, file, Flags::APPEND, all)
        .await
        .unwrap();
    assert_eq!(
        kind(volume.meta.link(&root, file, directory, &name("x")).await),
        ErrorKind::NotPermitted
    );
    assert_eq!(
        kind(rename(&volume, (directory, "new"), (directory, "f"), plain).await),
        ErrorKind::NotPermitted
    );
    sound(&volume).await;
}
