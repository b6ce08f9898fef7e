//! The end of a log: `moorage log`.

use std::time::Duration;

use moorage_control::log::{LogEnd, MOST_LINES};
use moorage_control::message::Response;
use moorage_control::problem::Problem;
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::VolumeId;

use crate::child;
use crate::mounts::MountTable;
use crate::service::Desk;

/// How long reading the end of a file may take.
const DEADLINE: Duration = Duration::from_secs(8);

impl<T: MountTable> Desk<T> {
    /// What the mount of a volume said last, or the agent.
    ///
    /// # Errors
    /// `NotFound` for a volume that is not in the list; that the log can not be read.
    pub(crate) async fn end_of_log(
        &self,
        volume: Option<&VolumeId>,
        lines: u32,
    ) -> Result<Response, Problem> {
        let mut arguments = vec![
            "log".to_owned(),
            "--json".to_owned(),
            format!("--lines={}", lines.min(MOST_LINES)),
        ];
        if let Some(id) = volume {
            let point = self.0.state().find(id)?.entry.settings.mount_point.clone();
            arguments.extend(["--".to_owned(), point]);
        }
        let program = &self.0.places.program;
        let secrets = VolumeSecrets::default();
        let log: LogEnd = child::ask(program, arguments, &secrets, "reading the log", DEADLINE).await?;
        Ok(Response::Log { log })
    }
}
