//! What pins cover: the files below them, and the blocks that these need.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use moorage_chunk::BlockId;
use moorage_model::{Attr, ChunkIndex, Error, ErrorKind, Ino, Name, Result, SliceId, Timestamp, resolve};

use super::book::Pin;
use crate::Vfs;

/// Entries of a folder read at once.
const PAGE: usize = 1000;
/// Files whose slices are read at the same time: nobody waits for it.
const CONCURRENCY: usize = 4;
/// Files and folders that pins cover at most, some 300 MB of memory.
const MAX_NODES: usize = 1 << 20;

/// What tells that a file was changed: who sets back its times can not set back the time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    ctime: Timestamp,
    length: u64,
}

impl Mark {
    fn of(attr: &Attr) -> Mark {
        Mark {
            ctime: attr.ctime,
            length: attr.length,
        }
    }
}

/// A file and the blocks that it needs.
#[derive(Debug)]
pub(crate) struct FileCover {
    mark: Mark,
    /// With the bytes of the file that lie in them.
    pub(crate) blocks: Vec<(BlockId, u64)>,
}

/// A pin and what lies below it.
#[derive(Clone, Debug)]
pub(crate) struct PinCover {
    pub(crate) pin: Pin,
    pub(crate) is_folder: bool,
    pub(crate) files: Vec<Ino>,
}

/// Everything that pins cover.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cover {
    pub(crate) pins: Vec<PinCover>,
    folders: HashSet<Ino>,
    files: HashMap<Ino, Arc<FileCover>>,
}

/// Which files are read again although their times did not change.
#[derive(Debug)]
pub(crate) enum Reread {
    These(HashSet<Ino>),
    /// Other clients join the pieces of files without touching their times.
    All,
}

impl Reread {
    fn includes(&self, ino: Ino) -> bool {
        match self {
            Reread::These(nodes) => nodes.contains(&ino),
            Reread::All => true,
        }
    }
}

impl Cover {
    pub(crate) fn has_folder(&self, ino: Ino) -> bool {
        self.folders.contains(&ino)
    }

    pub(crate) fn file(&self, ino: Ino) -> Option<&Arc<FileCover>> {
        self.files.get(&ino)
    }

    /// Files with their blocks, those of earlier pins first; a file of two pins comes twice.
    pub(crate) fn files(&self) -> impl Iterator<Item = (Ino, &FileCover)> {
        let files = self.pins.iter().flat_map(|pin| &pin.files);
        files.filter_map(move |ino| Some((*ino, self.files.get(ino)?.as_ref())))
    }

    /// All blocks, in that order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = BlockId> {
        self.files()
            .flat_map(|(_, file)| file.blocks.iter().map(|(block, _)| *block))
    }

    /// Another content of a file.
    pub(crate) fn replace(&mut self, ino: Ino, file: FileCover) {
        self.files.insert(ino, Arc::new(file));
    }

    fn check_size(&self) -> Result<()> {
        if self.folders.len() + self.files.len() <= MAX_NODES {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NoSpace,
            format!("more than {MAX_NODES} files and folders would be pinned"),
        )
        .with_advice(
            "Pin folders with fewer files, or unpin something (`moorage cache pins` lists what is).",
        ))
    }
}

impl Vfs {
    /// What these pins cover now. What `known` has is taken over where it is still right. Pins of nodes that are gone, or in
    /// the trash, are left out.
    ///
    /// One read for each thousand entries of a folder, and one or more for each file that was changed.
    ///
    /// # Errors
    /// What the engine answers; `NoSpace` for too many nodes.
    pub(crate) async fn cover(&self, pins: &[Pin], known: &Cover, reread: &Reread) -> Result<Cover> {
        let mut cover = Cover::default();
        for pin in pins {
            let attr = match self.meta.getattr(pin.ino).await {
                Err(error) if is_gone(&error) => continue,
                attr => attr?,
            };
            if attr.in_trash() || attr.nlink == 0 {
                continue;
            }
            let files = if attr.is_directory() {
                self.cover_folder(pin.ino, known, reread, &mut cover).await?
            } else if attr.is_file() {
                self.cover_files(vec![(pin.ino, attr.clone())], known, reread, &mut cover)
                    .await?
            } else {
                continue;
            };
            cover.pins.push(PinCover {
                pin: *pin,
                is_folder: attr.is_directory(),
                files,
            });
        }
        Ok(cover)
    }

    async fn cover_folder(
        &self,
        top: Ino,
        known: &Cover,
        reread: &Reread,
        cover: &mut Cover,
    ) -> Result<Vec<Ino>> {
        let mut found = Vec::new();
        let (mut waiting, mut seen) = (vec![top], HashSet::new());
        while let Some(folder) = waiting.pop() {
            if !seen.insert(folder) {
                continue;
            }
            cover.folders.insert(folder);
            cover.check_size()?;
            let mut after: Option<Name> = None;
            loop {
                let engine = self.meta.engine();
                let page = engine.read_directory(folder, after.as_ref(), PAGE, true).await?;
                let more = page.len() == PAGE;
                after = page.last().map(|item| item.name.clone());
                let mut files = Vec::new();
                for item in page {
                    match item.attr {
                        Some(attr) if attr.is_directory() => waiting.push(item.entry.ino),
                        Some(attr) if attr.is_file() => files.push((item.entry.ino, attr)),
                        _ => {}
                    }
                }
                found.extend(self.cover_files(files, known, reread, cover).await?);
                if !more {
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn cover_files(
        &self,
        files: Vec<(Ino, Attr)>,
        known: &Cover,
        reread: &Reread,
        cover: &mut Cover,
    ) -> Result<Vec<Ino>> {
        let looked_up = {
            let here = &*cover;
            let each = files.into_iter().map(|(ino, attr)| async move {
                let mark = Mark::of(&attr);
                let old = known
                    .file(ino)
                    .filter(|file| file.mark == mark && !reread.includes(ino));
                match here.file(ino).or(old) {
                    Some(file) => Ok(Some((ino, Arc::clone(file)))),
                    None => match self.file_cover(ino, &attr).await {
                        Ok(file) => Ok(Some((ino, Arc::new(file)))),
                        Err(error) if is_gone(&error) => Ok(None),
                        Err(error) => Err(error),
                    },
                }
            });
            let each = futures_util::stream::iter(each).buffered(CONCURRENCY);
            each.try_collect::<Vec<Option<(Ino, Arc<FileCover>)>>>().await?
        };
        let mut found = Vec::new();
        for (ino, file) in looked_up.into_iter().flatten() {
            cover.files.insert(ino, file);
            found.push(ino);
        }
        cover.check_size()?;
        Ok(found)
    }

    /// The blocks of a file with these attributes.
    ///
    /// # Errors
    /// `Stale` when it is gone; what the engine answers.
    pub(crate) async fn file_cover(&self, ino: Ino, attr: &Attr) -> Result<FileCover> {
        let mut bytes_of: BTreeMap<BlockId, u64> = BTreeMap::new();
        let mut chunk = ChunkIndex(0);
        let mut slices = self.meta.read_slices(ino, chunk).await?;
        loop {
            for segment in resolve(&slices)
                .into_iter()
                .filter(|part| part.id != SliceId::HOLE)
            {
                let blocks = self
                    .chunks
                    .blocks_of(segment.id, segment.size, segment.off, segment.len);
                for (block, bytes) in blocks {
                    *bytes_of.entry(block).or_default() += u64::from(bytes);
                }
            }
            match self.meta.next_slices(ino, chunk).await? {
                Some(next) => (chunk, slices) = next,
                None => break,
            }
        }
        Ok(FileCover {
            mark: Mark::of(attr),
            blocks: bytes_of.into_iter().collect(),
        })
    }
}

/// Whether a node went away, which is no failure.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::Stale | ErrorKind::NotPermitted
    )
}
