//! Whether a database holds a volume: `moorage config`, which only looks.

use std::path::Path;
use std::time::Duration;

use moorage_control::problem::Problem;
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::MetadataUrl;

use crate::child;

/// How long it may take to open a file and to read a record of it: a person waits.
const DEADLINE: Duration = Duration::from_secs(20);

/// Finds the volume in a database that needs no secrets.
///
/// # Errors
/// That it holds none, with how one is made; why it can not be looked at.
pub(crate) async fn find(program: &Path, url: &MetadataUrl) -> Result<(), Problem> {
    let arguments = ["config", "--json", "--", url.as_str()];
    let arguments = arguments.map(str::to_owned).to_vec();
    let secrets = VolumeSecrets::default();
    child::run(program, arguments, &secrets, "looking for the volume", DEADLINE).await
}
