//! Administration while others work on the volume.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_meta::admin::{CheckOptions, CloneOptions, Progress, RemoveTreeOptions};
use moorage_meta::{Context, CreateNode, Meta, RenameFlags, UnlinkOptions};
use moorage_model::{Ino, NodeType};

use crate::volume::{name, on_each_engine, serious};

/// Checks that have to come out clean.
const ROUNDS: usize = 15;

fn directory() -> CreateNode {
    CreateNode {
        kind: NodeType::Directory,
        mode: 0o755,
        umask: 0,
        rdev: 0,
        symlink_target: None,
    }
}

/// Makes, links, moves, clones and removes things in its two directories until told to stop.
async fn work(meta: Arc<Meta>, own: [Ino; 2], stop: Arc<AtomicBool>) -> moorage_model::Result<()> {
    let root = Context::root();
    let [here, there] = own;
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let (file, folder) = (name(&format!("file{round}")), name("folder"));
        let made = meta.create(&root, here, &file, 0o644, 0).await?;
        meta.link(&root, made.ino, there, &file).await?;
        let inner = meta.mknod(&root, here, &folder, directory()).await?;
        meta.create(&root, inner.ino, &name("inner"), 0o644, 0).await?;
        meta.rename(&root, (here, &folder), (there, &folder), RenameFlags::default())
            .await?;
        let progress = Progress::default();
        meta.clone_tree(
            &root,
            inner.ino,
            here,
            &name("copy"),
            CloneOptions::default(),
            &progress,
        )
        .await?;
        for (parent, text) in [(there, "folder"), (here, "copy")] {
            let options = RemoveTreeOptions::default();
            meta.remove_tree(&root, parent, &name(text), options, &progress)
                .await?;
        }
        meta.unlink(&root, here, &file, UnlinkOptions::default()).await?;
        if round % 2 == 0 {
            meta.unlink(&root, there, &file, UnlinkOptions::default()).await?;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_of_a_volume_in_use_finds_nothing_that_is_not_there() {
    on_each_engine(
        |_| {},
        async |volume| {
            let stop = Arc::new(AtomicBool::new(false));
            let mut workers = Vec::new();
            for worker in 0..3 {
                let own = [
                    volume.mkdir(Ino::ROOT, &format!("a{worker}")).await,
                    volume.mkdir(Ino::ROOT, &format!("b{worker}")).await,
                ];
                let work = work(Arc::clone(&volume.meta), own, Arc::clone(&stop));
                workers.push(tokio::spawn(work));
            }
            for round in 0..ROUNDS {
                let report = volume
                    .meta
                    .check(CheckOptions::default(), &Progress::default())
                    .await
                    .unwrap();
                assert_eq!(serious(&report), Vec::<String>::new(), "round {round}");
            }
            stop.store(true, Ordering::Relaxed);
            for worker in workers {
                worker.await.unwrap().unwrap();
            }
            volume.assert_whole().await;
        },
    )
    .await;
}
