//! Administration whose client dies at any of its commits: the volume is whole, and running it again finishes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moorage_engines::CommitFault;
use moorage_meta::admin::{CloneOptions, Progress, ReclaimMode, RemoveTreeOptions, RestoreOptions};
use moorage_model::{Clock as _, Error, ErrorKind, Ino, Result, Setting};

use crate::volume::{DAY, Volume, name, on_memory};

/// Commits after which a test gives up: every operation here takes fewer.
const MOST_COMMITS: usize = 200;

/// Lets some commits pass, then fails all. The first that fails may have been applied.
#[derive(Debug)]
struct DiesAfter {
    left: Arc<AtomicUsize>,
    applied: bool,
}

fn died() -> Error {
    Error::new(ErrorKind::Unavailable, "the client died here")
}

impl CommitFault for DiesAfter {
    fn before_commit(&self, _: &'static str) -> Result<()> {
        match self.left.load(Ordering::SeqCst) {
            0 => Err(died()),
            1 if self.applied => Ok(()),
            left => {
                self.left.store(left - 1, Ordering::SeqCst);
                Ok(())
            }
        }
    }

    fn after_commit(&self, _: &'static str) -> Result<()> {
        if self.applied && self.left.load(Ordering::SeqCst) == 1 {
            self.left.store(0, Ordering::SeqCst);
            return Err(died());
        }
        Ok(())
    }
}

/// Lets `operate` die at each of its commits in turn, each time on a fresh volume, and then looks at it with `judge`.
async fn at_every_commit(
    change: impl Fn(&mut Setting),
    prepare: impl AsyncFn(&Volume),
    operate: impl AsyncFn(&Volume) -> Result<()>,
    judge: impl AsyncFn(&Volume),
) {
    for applied in [false, true] {
        for commits in 1..=MOST_COMMITS {
            let (volume, engine) = on_memory(&change).await;
            prepare(&volume).await;
            let left = Arc::new(AtomicUsize::new(commits));
            engine.set_fault(Some(Box::new(DiesAfter {
                left: Arc::clone(&left),
                applied,
            })));
            let outcome = operate(&volume).await;
            engine.set_fault(None);
            judge(&volume).await;
            if left.load(Ordering::SeqCst) > 0 {
                outcome.unwrap();
                assert!(commits > 2, "the operation has more than one commit");
                break;
            }
            assert!(commits < MOST_COMMITS, "the operation never ends");
        }
    }
}

async fn make_tree(volume: &Volume) {
    let top = volume.mkdir(Ino::ROOT, "top").await;
    let below = volume.mkdir(top, "below").await;
    let file = volume.file(below, "file", 70_000).await;
    volume.symlink(below, "link", "file").await;
    volume
        .meta
        .link(&volume.root, file, top, &name("hard"))
        .await
        .unwrap();
    volume.file(top, "other", 10).await;
}

/// Removes what waits for it; then the store holds nothing that no file shows.
async fn settle(volume: &Volume) {
    let progress = Progress::default();
    volume.meta.flush_deletions().await.unwrap();
    volume
        .meta
        .reclaim_deleted_files(i64::MAX, ReclaimMode::Delete, &progress)
        .await
        .unwrap();
    volume
        .meta
        .reclaim_dead_slices(ReclaimMode::Delete, &progress)
        .await
        .unwrap();
    volume.assert_whole().await;
}

#[tokio::test]
async fn a_removal_is_finished_by_the_next() {
    let remove = async |volume: &Volume| {
        let options = RemoveTreeOptions::default();
        let progress = Progress::default();
        volume
            .meta
            .remove_tree(&volume.root, Ino::ROOT, &name("top"), options, &progress)
            .await
    };
    at_every_commit(
        |_| {},
        make_tree,
        remove,
        async |volume: &Volume| {
            volume.assert_whole().await;
            if volume.find("/top").await.is_some() {
                remove(volume).await.unwrap();
            }
            settle(volume).await;
            assert_eq!(volume.objects().await, Vec::<String>::new());
        },
    )
    .await;
}

#[tokio::test]
async fn a_clone_is_whole_or_reclaimed_after_a_day() {
    let clone = async |volume: &Volume| {
        let source = volume.find("/top").await.unwrap();
        let options = CloneOptions::default();
        let progress = Progress::default();
        volume
            .meta
            .clone_tree(&volume.root, source, Ino::ROOT, &name("copy"), options, &progress)
            .await
            .map(drop)
    };
    at_every_commit(
        |_| {},
        make_tree,
        clone,
        async |volume: &Volume| {
            volume.assert_whole().await;
            volume.clock.advance(DAY + 1);
            let before = volume.clock.now().seconds - DAY;
            volume
                .meta
                .reclaim_detached(before, ReclaimMode::Delete, &Progress::default())
                .await
                .unwrap();
            settle(volume).await;
            let nodes = volume.check().await.counts.nodes;
            match volume.find("/copy").await {
                Some(_) => assert!(volume.find("/copy/below/file").await.is_some()),
                None => assert_eq!(nodes, 6, "nothing of the copy is left"),
            }
            assert_eq!(volume.objects().await.len(), 3, "the source keeps its objects");
        },
    )
    .await;
}

#[tokio::test]
async fn a_restore_is_finished_by_the_next() {
    let restore = async |volume: &Volume| {
        let hours = volume
            .meta
            .read_directory(&volume.root, Ino::TRASH, None, 10, false)
            .await?;
        let options = RestoreOptions {
            put_back: true,
            ..RestoreOptions::default()
        };
        let hour = hours[0].name.to_string();
        volume
            .meta
            .restore_trash(&volume.root, &hour, options, &Progress::default())
            .await
            .map(drop)
    };
    let prepare = async |volume: &Volume| {
        make_tree(volume).await;
        let options = RemoveTreeOptions::default();
        volume
            .meta
            .remove_tree(
                &volume.root,
                Ino::ROOT,
                &name("top"),
                options,
                &Progress::default(),
            )
            .await
            .unwrap();
    };
    let with_trash = |setting: &mut Setting| setting.trash_days = 1;
    at_every_commit(with_trash, prepare, restore, async |volume: &Volume| {
        restore(volume).await.unwrap();
        for path in ["/top/below/file", "/top/below/link", "/top/hard", "/top/other"] {
            assert!(volume.find(path).await.is_some(), "{path}");
        }
        let report = volume.check().await;
        assert_eq!(crate::volume::serious(&report), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_expiry_is_finished_by_the_next() {
    let expire = async |volume: &Volume| {
        let before = volume.meta.trash_expiry();
        volume
            .meta
            .expire_trash(before, ReclaimMode::Delete, 4, &Progress::default())
            .await
            .map(drop)
    };
    let prepare = async |volume: &Volume| {
        make_tree(volume).await;
        let options = RemoveTreeOptions::default();
        volume
            .meta
            .remove_tree(
                &volume.root,
                Ino::ROOT,
                &name("top"),
                options,
                &Progress::default(),
            )
            .await
            .unwrap();
        volume.clock.advance(2 * DAY);
    };
    let with_trash = |setting: &mut Setting| setting.trash_days = 1;
    at_every_commit(with_trash, prepare, expire, async |volume: &Volume| {
        volume.assert_whole().await;
        expire(volume).await.unwrap();
        settle(volume).await;
        assert_eq!(volume.objects().await, Vec::<String>::new());
        assert_eq!(volume.check().await.counts.nodes, 2, "root and trash are left");
    })
    .await;
}
