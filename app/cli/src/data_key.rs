//! The key of an encrypted volume: read from its file, and given to a volume whose setting lacks it.

use std::path::Path;
use std::sync::Arc;

use moorage_chunk::{DataKey, check_claim};
use moorage_meta::{Engine, Meta};
use moorage_model::{Error, ErrorKind, Result, Setting, SystemClock};

use crate::context::Context;
use crate::store_check::answered;
use crate::{environment, making, volume};

/// The text of a key file.
///
/// # Errors
/// `NotFound` when it can not be read, `InvalidArgument` when it is empty.
pub(crate) fn read(file: &Path) -> Result<String> {
    /// How a key is made.
    const MAKE_ONE: &str = "Make one with: openssl genrsa -aes256 -out key.pem 2048";
    let text = std::fs::read_to_string(file).map_err(|error| {
        Error::new(
            ErrorKind::NotFound,
            format!("the key file {} can not be read", file.display()),
        )
        .with_source(error)
        .with_advice(MAKE_ONE)
    })?;
    // An empty key is how a setting says that nothing is encrypted.
    if text.trim().is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("the key file {} is empty", file.display()),
        )
        .with_advice(MAKE_ONE));
    }
    Ok(text)
}

/// Checks a key for a volume that lacks it; `None` when the volume has this very key.
///
/// # Errors
/// `InvalidArgument` when the volume is not encrypted or has another key; the key's.
pub(crate) fn wanted(setting: &Setting, pem: String) -> Result<Option<String>> {
    let name = &setting.name;
    DataKey::from_pem(&pem, environment::rsa_passphrase().as_deref())?;
    if setting.encrypt_key.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("volume {name} is not encrypted"),
        )
        .with_advice("Whether it is was decided when it was made: leave --encrypt-rsa-key away."));
    }
    if setting.lacks_encrypt_key() {
        return Ok(Some(pem));
    }
    if setting.with_readable_secrets()?.encrypt_key.trim() == pem.trim() {
        return Ok(None);
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("volume {name} has its key, and another one can not read its objects"),
    )
    .with_advice(
        "Leave --encrypt-rsa-key away: a key is set only where a dump left it out or it is damaged.",
    ))
}

/// Sets the key of a volume that was loaded without it. Refuses one that does not open the objects of the volume, as far
/// as the store can be asked.
///
/// # Errors
/// Those of [`wanted`]; `Exists` when the objects were encrypted with another key; what the engine answers.
pub(crate) async fn set(engine: &Arc<dyn Engine>, pem: String, context: &Context) -> Result<()> {
    let Some(setting) = Meta::load_setting(engine).await? else {
        return Err(ErrorKind::NotFormatted.into());
    };
    let Some(pem) = wanted(&setting, pem)? else {
        return Ok(());
    };
    let mut opened = setting.with_readable_secrets()?;
    opened.encrypt_key.clone_from(&pem);
    refuse_other_key(&opened, context).await?;
    Meta::change_setting(engine, &SystemClock, move |setting| {
        let mut opened = setting.with_readable_secrets()?;
        opened.encrypt_key.clone_from(&pem);
        *setting = making::seal(&opened)?;
        Ok(())
    })
    .await?;
    engine.make_durable().await
}

/// A store that does not answer, or whose secrets are still missing, keeps no key from being set: mounting looks again.
async fn refuse_other_key(opened: &Setting, context: &Context) -> Result<()> {
    if !environment::check_store() {
        return Ok(());
    }
    let asked = async {
        let store = volume::open_objects(opened)?;
        answered(store.as_ref(), context, check_claim(store.as_ref(), &opened.uuid)).await
    };
    match asked.await {
        Err(error) if error.kind() == ErrorKind::Exists => Err(error),
        Err(error) => {
            context.say(&format!(
                "warning: whether the key opens the objects of the volume was not tested: {}",
                error.reason()
            ));
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
