//! Fetching what pins miss.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use moorage_chunk::BlockId;
use moorage_model::{ErrorKind, Ino};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Pins, is_missing};
use crate::Vfs;

/// Blocks fetched at the same time: few, since somebody may be reading.
const FETCHES: usize = 4;
/// After how long what failed is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// Why a block is not here that was fetched.
const DID_NOT_STAY: &str =
    "it was fetched and did not stay: the disk of the cache is short of space, or does not work";

/// Fetches blocks of pins that are missing, within the download limit and not while transfers are paused, until told to
/// stop.
pub(crate) async fn fill_pins(vfs: Weak<Vfs>, pins: Arc<Pins>, mut stopping: watch::Receiver<bool>) {
    let mut failed = false;
    loop {
        let retry = async {
            match failed {
                true => sleep(RETRY).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pins.missing.notified() => {}
            () = retry => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let Some(current) = vfs.upgrade() else { return };
        tokio::select! {
            all = current.fetch_missing(&pins) => failed = !all,
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// Failures of one round, by file.
#[derive(Default)]
struct Round {
    failures: HashMap<Ino, String>,
    /// The store does not answer: the rest would only wait for it as long.
    out: Option<String>,
}

impl Vfs {
    /// Whether everything is here afterwards that fits.
    async fn fetch_missing(&self, pins: &Pins) -> bool {
        let view = pins.view();
        let missing: Vec<(Ino, BlockId)> = view
            .cover
            .files()
            .flat_map(|(ino, file)| file.blocks.iter().map(move |(block, _)| (ino, *block)))
            .filter(|(_, block)| !view.unfit.contains(block) && is_missing(&self.chunks, block))
            .collect();
        let round = Mutex::new(Round::default());
        futures_util::stream::iter(&missing)
            .for_each_concurrent(FETCHES, |(ino, block)| self.fetch_pinned(*ino, *block, &round))
            .await;
        self.chunks.settle_cache().await;
        let mut failures = round.into_inner().failures;
        for (ino, block) in &missing {
            if self.chunks.is_pinned(block) && is_missing(&self.chunks, block) {
                failures.entry(*ino).or_insert_with(|| DID_NOT_STAY.to_owned());
            }
        }
        let all = failures.is_empty();
        let mut state = pins.state.lock();
        failures.retain(|ino, _| state.cover.file(*ino).is_some());
        state.failures = failures;
        all
    }

    async fn fetch_pinned(&self, ino: Ino, block: BlockId, round: &Mutex<Round>) {
        let out = round.lock().out.clone();
        if let Some(reason) = out {
            round.lock().failures.entry(ino).or_insert(reason);
            return;
        }
        // It may have been unpinned or replaced since.
        if !self.chunks.is_pinned(&block) {
            return;
        }
        if let Err(error) = self.chunks.warm(block).await {
            let mut round = round.lock();
            let reason = error.to_string();
            if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout) {
                round.out = Some(reason.clone());
            }
            round.failures.entry(ino).or_insert(reason);
        }
    }
}
