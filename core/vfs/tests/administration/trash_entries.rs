//! The trash entry by entry: looking, restoring, deleting for good.

use moorage_meta::admin::{
    EntryRestored, OldFolder, Progress, PurgeScope, ReclaimMode, RemoveTreeOptions, RestoreOptions,
    RestoreOutcome, TrashEntry, TrashPage, TrashQuery,
};
use moorage_meta::{Counting, QuotaLimits};
use moorage_model::{ErrorKind, Ino, Name, NodeType, QuotaKey};

use crate::volume::{DAY, Volume, name, on_each_engine};

/// Bytes of a page of usage.
const PAGE: u64 = 4096;

fn keeps(setting: &mut moorage_model::Setting) {
    setting.trash_days = 1;
}

async fn remove(volume: &Volume, parent: Ino, text: &str) {
    let options = RemoveTreeOptions::default();
    volume
        .meta
        .remove_tree(&volume.root, parent, &name(text), options, &Progress::default())
        .await
        .unwrap();
}

/// The newest hour.
async fn hour(volume: &Volume) -> String {
    let found = volume.meta.list_trash_hours().await.unwrap();
    found.hours.first().unwrap().name.to_string()
}

async fn list(volume: &Volume, hour: &str, query: TrashQuery) -> TrashPage {
    volume.meta.list_trash(hour, &query).await.unwrap()
}

async fn all(volume: &Volume, within: Option<Name>) -> Vec<TrashEntry> {
    let query = TrashQuery {
        within,
        after: None,
        limit: 100,
    };
    list(volume, &hour(volume).await, query).await.entries
}

fn paths(entries: &[TrashEntry]) -> Vec<String> {
    let mut paths: Vec<String> = entries
        .iter()
        .map(|entry| String::from_utf8(entry.path.clone().unwrap_or_default()).unwrap())
        .collect();
    paths.sort();
    paths
}

async fn stored(volume: &Volume, within: Option<Name>, path: &str) -> Name {
    let entries = all(volume, within).await;
    let found = entries
        .iter()
        .find(|entry| entry.path.as_deref() == Some(path.as_bytes()));
    assert!(found.is_some(), "{path} in {:?}", paths(&entries));
    found.unwrap().stored.clone()
}

async fn restore(volume: &Volume, entries: &[Name]) -> Vec<EntryRestored> {
    let hour = hour(volume).await;
    let options = RestoreOptions::default();
    volume
        .meta
        .restore_entries(&volume.root, &hour, entries, options, &Progress::default())
        .await
        .unwrap()
}

/// `/top` with `other`, `below` and `below/file`, in the trash.
async fn trash_tree(volume: &Volume) -> (Ino, Ino) {
    let top = volume.mkdir(Ino::ROOT, "top").await;
    let below = volume.mkdir(top, "below").await;
    volume.file(below, "file", 70_000).await;
    volume.file(top, "other", 10).await;
    remove(volume, Ino::ROOT, "top").await;
    (top, below)
}

#[tokio::test]
async fn a_removed_folder_stands_for_what_was_removed_from_inside_it() {
    on_each_engine(keeps, async |volume| {
        let (top, _) = trash_tree(volume).await;
        volume.file(Ino::ROOT, "single", 5000).await;
        volume.unlink(Ino::ROOT, "single").await;
        let entries = all(volume, None).await;
        assert_eq!(paths(&entries), ["/single", "/top"]);
        let folder = entries.iter().find(|entry| entry.ino == top).unwrap();
        assert_eq!((folder.kind, folder.below), (NodeType::Directory, 3));
        assert_eq!(folder.folder, OldFolder::There);
        let single = entries.iter().find(|entry| entry.ino != top).unwrap();
        assert_eq!(single.attributes.unwrap().length, 5000);
        let inside = all(volume, Some(folder.stored.clone())).await;
        assert_eq!(paths(&inside), ["/top/below", "/top/other"]);
        assert!(inside.iter().all(|entry| entry.folder == OldFolder::Removed));
        let hours = volume.meta.list_trash_hours().await.unwrap();
        let content = hours.hours[0].content.unwrap();
        assert_eq!(
            (content.entries, content.bytes),
            (5, 2 * PAGE + 18 * PAGE + PAGE + 2 * PAGE)
        );
    })
    .await;
}

#[tokio::test]
async fn pages_of_an_hour_follow_each_other_without_loss_or_repetition() {
    on_each_engine(keeps, async |volume| {
        for number in 0..7 {
            let file = format!("file{number}");
            volume.create(Ino::ROOT, &file).await;
            volume.unlink(Ino::ROOT, &file).await;
        }
        trash_tree(volume).await;
        let hour = hour(volume).await;
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let query = TrashQuery {
                within: None,
                after,
                limit: 3,
            };
            let page = list(volume, &hour, query).await;
            assert!(page.entries.len() <= 3);
            seen.extend(page.entries);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let names: Vec<String> = (0..7).map(|number| format!("/file{number}")).collect();
        assert_eq!(paths(&seen), [names.as_slice(), &["/top".to_owned()]].concat());
    })
    .await;
}

#[tokio::test]
async fn a_folder_comes_back_with_what_was_in_it_and_nothing_else_does() {
    on_each_engine(keeps, async |volume| {
        let (top, below) = trash_tree(volume).await;
        volume.file(Ino::ROOT, "single", 10).await;
        volume.unlink(Ino::ROOT, "single").await;
        let folder = stored(volume, None, "/top").await;
        let done = restore(volume, &[folder]).await;
        assert_eq!(done[0].outcome, RestoreOutcome::Restored);
        assert_eq!((done[0].below, done[0].below_left), (3, 0));
        assert_eq!(done[0].path.as_deref(), Some(b"/top".as_slice()));
        assert_eq!(volume.find("/top").await, Some(top));
        assert_eq!(volume.find("/top/below").await, Some(below));
        assert!(volume.find("/top/below/file").await.is_some());
        assert!(volume.find("/top/other").await.is_some());
        assert_eq!(volume.find("/single").await, None);
        assert_eq!(paths(&all(volume, None).await), ["/single"]);
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_file_brings_the_removed_folders_above_it_back_alone() {
    on_each_engine(keeps, async |volume| {
        trash_tree(volume).await;
        let top = stored(volume, None, "/top").await;
        let below = stored(volume, Some(top), "/top/below").await;
        let file = stored(volume, Some(below), "/top/below/file").await;
        let done = restore(volume, &[file]).await;
        assert_eq!((done[0].outcome, done[0].folders), (RestoreOutcome::Restored, 2));
        assert!(volume.find("/top/below/file").await.is_some());
        assert_eq!(volume.find("/top/other").await, None);
        assert_eq!(paths(&all(volume, None).await), ["/top/other"]);
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_file_goes_into_the_folder_that_has_its_old_folders_name_now() {
    on_each_engine(keeps, async |volume| {
        trash_tree(volume).await;
        let top = stored(volume, None, "/top").await;
        let other = stored(volume, Some(top.clone()), "/top/other").await;
        let again = volume.mkdir(Ino::ROOT, "top").await;
        let done = restore(volume, &[other, top]).await;
        assert_eq!((done[0].outcome, done[0].folders), (RestoreOutcome::Restored, 0));
        assert_eq!(done[1].outcome, RestoreOutcome::NameTaken);
        assert_eq!(volume.find("/top").await, Some(again));
        assert!(volume.find("/top/other").await.is_some());
        assert_eq!(volume.find("/top/below").await, None);
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_restored_is_told_with_its_reason_and_stops_nothing_else() {
    on_each_engine(keeps, async |volume| {
        let full = volume.mkdir(Ino::ROOT, "full").await;
        volume.file(full, "file", 10).await;
        volume.unlink(full, "file").await;
        let gone = volume.mkdir(Ino::ROOT, "gone").await;
        volume.file(gone, "file", 10).await;
        volume.unlink(gone, "file").await;
        for file in ["taken", "free"] {
            volume.file(Ino::ROOT, file, 10).await;
            volume.unlink(Ino::ROOT, file).await;
        }
        let replacement = volume.create(Ino::ROOT, "taken").await;
        let limits = QuotaLimits {
            max_inodes: Some(1),
            ..QuotaLimits::default()
        };
        let key = QuotaKey::Directory(full);
        volume
            .meta
            .set_quota(key, limits, Counting::Entries)
            .await
            .unwrap();
        volume.create(full, "another").await;
        let options = RemoveTreeOptions {
            skip_trash: true,
            ..RemoveTreeOptions::default()
        };
        let progress = Progress::default();
        volume
            .meta
            .remove_tree(&volume.root, Ino::ROOT, &name("gone"), options, &progress)
            .await
            .unwrap();
        let entries = all(volume, None).await;
        assert_eq!(paths(&entries), ["", "/free", "/full/file", "/taken"]);
        let lost = entries.iter().find(|entry| entry.path.is_none()).unwrap();
        assert_eq!(lost.folder, OldFolder::Gone);
        let mut wanted: Vec<Name> = entries.iter().map(|entry| entry.stored.clone()).collect();
        wanted.push(name("1-99999-none"));
        let done = restore(volume, &wanted).await;
        let outcome = |path: &str| {
            let found = done
                .iter()
                .find(|one| one.path.as_deref() == Some(path.as_bytes()));
            found.unwrap().outcome
        };
        assert_eq!(outcome("/free"), RestoreOutcome::Restored);
        assert_eq!(outcome("/taken"), RestoreOutcome::NameTaken);
        assert_eq!(outcome("/full/file"), RestoreOutcome::OverQuota);
        let others: Vec<RestoreOutcome> = done
            .iter()
            .filter(|one| one.path.is_none())
            .map(|one| one.outcome)
            .collect();
        assert_eq!(others, [RestoreOutcome::FolderGone, RestoreOutcome::NotThere]);
        assert_eq!(volume.find("/taken").await, Some(replacement));
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_put_together_inside_the_trash_comes_back_as_a_whole() {
    on_each_engine(keeps, async |volume| {
        trash_tree(volume).await;
        let progress = Progress::default();
        volume
            .meta
            .restore_trash(
                &volume.root,
                &hour(volume).await,
                RestoreOptions::default(),
                &progress,
            )
            .await
            .unwrap();
        let top = stored(volume, None, "/top").await;
        let done = restore(volume, &[top]).await;
        assert_eq!(done[0].outcome, RestoreOutcome::Restored);
        assert!(volume.find("/top/below/file").await.is_some());
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_chosen_folder_is_deleted_for_good_with_what_was_in_it() {
    on_each_engine(keeps, async |volume| {
        trash_tree(volume).await;
        volume.file(Ino::ROOT, "single", 10).await;
        volume.unlink(Ino::ROOT, "single").await;
        let top = stored(volume, None, "/top").await;
        let wanted = [top.clone(), name("1-99999-none")];
        let purged = volume
            .meta
            .purge_entries(&hour(volume).await, &wanted, 4, &Progress::default())
            .await
            .unwrap();
        assert_eq!((purged[0].deleted, purged[0].below), (true, 3));
        assert!(!purged[1].deleted);
        volume.meta.flush_deletions().await.unwrap();
        assert_eq!(paths(&all(volume, None).await), ["/single"]);
        assert_eq!(volume.objects().await.len(), 1);
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_goes_that_was_removed_later_than_said() {
    on_each_engine(keeps, async |volume| {
        trash_tree(volume).await;
        let old = hour(volume).await;
        volume.clock.advance(DAY);
        volume.file(Ino::ROOT, "young", 10).await;
        volume.unlink(Ino::ROOT, "young").await;
        let purge = async |scope, mode| {
            let progress = Progress::default();
            let purged = volume.meta.purge_trash(scope, mode, 4, &progress).await;
            let purged = purged.unwrap();
            (purged.hours, purged.entries)
        };
        let begins = volume.meta.list_trash_hours().await.unwrap().hours[1]
            .begins
            .unwrap();
        let before_its_end = PurgeScope::OverBefore(begins + 3599);
        assert_eq!(purge(before_its_end, ReclaimMode::Delete).await, (0, 0));
        let over = PurgeScope::OverBefore(begins + 3600);
        assert_eq!(purge(over, ReclaimMode::DryRun).await, (1, 4));
        assert_eq!(volume.objects().await.len(), 4);
        assert_eq!(purge(over, ReclaimMode::Delete).await, (1, 4));
        let gone = volume.meta.find_trash_hour(&old).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        assert_eq!(paths(&all(volume, None).await), ["/young"]);
        assert_eq!(purge(PurgeScope::Everything, ReclaimMode::Delete).await, (1, 1));
        // Clients still fill it.
        assert!(volume.meta.find_trash_hour(&hour(volume).await).await.is_ok());
        volume.meta.flush_deletions().await.unwrap();
        assert_eq!(volume.objects().await, Vec::<String>::new());
        volume.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_no_text_is_found_by_what_it_looks_like() {
    on_each_engine(keeps, async |volume| {
        let odd = Name::new(b"caf\xe9").unwrap();
        let file = volume
            .meta
            .create(&volume.root, Ino::ROOT, &odd, 0o644, 0)
            .await
            .unwrap();
        volume
            .meta
            .unlink(
                &volume.root,
                Ino::ROOT,
                &odd,
                moorage_meta::UnlinkOptions::default(),
            )
            .await
            .unwrap();
        let hour = hour(volume).await;
        let text = format!("1-{}-caf\u{fffd}", file.ino);
        let found = volume.meta.find_trash_entry(&hour, text.as_bytes()).await;
        let found = found.unwrap();
        assert!(found.as_bytes().ends_with(b"caf\xe9"));
        assert_eq!(
            restore(volume, &[found]).await[0].outcome,
            RestoreOutcome::Restored
        );
        let none = volume.meta.find_trash_entry(&hour, text.as_bytes()).await;
        assert_eq!(none.unwrap_err().kind(), ErrorKind::NotFound);
    })
    .await;
}
