//! What holds on every engine that tells of changes.

use std::sync::Arc;

use moorage_model::Ino;
use moorage_vfs::{Caller, RenameFlags, Vfs};

use crate::pair::{HOUR, Notice, Pair, chmod};
use crate::volume::{READ, READ_WRITE, close, content, create};

/// A file with this content.
async fn file(vfs: &Arc<Vfs>, name: &str, bytes: &[u8]) -> Ino {
    let (entry, handle) = create(vfs, name).await;
    vfs.write(handle, 0, bytes).await.unwrap();
    close(vfs, handle).await.unwrap();
    entry.ino
}

async fn rename(vfs: &Vfs, from: &str, to: &str) {
    let (from, to) = ((Ino::ROOT, from.as_bytes()), (Ino::ROOT, to.as_bytes()));
    vfs.rename(&Caller::root(), from, to, RenameFlags::default())
        .await
        .unwrap();
}

fn entry(name: &str) -> Notice {
    Notice::Entry(Ino::ROOT, name.to_owned())
}

/// All of them, one after the other on one pair.
pub(crate) async fn hold(pair: &Pair) {
    changed_attributes_are_dropped(pair).await;
    names_that_lead_elsewhere_are_dropped(pair).await;
    a_directory_keeps_its_name_while_others_fill_it(pair).await;
    an_open_file_shows_what_another_client_wrote(pair).await;
    own_changes_drop_neither_names_nor_pages(pair).await;
    a_name_given_by_this_client_is_dropped_too(pair).await;
}

async fn changed_attributes_are_dropped(pair: &Pair) {
    let ino = file(&pair.writer, "attributes", b"").await;
    let found = pair
        .reader
        .lookup(&Caller::root(), Ino::ROOT, b"attributes")
        .await
        .unwrap();
    assert_eq!((found.attr_ttl, found.entry_ttl), (HOUR, HOUR));
    chmod(&pair.writer, ino, 0o600).await;
    pair.kernel.hears(Notice::Attributes(ino)).await;
    assert_eq!(pair.reader.getattr(ino).await.unwrap().attr.mode, 0o600);
}

async fn names_that_lead_elsewhere_are_dropped(pair: &Pair) {
    for name in ["removed", "moved", "replaced", "replacement"] {
        file(&pair.writer, name, b"").await;
        pair.reader
            .lookup(&Caller::root(), Ino::ROOT, name.as_bytes())
            .await
            .unwrap();
    }
    pair.writer
        .unlink(&Caller::root(), Ino::ROOT, b"removed")
        .await
        .unwrap();
    pair.kernel.hears(entry("removed")).await;
    rename(&pair.writer, "moved", "elsewhere").await;
    pair.kernel.hears(entry("moved")).await;
    rename(&pair.writer, "replacement", "replaced").await;
    pair.kernel.hears(entry("replaced")).await;
    pair.kernel.hears(entry("replacement")).await;
}

async fn a_directory_keeps_its_name_while_others_fill_it(pair: &Pair) {
    let root = Caller::root();
    let made = pair
        .writer
        .mkdir(&root, Ino::ROOT, b"directory", 0o755, 0)
        .await
        .unwrap();
    pair.reader.lookup(&root, Ino::ROOT, b"directory").await.unwrap();
    pair.writer
        .mkdir(&root, made.ino, b"inside", 0o755, 0)
        .await
        .unwrap();
    pair.kernel.hears(Notice::Attributes(made.ino)).await;
    pair.settled().await;
    assert!(!pair.kernel.told().contains(&entry("directory")));
}

async fn an_open_file_shows_what_another_client_wrote(pair: &Pair) {
    let ino = file(&pair.writer, "content", b"one").await;
    let handle = pair.reader.open(&Caller::root(), ino, READ).await.unwrap().handle;
    assert_eq!(content(&pair.reader, handle).await, b"one");
    let other = pair
        .writer
        .open(&Caller::root(), ino, READ_WRITE)
        .await
        .unwrap()
        .handle;
    pair.writer.write(other, 0, b"longer").await.unwrap();
    close(&pair.writer, other).await.unwrap();
    pair.kernel.hears(Notice::Content(ino)).await;
    assert_eq!(content(&pair.reader, handle).await, b"longer");
    close(&pair.reader, handle).await.unwrap();
}

async fn own_changes_drop_neither_names_nor_pages(pair: &Pair) {
    pair.settled().await;
    pair.kernel.forget();
    let ino = file(&pair.reader, "own", b"content").await;
    chmod(&pair.reader, ino, 0o640).await;
    rename(&pair.reader, "own", "renamed").await;
    pair.settled().await;
    let told = pair.kernel.told();
    let harmless = |notice: &Notice| matches!(notice, Notice::Attributes(_));
    // The kernel moves the old name itself.
    let moved = |notice: &Notice| *notice == entry("own");
    assert!(
        told.iter().all(|notice| harmless(notice) || moved(notice)),
        "{told:?}"
    );
}

async fn a_name_given_by_this_client_is_dropped_too(pair: &Pair) {
    file(&pair.reader, "mine", b"").await;
    rename(&pair.reader, "mine", "still mine").await;
    pair.settled().await;
    pair.kernel.forget();
    pair.writer
        .unlink(&Caller::root(), Ino::ROOT, b"still mine")
        .await
        .unwrap();
    pair.kernel.hears(entry("still mine")).await;
}

/// After the connection broke, everything known is dropped, and later changes are told again.
pub(crate) async fn holds_across_a_cut(pair: &Pair, cut: impl AsyncFnOnce()) {
    let ino = file(&pair.writer, "known", b"").await;
    pair.reader
        .lookup(&Caller::root(), Ino::ROOT, b"known")
        .await
        .unwrap();
    pair.settled().await;
    pair.kernel.forget();
    cut().await;
    pair.kernel.hears(Notice::Attributes(ino)).await;
    pair.kernel.hears(entry("known")).await;
    // The next look may fall into the time in which nothing is told; then it is good for a second only.
    let told_again = async {
        while pair
            .reader
            .lookup(&Caller::root(), Ino::ROOT, b"known")
            .await
            .unwrap()
            .entry_ttl
            != HOUR
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(HOUR / 60, told_again).await.unwrap();
    pair.writer
        .unlink(&Caller::root(), Ino::ROOT, b"known")
        .await
        .unwrap();
    pair.kernel.hears(entry("known")).await;
}
