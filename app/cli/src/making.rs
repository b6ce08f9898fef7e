//! Making a volume: the object store is tested and claimed before the database says that a volume exists
//! (spec 10-setting sections 6 and 7).

use std::sync::Arc;

use moorage_chunk::{ObjectStore, claim_prefix, prefix_in_use, probe_store, withdraw_claim};
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
    let store = if environment::check_store() {
        let store = volume::open_objects(setting)?;
        answered(store.as_ref(), context, async {
            if !making.force {
                refuse_foreign_objects(store.as_ref()).await?;
            }
            probe_store(store.as_ref()).await?;
            claim(store.as_ref(), &setting.uuid).await;
            Ok(())
        })
        .await?;
        Some(store)
    } else {
        None
    };
    let made = Meta::format(engine, &seal(setting)?, &SystemClock).await;
    if made.is_err()
        && let Some(store) = store
    {
        // The reason why the volume was not made is worth more than this one.
        let _ = withdraw_claim(store.as_ref()).await;
    }
    made
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

async fn claim(store: &dyn ObjectStore, uuid: &str) {
    if let Err(error) = claim_prefix(store, uuid).await {
        tracing::warn!("the object store could not be marked as this volume's: {error}");
    }
}
