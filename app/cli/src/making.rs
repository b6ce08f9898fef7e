//! Making a volume: the object store is tested before the database says that a volume exists, and claimed after it
//! (spec 10-setting sections 6 and 7).
//!
//! A making that ends half-way leaves either nothing that counts or a volume without its claim, which [`finish`] puts
//! there: never a claim of a volume that does not exist, which nobody could tell from that of a volume of others.

use std::sync::Arc;

use moorage_chunk::{Claim, ObjectStore, check_claim, claim_prefix, prefix_in_use, probe_store};
use moorage_meta::{Engine, Meta};
use moorage_model::{Error, ErrorKind, Result, SECRET_NONCE_BYTES, Setting, SystemClock};
use rand::RngExt as _;

use crate::context::Context;
use crate::store_check::answered;
use crate::{environment, volume};

/// What is decided by the options of `format`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Making {
    /// Overwrites members that a volume fixes, and takes a prefix with foreign objects.
    pub(crate) force: bool,
}

/// Seals the secrets of a setting with random nonces.
///
/// # Errors
/// When the cipher fails.
pub(crate) fn seal(setting: &Setting) -> Result<Setting> {
    setting.with_sealed_secrets(|| {
        let mut nonce = [0; SECRET_NONCE_BYTES];
        rand::rng().fill(&mut nonce);
        nonce
    })
}

/// Makes the volume of `setting`, whose secrets are in the open, in an empty database. Returns it as stored.
///
/// # Errors
/// The store's when it can not be written, read and deleted from; `Exists` when objects of others use its prefix or
/// the database holds something else; `InvalidArgument` for a setting that can not be. The store is left as it was.
pub(crate) async fn make(
    engine: &Arc<dyn Engine>,
    setting: &Setting,
    making: Making,
    context: &Context,
) -> Result<Setting> {
    Meta::check_new(engine, setting).await?;
    let store = environment::check_store()
        .then(|| volume::open_objects(setting))
        .transpose()?;
    if let Some(store) = &store {
        answered(store.as_ref(), context, async {
            if !making.force {
                refuse_foreign_objects(store.as_ref()).await?;
            }
            probe_store(store.as_ref()).await
        })
        .await?;
    }
    let made = Meta::format(engine, &seal(setting)?, &SystemClock).await?;
    // The claim must not outlive a power cut that takes the volume.
    engine.make_durable().await?;
    if let Some(store) = &store {
        claim(store.as_ref(), &made.uuid, context).await;
    }
    Ok(made)
}

/// Claims the store of a volume whose making ended before it came to that. One with files is left alone: where a
/// place has nothing of them, it is the wrong one. A store that does not answer is tried again another time.
///
/// # Errors
/// `Exists` when another volume has claimed the store meanwhile.
pub(crate) async fn finish(engine: &Arc<dyn Engine>, setting: &Setting, context: &Context) -> Result<()> {
    if !environment::check_store() {
        return Ok(());
    }
    let looked = async {
        let meta = volume::meta_to_look(engine).await?;
        if !meta.sample_slices(1).await?.is_empty() {
            return Ok(None);
        }
        let store = volume::open_objects(setting)?;
        let found = answered(
            store.as_ref(),
            context,
            check_claim(store.as_ref(), &setting.uuid),
        );
        Ok::<_, Error>((found.await? == Claim::Empty).then_some(store))
    };
    match looked.await {
        Ok(Some(store)) => claim(store.as_ref(), &setting.uuid, context).await,
        Ok(None) => {}
        Err(error) if error.kind() == ErrorKind::Exists => return Err(error),
        Err(error) => tracing::debug!(%error, "whether the object store is claimed is not known"),
    }
    Ok(())
}

async fn refuse_foreign_objects(store: &dyn ObjectStore) -> Result<()> {
    let Some(object) = prefix_in_use(store).await? else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::Exists,
        format!(
            "the object store ({}) holds objects already, such as {object}",
            store.describe()
        ),
    )
    .with_advice("Give the volume another name or another bucket."))
}

async fn claim(store: &dyn ObjectStore, uuid: &str, context: &Context) {
    if let Err(error) = answered(store, context, claim_prefix(store, uuid)).await {
        tracing::warn!("the object store could not be marked as this volume's: {error}");
    }
}
