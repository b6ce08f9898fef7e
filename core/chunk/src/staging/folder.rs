//! Names in the staging folder, its lock, and what an earlier process left there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use moorage_model::{Error, ErrorKind, Result};

use super::disk::StageDisk;
use super::name::StagedName;
use super::queue::Staged;
use crate::block_file::BlockFile;
use crate::disk_cache::make_private_folder;
use crate::disk_error::disk_error;

/// Mounts of one volume on one machine at the same time, each with a folder of its own.
pub(super) const MAX_FOLDERS: u32 = 64;
pub(super) const LOCK: &str = "lock";
const TEMPORARY: &str = ".tmp";
const DAMAGED: &str = ".damaged";

/// A staging folder that is this process's alone.
#[derive(Debug)]
pub(super) struct StageFolder {
    pub(super) root: PathBuf,
    #[expect(dead_code, reason = "the lock is held for as long as the file is open")]
    lock: File,
}

impl StageFolder {
    /// Locks the first free folder below `base` and moves into it what ended processes left in others.
    pub(super) fn open(base: &Path, disk: &dyn StageDisk) -> Result<StageFolder> {
        let failed =
            |error: io::Error| disk_error("can not prepare the staging folder", base.display(), error);
        make_private_folder(base).map_err(failed)?;
        let mut own: Option<StageFolder> = None;
        for number in 0..MAX_FOLDERS {
            let root = base.join(format!("staging-{number}"));
            match &own {
                Some(own) if root.is_dir() => {
                    if let Some(other) = lock(&root).map_err(failed)? {
                        own.take_over(&other, disk).map_err(failed)?;
                    }
                }
                Some(_) => {}
                None => own = lock(&root).map_err(failed)?,
            }
        }
        own.ok_or_else(|| {
            Error::new(
                ErrorKind::Busy,
                format!(
                    "all {MAX_FOLDERS} staging folders in {} are in use",
                    base.display()
                ),
            )
            .with_advice("Unmount the volume where it is not needed")
        })
    }

    /// The folders beside this one.
    pub(super) fn others(&self) -> Vec<PathBuf> {
        let base = self.root.parent().unwrap_or(&self.root);
        (0..MAX_FOLDERS)
            .map(|number| base.join(format!("staging-{number}")))
            .filter(|root| *root != self.root && root.is_dir())
            .collect()
    }

    pub(super) fn path(&self, staged: &Staged) -> PathBuf {
        self.root.join(staged.name().to_string())
    }

    pub(super) fn temporary(&self, number: u64) -> PathBuf {
        self.root.join(format!("{number:016x}{TEMPORARY}"))
    }

    /// What is staged, in order. Files that were never acknowledged are deleted; damaged ones, which were, are
    /// put aside and reported.
    pub(super) fn scan(&self) -> io::Result<Vec<Staged>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
                continue;
            }
            let Some(StagedName { number, block, owner }) = StagedName::parse(&name) else {
                continue;
            };
            let trailer = BlockFile::open(File::open(entry.path())?)
                .map(|file| file.trailer)
                .ok()
                .filter(|trailer| trailer.block == block);
            let Some(trailer) = trailer else {
                self.put_aside(&entry.path());
                continue;
            };
            found.push(Staged {
                number,
                block,
                owner,
                tier: trailer.tier,
                form: trailer.form,
                bytes: u64::from(trailer.payload),
                since: entry.metadata()?.modified()?,
            });
        }
        found.sort_unstable_by_key(|staged| staged.number);
        Ok(found)
    }

    /// Keeps a damaged file for whoever can make something of it.
    pub(super) fn put_aside(&self, path: &Path) {
        let mut aside = path.as_os_str().to_owned();
        aside.push(DAMAGED);
        let kept = fs::rename(path, &aside).is_ok();
        tracing::error!(
            file = %path.display(),
            kept,
            "a staged block is damaged and can not be uploaded; the file it belongs to has lost these bytes"
        );
    }

    /// Moves the files of an ended process here, behind those that are here.
    fn take_over(&self, other: &StageFolder, disk: &dyn StageDisk) -> io::Result<()> {
        let here = self.scan()?.last().map_or(0, |staged| staged.number + 1);
        let theirs = other.scan()?;
        for (offset, staged) in theirs.iter().enumerate() {
            let number = here + offset as u64;
            disk.rename(&other.path(staged), &self.path(&Staged { number, ..*staged }))?;
        }
        if !theirs.is_empty() {
            disk.sync_folder(&self.root)?;
        }
        Ok(())
    }
}

/// Makes and locks a folder; `None` when another process has it.
pub(super) fn lock(root: &Path) -> io::Result<Option<StageFolder>> {
    make_private_folder(root)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(root.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(StageFolder {
            root: root.to_owned(),
            lock,
        })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
