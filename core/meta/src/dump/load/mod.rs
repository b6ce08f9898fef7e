//! Loading a dump into an empty database. A thread decodes the dump, a task stores its records in batches; the setting
//! comes last, so that a database which was loaded in part is no volume.

mod batch;
mod binary;
mod json;
mod numbers;
mod setting;
mod totals;
mod volume;

use std::io::{Cursor, Read};
use std::sync::Arc;

use moorage_model::{Clock, Error, ErrorKind, Result};
use tokio::sync::mpsc;

use self::batch::{BATCHES_AHEAD, Batches, Loaded};
use self::volume::LoadedVolume;
use crate::admin::Progress;
use crate::{Engine, Meta, engine};

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadSummary {
    /// Name of the volume.
    pub name: String,
    /// Nodes, without the two roots.
    pub nodes: u64,
    /// Bytes that they count.
    pub space: u64,
    /// Directories left out because they have a name elsewhere: they were moved while the dump was made.
    pub repeated: u64,
    /// Secrets of the object store that the dump does not have.
    pub secrets_removed: bool,
    /// The volume is encrypted and the dump does not have its key.
    pub key_removed: bool,
}

impl Meta {
    /// Makes a volume out of a JSON dump, as a stream. What fails leaves the database as empty as it was.
    ///
    /// Links, lengths, statistics, usage, owners of slices and counters are counted anew; sessions, locks, deleted
    /// files that were open and replaced slices are no part of a dump. A directory that was dumped becomes the root.
    ///
    /// Memory: a bit per inode and per slice, and what the open directories of the dump take.
    ///
    /// # Errors
    /// `Exists` when the database holds anything; `Corrupt` naming the place of damage in the dump;
    /// `VersionMismatch` for a volume of a newer format; what the engine answers.
    ///
    /// # Cancel safety
    /// Dropping the future leaves records without a setting: no volume, and no empty database either.
    pub async fn load_json(
        engine: &Arc<dyn Engine>,
        dump: impl Read + Send + 'static,
        clock: &dyn Clock,
        progress: &Progress,
    ) -> Result<LoadSummary> {
        let now = clock.now();
        load(engine, progress, move |batches| json::decode(dump, batches, now)).await
    }
}

impl Meta {
    /// As [`Meta::load_json`], out of a binary dump, whose records are stored as they are: nothing is counted anew.
    ///
    /// Memory: a segment of the dump, and a bit per inode and per slice.
    ///
    /// # Errors
    /// See [`Meta::load_json`].
    ///
    /// # Cancel safety
    /// See [`Meta::load_json`].
    pub async fn load_binary(
        engine: &Arc<dyn Engine>,
        dump: impl Read + Send + 'static,
        progress: &Progress,
    ) -> Result<LoadSummary> {
        load(engine, progress, move |batches| binary::decode(dump, batches)).await
    }

    /// Makes a volume out of a dump of either form, which its first byte tells.
    ///
    /// # Errors
    /// `Corrupt` for what begins as neither does; see [`Meta::load_json`].
    ///
    /// # Cancel safety
    /// See [`Meta::load_json`].
    pub async fn load_dump(
        engine: &Arc<dyn Engine>,
        mut dump: impl Read + Send + 'static,
        clock: &dyn Clock,
        progress: &Progress,
    ) -> Result<LoadSummary> {
        let mut first = [0];
        let read = dump
            .read(&mut first)
            .map_err(|error| Error::new(ErrorKind::Io, "the dump can not be read").with_source(error))?;
        let start = first.get(..read).unwrap_or_default().to_vec();
        // A segment begins with the high byte of its kind, a document with a brace.
        let form = start.first().copied();
        let dump = Cursor::new(start).chain(dump);
        match form {
            Some(0) => Meta::load_binary(engine, dump, progress).await,
            None | Some(b'{' | b' ' | b'\t' | b'\r' | b'\n') => {
                Meta::load_json(engine, dump, clock, progress).await
            }
            Some(_) => Err(Error::new(
                ErrorKind::Corrupt,
                "it begins as no dump of either form does",
            )
            .with_advice(
                "A backup of an encrypted volume is encrypted as a whole: load it with --encrypt-rsa-key.",
            )),
        }
    }
}

/// Stores what `decode` finds.
async fn load(
    engine: &Arc<dyn Engine>,
    progress: &Progress,
    decode: impl FnOnce(Batches) -> Result<LoadedVolume> + Send + 'static,
) -> Result<LoadSummary> {
    check_empty(engine).await?;
    engine.prepare().await?;
    let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
    let decoder = tokio::task::spawn_blocking(move || decode(Batches::new(sender)));
    let stored = store_all(engine, batches, progress).await;
    let decoded = decoder.await.map_err(|error| {
        Error::new(ErrorKind::Io, "the thread that decodes the dump failed").with_source(error)
    });
    let decoded = decoded.map(|decoded| decoded.map_err(with_way_out));
    // When storing failed, the decoder only knows that nobody listens.
    let loaded = async { stored.and(decoded?)?.store(engine).await }.await;
    match loaded {
        Ok(summary) => {
            engine.make_durable().await?;
            Ok(summary)
        }
        Err(error) => {
            if let Err(also) = engine.wipe().await {
                tracing::warn!(error = %also, "records of the dump stay in the database");
            }
            Err(error)
        }
    }
}

/// What to do about a dump that can not be.
fn with_way_out(error: Error) -> Error {
    if error.kind() == ErrorKind::Corrupt && error.advice().is_none() {
        error.with_advice(
            "Nothing was loaded. Load another dump, make a new one where the volume still is, or mend this place: JSON can be \
             edited.",
        )
    } else {
        error
    }
}

async fn check_empty(engine: &Arc<dyn Engine>) -> Result<()> {
    if engine.is_empty().await? {
        return Ok(());
    }
    let place = engine.location();
    let what = match Meta::load_setting(engine).await {
        Ok(Some(setting)) => format!("the database {place} holds volume {} already", setting.name),
        _ => format!(
            "the database {place} is not empty: an interrupted load or another program left records in it"
        ),
    };
    Err(Error::new(ErrorKind::Exists, what)
        .with_advice("Give an empty database, or another table prefix or database number."))
}

async fn store_all(
    engine: &Arc<dyn Engine>,
    mut batches: mpsc::Receiver<Vec<Loaded>>,
    progress: &Progress,
) -> Result<()> {
    while let Some(batch) = batches.recv().await {
        progress.check()?;
        let nodes = batch
            .iter()
            .filter(|loaded| matches!(loaded, Loaded::Record(crate::Key::Node(_), _)))
            .count();
        let batch: Arc<[Loaded]> = batch.into();
        engine::run(engine.as_ref(), "load", move |txn| {
            let batch = Arc::clone(&batch);
            Box::pin(async move {
                for loaded in batch.iter() {
                    loaded.store(txn).await?;
                }
                Ok(())
            })
        })
        .await?;
        progress.add(nodes as u64, 0);
    }
    Ok(())
}
