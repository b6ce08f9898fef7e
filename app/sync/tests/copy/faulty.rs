//! Files that change, and copies that are cut off.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use moorage_model::{Result, Timestamp};
use moorage_sync::{
    Abilities, Entry, FolderSide, Links, ListOptions, Listing, Permissions, RelativePath, Replaces, Side,
    Sink, Source,
};

use crate::fixture::{Folders, options, set_time, tree, tree_of, tried, write};

/// A folder whose file is changed each time that it was opened.
#[derive(Debug)]
struct Restless {
    folder: FolderSide,
    file: PathBuf,
    changes_left: Mutex<u64>,
}

#[async_trait]
impl Side for Restless {
    fn describe(&self) -> String {
        self.folder.describe()
    }

    fn abilities(&self) -> Abilities {
        self.folder.abilities()
    }

    fn list(&self, options: ListOptions) -> Box<dyn Listing> {
        self.folder.list(options)
    }

    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>> {
        self.folder.look(path).await
    }

    async fn read(&self, entry: &Entry, links: Links) -> Result<Box<dyn Source>> {
        let source = self.folder.read(entry, links).await;
        let mut left = self.changes_left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            set_time(&self.file, *left);
        }
        source
    }

    async fn write(&self, path: &RelativePath, size: u64) -> Result<Box<dyn Sink>> {
        self.folder.write(path, size).await
    }

    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>> {
        self.folder.link_target(path).await
    }

    async fn make_link(&self, path: &RelativePath, target: &[u8], replaces: Replaces) -> Result<Entry> {
        self.folder.make_link(path, target, replaces).await
    }

    async fn make_folder(&self, path: &RelativePath) -> Result<()> {
        self.folder.make_folder(path).await
    }

    async fn remove(&self, entry: &Entry) -> Result<()> {
        self.folder.remove(entry).await
    }

    async fn rename(&self, from: &RelativePath, to: &RelativePath) -> Result<()> {
        self.folder.rename(from, to).await
    }

    async fn set_attributes(
        &self,
        path: &RelativePath,
        permissions: Option<Permissions>,
        modified: Option<Timestamp>,
    ) -> Result<()> {
        self.folder.set_attributes(path, permissions, modified).await
    }

    async fn settle(&self) -> Result<()> {
        self.folder.settle().await
    }
}

fn restless(folders: &Folders, changes: u64) -> Restless {
    write(&folders.from("log"), "line\n");
    write(&folders.to("log"), "old");
    Restless {
        folder: folders.source(),
        file: folders.from("log"),
        changes_left: Mutex::new(changes),
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_copied_is_copied_anew() {
    let folders = Folders::new();
    let side = restless(&folders, 2);
    let (report, failed) = tried(&side, &folders.destination(), &options()).await;
    assert_eq!((report.copied, report.failed), (1, 0), "{failed:?}");
    assert_eq!(folders.tree(), tree_of([("log", "line\n")]));
}

#[tokio::test]
async fn a_file_that_never_holds_still_is_not_taken_as_copied() {
    let folders = Folders::new();
    let side = restless(&folders, 1000);
    let mut options = options();
    options.deletions.source_after = true;
    let (report, failed) = tried(&side, &folders.destination(), &options).await;
    assert_eq!((report.copied, report.failed), (0, 1));
    assert!(failed[0].contains("changes while"), "{failed:?}");
    assert_eq!(folders.tree(), tree_of([("log", "old")]));
    assert_eq!(tree(&folders.from("")), tree_of([("log", "line\n")]));
}

#[tokio::test]
async fn leftovers_are_nobodys_files_and_old_ones_go() {
    let folders = Folders::new();
    let (young, old) = (".moorage-sync.abc.1.tmp", ".moorage-sync.abc.2.tmp");
    write(&folders.to(young), "1");
    write(&folders.to(old), "2");
    set_time(&folders.to(old), 0);
    write(&folders.from(".moorage-sync.abc.3.tmp"), "3");
    write(&folders.from("file"), "4");
    let report = folders.copied(&options()).await;
    assert_eq!(report.found, 1);
    assert_eq!(folders.tree(), tree_of([(young, "1"), ("file", "4")]));
}

#[tokio::test]
async fn a_copy_that_is_dropped_leaves_no_part_of_a_file() {
    let folders = Folders::new();
    write(&folders.from("file"), "content");
    let destination = folders.destination();
    let path = RelativePath::new(b"file").unwrap();
    let mut sink = destination.write(&path, 7).await.unwrap();
    sink.write(bytes::Bytes::from_static(b"cont")).await.unwrap();
    assert_eq!(fs::read_dir(folders.to("")).unwrap().count(), 1);
    drop(sink);
    assert_eq!(folders.tree(), tree_of([]));
}

#[tokio::test]
async fn a_name_is_replaced_only_in_the_state_that_was_expected() {
    let folders = Folders::new();
    write(&folders.to("file"), "one");
    let side = folders.destination();
    let path = RelativePath::new(b"file").unwrap();
    let seen = side.look(&path).await.unwrap().unwrap();
    write(&folders.to("file"), "edited");
    for replaces in [Replaces::This(seen.version), Replaces::Nothing] {
        let mut sink = side.write(&path, 3).await.unwrap();
        sink.write(bytes::Bytes::from_static(b"two")).await.unwrap();
        let finish = moorage_sync::Finish {
            modified: None,
            permissions: None,
            replaces,
        };
        let error = sink.finish(finish).await.unwrap_err();
        assert_eq!(error.kind(), moorage_model::ErrorKind::Conflict);
    }
    let error = side.remove(&seen).await.unwrap_err();
    assert_eq!(error.kind(), moorage_model::ErrorKind::Conflict);
    assert_eq!(folders.tree(), tree_of([("file", "edited")]));
}
