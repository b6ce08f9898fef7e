//! Which volume a database holds: `moorage config`, which only looks.

use std::path::Path;
use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::MetadataUrl;
use serde::Deserialize;

use crate::child;
use crate::trouble::lasting;
use crate::volume_command::arguments;

/// How long it may take to connect and to read a record: a person waits.
const DEADLINE: Duration = Duration::from_secs(20);

/// What tells one volume from another.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    #[serde(rename = "UUID")]
    uuid: String,
}

/// Finds the volume in a database.
///
/// # Errors
/// That it holds none, with how one is made; why it can not be looked at.
pub(crate) async fn find(
    program: &Path,
    url: &MetadataUrl,
    secrets: &VolumeSecrets,
) -> Result<Found, Problem> {
    let arguments = arguments(&["config"], [], url.as_str(), &[]);
    child::ask(program, arguments, secrets, "looking for the volume", DEADLINE).await
}

/// Whether what was found is the volume that a person means, where that is known.
///
/// # Errors
/// That it is another.
pub(crate) fn is_the_one(found: &Found, meant: Option<&str>, url: &MetadataUrl) -> Result<(), Problem> {
    match meant {
        Some(meant) if !meant.eq_ignore_ascii_case(&found.uuid) => Err(lasting(
            ProblemCode::InvalidRequest,
            format!(
                "{} holds another volume ({}) than the file names ({meant})",
                url.as_str(),
                found.uuid
            ),
            "Ask who gave you the file for a new one, or join the volume by its address.",
        )),
        _ => Ok(()),
    }
}
