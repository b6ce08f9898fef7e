//! Opening a volume: from a metadata URL to its namespace and its data.
//!
//! The one place that joins engine, setting, secrets, object store and chunk store, for every command and for mounts.

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{ChunkConfig, ChunkStore, Claim, ObjectStore, check_claim, open_store};
use moorage_meta::{Engine, MEND_SETTING, Meta, MetaOptions};
use moorage_model::{Error, ErrorKind, Result, Setting, SystemClock};
use moorage_vfs::VolumeData;

use crate::arguments::MetaUrl;
use crate::environment;

/// How long opening waits to learn whose objects these are: somebody waits for the command, and a store that is away for
/// a while must not keep a volume with a cache from being mounted.
const CLAIM_DEADLINE: Duration = Duration::from_secs(10);

/// Whether the database may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// It has to exist.
    Existing,
    /// A SQLite file is made when it does not exist.
    MakeIfMissing,
}

/// Opens the engine that a URL names. The password comes from the environment or the URL.
///
/// # Errors
/// `InvalidArgument` for a malformed or unknown URL, `NotFound` for a missing file or folder, and what connecting
/// meets; no text holds a password.
pub(crate) fn open_engine(url: &MetaUrl, database: Database) -> Result<Arc<dyn Engine>> {
    let password = environment::meta_password(url.scheme())?;
    match database {
        Database::Existing => moorage_engines::open_existing(url.as_str(), password.as_deref()),
        Database::MakeIfMissing => moorage_engines::open(url.as_str(), password.as_deref()),
    }
}

/// Opens the namespace of an existing volume.
///
/// # Errors
/// As [`open_engine`]; `NotFormatted`, `VersionMismatch` and `Corrupt` as [`Meta::open`].
pub(crate) async fn open_meta(url: &MetaUrl, options: MetaOptions) -> Result<Arc<Meta>> {
    let engine = open_engine(url, Database::Existing)?;
    let opened = Meta::open(engine, options, Arc::new(SystemClock)).await;
    opened.map_err(|error| name_missing_password(url, error))
}

/// Says why a command on a path of a mount has no password, where the database asks for one.
fn name_missing_password(url: &MetaUrl, error: Error) -> Error {
    let given = environment::meta_password(url.scheme()).is_ok_and(|password| password.is_some());
    if !url.is_recorded() || given || error.kind() != ErrorKind::Unauthenticated {
        return error;
    }
    Error::new(
        ErrorKind::Unauthenticated,
        "the database of this mount refuses a command without a password, and what is on record of the mount keeps none",
    )
    .with_source(error)
    .with_advice(
        "Set META_PASSWORD, or META_PASSWORD_FILE to a file that holds the password, and run the command again.",
    )
}

/// Opens the object store of a volume, with the passphrase of its key from the environment.
///
/// # Errors
/// `Corrupt` when a stored secret can not be opened, `Unauthenticated` for a wrong passphrase, `NotSupported` or
/// `InvalidArgument` for a store that can not be opened.
pub(crate) fn open_objects(setting: &Setting) -> Result<Arc<dyn ObjectStore>> {
    let opened = setting.with_opened_secrets()?;
    open_store(&opened, environment::rsa_passphrase().as_deref())
}

/// Opens the data of a volume. `adjust` puts the machine's side (caches, limits, time-outs) into the configuration
/// that the volume prescribes.
///
/// # Errors
/// As [`open_objects`] and [`ChunkStore::open`]; `Corrupt` for a setting that can not be; `Exists` when the objects are
/// another volume's.
pub(crate) async fn open_data(meta: &Meta, adjust: impl FnOnce(&mut ChunkConfig)) -> Result<Arc<ChunkStore>> {
    let setting = meta.setting();
    let mut config = ChunkConfig::from_setting(&setting).map_err(|error| match error.kind() {
        ErrorKind::Corrupt => error.context(meta.engine().location()).with_advice(MEND_SETTING),
        _ => error,
    })?;
    adjust(&mut config);
    let objects = open_objects(&setting)?;
    if environment::check_store() {
        refuse_foreign_store(objects.as_ref(), &setting).await?;
    }
    ChunkStore::open(objects, config, &setting.uuid).await
}

/// A wrong bucket shows every file as damaged, and `gc` and `destroy` would delete what others keep there.
async fn refuse_foreign_store(store: &dyn ObjectStore, setting: &Setting) -> Result<()> {
    let (name, place) = (&setting.name, store.describe());
    match tokio::time::timeout(CLAIM_DEADLINE, check_claim(store, &setting.uuid)).await {
        Ok(Ok(Claim::Own)) => {}
        Ok(Ok(Claim::Unclaimed)) => {
            tracing::warn!("nothing in the object store ({place}) says that it belongs to volume {name}");
        }
        Ok(Ok(Claim::Empty)) => tracing::warn!(
            "the object store ({place}) is EMPTY: files that volume {name} already has can not be read from it. Unless \
             the volume is new, the bucket is the wrong one, or its disk is not mounted"
        ),
        Ok(Err(error)) if error.kind() == ErrorKind::Exists => return Err(error),
        Ok(Err(error)) => {
            tracing::warn!(
                "whether the object store ({place}) is that of volume {name} is not known: {error}"
            );
        }
        Err(_) => tracing::warn!(
            "the object store ({place}) of volume {name} does not answer within {} s",
            CLAIM_DEADLINE.as_secs()
        ),
    }
    Ok(())
}

/// A volume that a command works on without a session of its own.
#[derive(Debug)]
pub(crate) struct Volume {
    /// Its namespace, with access to the data.
    pub(crate) meta: Arc<Meta>,
    /// Its data.
    pub(crate) chunks: Arc<ChunkStore>,
}

impl Volume {
    /// Opens namespace and data for an administrative command: no session, no background jobs.
    ///
    /// # Errors
    /// As [`open_meta`] and [`open_data`].
    pub(crate) async fn open(url: &MetaUrl) -> Result<Volume> {
        Volume::with(url, short_command()).await
    }

    /// As [`Volume::open`], for a command that changes nothing.
    ///
    /// # Errors
    /// As [`open_meta`] and [`open_data`].
    pub(crate) async fn open_to_look(url: &MetaUrl) -> Result<Volume> {
        Volume::with(url, read_only_command()).await
    }

    /// As [`Volume::open`] or, without `repair`, [`Volume::open_to_look`], also with damaged counters.
    ///
    /// # Errors
    /// As [`open_meta`] and [`open_data`].
    pub(crate) async fn open_to_check(url: &MetaUrl, repair: bool) -> Result<Volume> {
        let options = if repair {
            short_command()
        } else {
            read_only_command()
        };
        let options = MetaOptions {
            accept_damaged_usage: true,
            ..options
        };
        Volume::with(url, options).await
    }

    async fn with(url: &MetaUrl, options: MetaOptions) -> Result<Volume> {
        let meta = open_meta(url, options).await?;
        let chunks = open_data(&meta, |_| {}).await?;
        meta.attach_data(Arc::new(VolumeData::new(Arc::clone(&chunks))));
        Ok(Volume { meta, chunks })
    }

    /// Removes the data of what the command deleted, makes what it changed survive a power cut, then closes.
    ///
    /// # Errors
    /// Of a deletion: then the hourly job of a mount removes the rest. Of the durability barrier: then a power cut
    /// may undo a part.
    pub(crate) async fn close(self) -> Result<()> {
        if !self.meta.options().read_only {
            self.meta.flush_deletions().await?;
            self.meta.make_durable().await?;
        }
        self.meta.engine().close().await
    }
}

/// How a command that ends soon uses the namespace.
fn short_command() -> MetaOptions {
    MetaOptions {
        background_jobs: false,
        ..MetaOptions::default()
    }
}

/// Opens only the namespace, for a command that changes nothing.
///
/// # Errors
/// As [`open_meta`].
pub(crate) async fn open_to_look(url: &MetaUrl) -> Result<Arc<Meta>> {
    open_meta(url, read_only_command()).await
}

/// The namespace of an engine that is open, for a look while a command works on the engine itself.
///
/// # Errors
/// As [`Meta::open`].
pub(crate) async fn meta_to_look(engine: &Arc<dyn Engine>) -> Result<Arc<Meta>> {
    Meta::open(Arc::clone(engine), rescue_command(), Arc::new(SystemClock)).await
}

/// As [`open_to_look`], also with damaged usage counters, for a command that saves what can be saved.
///
/// # Errors
/// As [`open_meta`].
pub(crate) async fn open_to_rescue(url: &MetaUrl) -> Result<Arc<Meta>> {
    open_meta(url, rescue_command()).await
}

fn rescue_command() -> MetaOptions {
    MetaOptions {
        accept_damaged_usage: true,
        ..read_only_command()
    }
}

fn read_only_command() -> MetaOptions {
    MetaOptions {
        read_only: true,
        ..short_command()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_on_a_mounted_path_is_told_where_to_put_the_password() {
        let refused = || Error::new(ErrorKind::Unauthenticated, "MySQL h: using password: NO");
        let text = || "mysql://me@(h)/d".to_owned();
        let on_path = name_missing_password(&MetaUrl::of_record(text()), refused());
        assert!(
            on_path
                .advice()
                .is_some_and(|advice| advice.contains("META_PASSWORD")),
            "{on_path}"
        );
        assert_eq!(on_path.kind(), ErrorKind::Unauthenticated);
        let with_url = name_missing_password(&MetaUrl::from(text()), refused());
        assert_eq!(with_url.advice(), None);
    }
}
