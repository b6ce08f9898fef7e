//! The end of a volume (the command `destroy`).

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use moorage_chunk::{ObjectStore, is_of_volume};
use moorage_meta::admin::Progress;
use moorage_meta::{Meta, is_backup};
use moorage_model::{Error, ErrorKind, Result};

use super::listing::Listing;

/// How a volume is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DestroyOptions {
    /// Also while sessions use it.
    pub force: bool,
    /// Deletions at once.
    pub concurrency: usize,
}

impl Default for DestroyOptions {
    fn default() -> Self {
        DestroyOptions {
            force: false,
            concurrency: 50,
        }
    }
}

/// Deletes every object of a volume, then every record, and returns how many other objects are below its prefix: those of
/// names that no client of the format gives, which stay. `uuid` must be the volume's, so that nobody destroys another
/// one by a wrong address. `progress` counts objects.
///
/// # Errors
/// `InvalidArgument` for another UUID; `Busy` while sessions use the volume, unless forced; the first failure of store
/// or engine: the records are there then and the call can be repeated.
///
/// # Cancel safety
/// Dropping the future leaves a volume whose objects are partly gone; call it again.
pub async fn destroy_volume(
    meta: &Meta,
    store: &dyn ObjectStore,
    uuid: &str,
    options: DestroyOptions,
    progress: &Progress,
) -> Result<u64> {
    let setting = meta.setting();
    if !setting.uuid.eq_ignore_ascii_case(uuid) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "the volume {} has the UUID {}, not {uuid}",
                setting.name, setting.uuid
            ),
        ));
    }
    let sessions = meta.list_sessions().await?;
    let users: Vec<String> = sessions
        .iter()
        .filter(|session| !session.expired && session.id != meta.session())
        .map(|session| {
            if session.damaged {
                format!("session {}, whose record can not be read", session.id)
            } else {
                format!("{} at {}", session.info.host_name, session.info.mount_point)
            }
        })
        .collect();
    if !users.is_empty() && !options.force {
        return Err(Error::new(
            ErrorKind::Busy,
            format!("the volume {} is in use by {}", setting.name, users.join(", ")),
        )
        .with_advice("Unmount it there first, or wait until its session expires if its process is gone; --force destroys it all the same."));
    }
    let mut listing = Listing::new(store, "");
    let mut others = 0;
    while let Some(mut page) = listing.next(progress).await? {
        let listed = page.len();
        page.retain(|(key, _)| is_of_volume(key) || is_backup(key));
        others += (listed - page.len()) as u64;
        futures_util::stream::iter(page)
            .map(Ok::<_, Error>)
            .try_for_each_concurrent(options.concurrency.max(1), |(key, info)| async move {
                store.delete(&key).await?;
                progress.add(1, info.size);
                Ok(())
            })
            .await?;
    }
    store.sync().await?;
    meta.engine().wipe().await?;
    Ok(others)
}
