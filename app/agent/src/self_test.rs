//! Trying what Moorage needs of this computer: `moorage doctor`.

use std::time::Duration;

use moorage_control::check::Checklist;
use moorage_control::message::Response;
use moorage_control::problem::Problem;
use moorage_control::secret::VolumeSecrets;

use crate::child;
use crate::mounts::MountTable;
use crate::service::Desk;

/// How long all steps together may take; each ends by itself before.
const DEADLINE: Duration = Duration::from_secs(240);

impl<T: MountTable> Desk<T> {
    /// Tries this computer, with a volume made for that.
    ///
    /// # Errors
    /// Why nothing could be tried. What failed of the steps stands in the list.
    pub(crate) async fn test_computer(&self) -> Result<Response, Problem> {
        let arguments = ["doctor", "--json"].map(str::to_owned).to_vec();
        let program = &self.0.places.program;
        let secrets = VolumeSecrets::default();
        let checklist: Checklist =
            child::ask(program, arguments, &secrets, "testing this computer", DEADLINE).await?;
        Ok(Response::Checklist { checklist })
    }
}
