//! Keeping files and folders on this computer, which JuiceFS has no command for.

use std::collections::HashSet;

use moorage_chunk::BlockId;
use moorage_meta::admin::Progress;
use moorage_meta::{Context, MAY_EXECUTE, MAY_READ};
use moorage_model::{Attr, Error, ErrorKind, Ino, Result};
use serde::{Deserialize, Serialize};

use super::cache_report::{CacheFigures, FailedPath, UnfetchedFile};
use super::codec::Answer;
use super::info::below;
use super::own_requests::{PinAction, PinRequest};
use super::summary::json;
use crate::Vfs;
use crate::pins::{Cover, Pin, PinCover, PinView, Pins, Reread, is_missing};

/// Files that are named of one pin; more are counted.
const MOST_NAMED: usize = 20;

/// What a mount says about pins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PinReport {
    /// Those that were asked about; all that the caller can reach when none were named.
    pub pins: Vec<PinStatus>,
    /// Paths with which nothing could be done.
    pub failed: Vec<FailedPath>,
    /// Transfers that nobody waits for are paused.
    pub paused: bool,
    /// The whole cache.
    pub cache: Option<CacheFigures>,
}

/// A pinned file or folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PinStatus {
    /// From the root of the mount.
    pub path: String,
    /// Whether it is a folder, with everything below it.
    pub is_folder: bool,
    /// When it was pinned, seconds since 1970.
    pub pinned_at: i64,
    /// Files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes that are on this computer.
    pub local_bytes: u64,
    /// Bytes that do not fit beside what was pinned before.
    pub unfit_bytes: u64,
    /// Files of which blocks could not be fetched, the last time that was tried.
    pub unfetched_count: u64,
    /// Some of them.
    pub unfetched: Vec<UnfetchedFile>,
}

impl Vfs {
    /// Pins, unpins or lists.
    ///
    /// # Errors
    /// `NotSupported` where nothing can be pinned; what failed of single paths is part of the answer.
    pub(super) async fn pins_by_command(
        &self,
        identity: &Context,
        request: &PinRequest,
        progress: &Progress,
    ) -> Result<Answer> {
        let mut report = PinReport::default();
        let pins = match (&self.pins, self.chunks.pins_file()) {
            (Some(pins), _) => pins,
            (None, Ok(_)) => return Err(ErrorKind::NotSupported.into()),
            (None, Err(error)) => {
                report.failed.push(FailedPath::new(b"/", &error));
                return json(&report);
            }
        };
        let mut done = HashSet::new();
        for path in &request.paths {
            progress.check()?;
            let outcome = match request.action {
                PinAction::Pin => self.pin(pins, identity, path).await,
                PinAction::Unpin => self.unpin(pins, identity, path).await,
                PinAction::List => self.readable(identity, path).await.map(|(ino, _)| ino),
            };
            match outcome {
                Ok(ino) => {
                    done.insert(ino);
                }
                Err(error) => report.failed.push(FailedPath::new(path, &error)),
            }
        }
        if request.action != PinAction::List && !done.is_empty() {
            pins.looked().await;
        }
        let view = pins.view();
        let above = self.paths_of_root().await?;
        for pin in &view.cover.pins {
            if !request.paths.is_empty() && !done.contains(&pin.pin.ino) {
                continue;
            }
            if let Some(path) = self.path_of(identity, pin.pin.ino, &above).await? {
                report
                    .pins
                    .push(self.pin_status(identity, (pin, &view), path, &above).await?);
            }
        }
        report.paused = self.chunks.is_held();
        report.cache = Some(CacheFigures::from(self.chunks.cache_use()));
        json(&report)
    }

    async fn readable(&self, identity: &Context, path: &[u8]) -> Result<(Ino, Attr)> {
        let (ino, attr) = self.find(identity, path).await?;
        let mask = match attr.is_directory() {
            true => MAY_READ | MAY_EXECUTE,
            false => MAY_READ,
        };
        self.meta.check_access(identity, &attr, mask).await?;
        Ok((ino, attr))
    }

    async fn pin(&self, pins: &Pins, identity: &Context, path: &[u8]) -> Result<Ino> {
        let (ino, attr) = self.readable(identity, path).await?;
        if !(attr.is_directory() || attr.is_file()) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "only files and folders can be pinned",
            ));
        }
        if ino.is_trash() || attr.in_trash() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "what is in the trash can not be pinned",
            )
            .with_advice("Restore it first."));
        }
        let book = pins.read_book().await?;
        if book.iter().any(|pin| pin.ino == ino) {
            return Ok(ino);
        }
        // What is written and not stored yet is covered when it is.
        let pin = Pin {
            ino,
            pinned_at: self.now().seconds,
        };
        let view = pins.view();
        let cover = self
            .cover(&[pin], &view.cover, &Reread::These(HashSet::new()))
            .await?;
        let all: HashSet<BlockId> = view.cover.blocks().chain(cover.blocks()).collect();
        self.chunks.check_pins(all).await?;
        pins.change_book(move |pins| {
            if pins.iter().all(|known| known.ino != pin.ino) {
                pins.push(pin);
            }
        })
        .await?;
        Ok(ino)
    }

    async fn unpin(&self, pins: &Pins, identity: &Context, path: &[u8]) -> Result<Ino> {
        let (ino, _) = self.readable(identity, path).await?;
        let book = pins.read_book().await?;
        if book.iter().any(|pin| pin.ino == ino) {
            pins.change_book(move |pins| pins.retain(|pin| pin.ino != ino))
                .await?;
            return Ok(ino);
        }
        let error = Error::new(ErrorKind::NotFound, "it is not pinned");
        Err(match pins.covers(ino) {
            true => error
                .with_advice("A folder above it is: unpin that (`moorage cache pins` lists what is pinned)."),
            false => error,
        })
    }

    /// A path of a stored node in this mount, if the caller can reach it.
    async fn path_of(&self, identity: &Context, ino: Ino, above: &[Vec<u8>]) -> Result<Option<String>> {
        match self.meta.reach(identity, ino, self.root).await {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AccessDenied) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let paths = match self.meta.paths(ino).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            paths => paths?,
        };
        Ok(paths.iter().find_map(|path| below(path, above)))
    }

    async fn pin_status(
        &self,
        identity: &Context,
        (pin, view): (&PinCover, &PinView),
        path: String,
        above: &[Vec<u8>],
    ) -> Result<PinStatus> {
        let mut status = self.sums(pin, view);
        status.path = path;
        let failed = pin.files.iter().filter(|ino| view.failures.contains_key(*ino));
        for ino in failed {
            status.unfetched_count += 1;
            if status.unfetched.len() < MOST_NAMED
                && let Some(reason) = view.failures.get(ino)
                && let Some(path) = self.path_of(identity, *ino, above).await?
            {
                let reason = reason.clone();
                status.unfetched.push(UnfetchedFile { path, reason });
            }
        }
        Ok(status)
    }

    fn sums(&self, pin: &PinCover, view: &PinView) -> PinStatus {
        let mut status = PinStatus {
            is_folder: pin.is_folder,
            pinned_at: pin.pin.pinned_at,
            files: pin.files.len() as u64,
            ..PinStatus::default()
        };
        let cover: &Cover = &view.cover;
        for (block, bytes) in pin
            .files
            .iter()
            .filter_map(|ino| cover.file(*ino))
            .flat_map(|file| &file.blocks)
        {
            status.bytes += bytes;
            if !is_missing(&self.chunks, block) {
                status.local_bytes += bytes;
            } else if view.unfit.contains(block) {
                status.unfit_bytes += bytes;
            }
        }
        status
    }
}
