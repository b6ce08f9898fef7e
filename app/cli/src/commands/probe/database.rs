//! Asking the database.

use moorage_control::check::CheckStep;
use moorage_meta::{Meta, MetaOptions};
use moorage_model::{Error, ErrorKind, Result, Setting};

use crate::arguments::MetaUrl;
use crate::checklist::Steps;
use crate::volume::{self, Database};

/// Finds the volume of a database; its setting, secrets as stored.
pub(super) async fn find_volume(steps: &mut Steps, url: &MetaUrl) -> Option<Setting> {
    let volume = async {
        let meta = volume::open_meta(url, MetaOptions::default()).await?;
        let setting = meta.setting();
        meta.engine().close().await?;
        Ok(Setting::clone(&setting))
    };
    steps.attempt(CheckStep::MetadataPing, volume).await
}

/// Looks whether a database answers and has room for a volume.
pub(super) async fn find_room(steps: &mut Steps, url: &MetaUrl) {
    steps.attempt(CheckStep::MetadataPing, look_for_none(url)).await;
}

/// A SQLite file that does not exist will be made, so it is as good as an empty database.
async fn look_for_none(url: &MetaUrl) -> Result<()> {
    let engine = match volume::open_engine(url, Database::Existing) {
        Err(error) if error.kind() == ErrorKind::DatabaseMissing => return Ok(()),
        opened => opened?,
    };
    let found = Meta::load_setting(&engine).await;
    engine.close().await?;
    match found? {
        None => Ok(()),
        Some(setting) => Err(Error::new(
            ErrorKind::Exists,
            format!(
                "the database {} holds the volume {} already",
                engine.location(),
                setting.name
            ),
        )
        .with_advice("Join that volume, or name an empty database.")),
    }
}
