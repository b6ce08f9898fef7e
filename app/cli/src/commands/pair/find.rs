//! Which pair is meant, and waiting for what becomes of it.

use std::path::Path;

use moorage_control::client::{Client, ClientError};
use moorage_control::sync::{SyncPair, SyncPairId, SyncState};
use moorage_model::{Error, ErrorKind, Result};

use crate::agent::error_of;

/// The pair with this local folder, or with this id.
///
/// # Errors
/// `NotFound`; `InvalidArgument` when several have the folder.
pub(super) async fn find(client: &Client, named: &Path) -> Result<SyncPair> {
    let pairs = client.sync_pairs().await.map_err(error_of)?;
    let real = named
        .canonicalize()
        .or_else(|_| std::path::absolute(named))
        .unwrap_or_else(|_| named.to_owned());
    let mut found = pairs
        .into_iter()
        .filter(|pair| Path::new(&pair.settings.local_folder) == real || Path::new(&pair.id.0) == named);
    let Some(pair) = found.next() else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no sync pair of {} in the agent's list", named.display()),
        )
        .with_advice("`moorage pair list` shows them; `moorage pair add` adds one."));
    };
    if found.next().is_some() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} is in several sync pairs", named.display()),
        )
        .with_advice("Give the id of the one that is meant; `moorage pair list --json` shows it."));
    }
    Ok(pair)
}

/// Looks at the pair now and after every change at the agent, until no run is under way.
///
/// # Errors
/// When the connection ends first, or the pair is removed.
pub(super) async fn until_it_rests(client: &Client, id: &SyncPairId) -> Result<SyncPair> {
    let mut changes = client.subscribe().await.map_err(error_of)?;
    loop {
        let pairs = client.sync_pairs().await.map_err(error_of)?;
        let Some(pair) = pairs.into_iter().find(|pair| pair.id == *id) else {
            return Err(Error::new(ErrorKind::NotFound, "the sync pair was removed"));
        };
        if !matches!(pair.state, SyncState::Running { .. }) {
            return Ok(pair);
        }
        if changes.next().await.is_none() {
            return Err(error_of(ClientError::Closed));
        }
    }
}
