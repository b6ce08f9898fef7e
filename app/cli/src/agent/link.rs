//! The connection of a command to the agent.

use moorage_control::client::{Client, ClientError};
use moorage_control::socket;
use moorage_control::volume::{Volume, VolumeId};
use moorage_host::Folders;
use moorage_model::{Error, ErrorKind, Result};

use super::error_of;
use crate::mounting::host_error;

/// Connects to the agent.
///
/// # Errors
/// `Unavailable` when none runs; `VersionMismatch` with which side to update.
pub(crate) async fn connect() -> Result<Client> {
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    Client::connect(&socket::path(&folders.runtime), env!("CARGO_PKG_VERSION"))
        .await
        .map_err(error_of)
}

/// The volume with this name in the list, or with this id.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn find(client: &Client, name: &str) -> Result<Volume> {
    let volumes = client.volumes().await.map_err(error_of)?;
    let found = volumes
        .into_iter()
        .find(|volume| volume.settings.name == name || volume.id.0 == name);
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("there is no volume {name:?} in the agent's list"),
        )
        .with_advice("`moorage volume list` shows their names; `moorage volume add` adds one.")
    })
}

/// Looks at the volume now and after every change at the agent, until `decide` has a result.
///
/// # Errors
/// When the connection ends first.
pub(crate) async fn watch_until<T>(
    client: &Client,
    id: &VolumeId,
    mut decide: impl FnMut(&Volume) -> Option<T>,
) -> Result<T> {
    let mut changes = client.subscribe().await.map_err(error_of)?;
    loop {
        let volume = client.volume(id).await.map_err(error_of)?;
        if let Some(decided) = decide(&volume) {
            return Ok(decided);
        }
        if changes.next().await.is_none() {
            return Err(error_of(ClientError::Closed));
        }
    }
}
