//! Who uses a volume: `moorage status` knows.

use std::time::Duration;

use moorage_control::message::Response;
use moorage_control::problem::Problem;
use moorage_control::session::{SessionState, VolumeSession};
use moorage_control::state::Timestamp;
use moorage_control::volume::VolumeId;
use serde::Deserialize;

use crate::mounts::MountTable;
use crate::service::Desk;
use crate::volume_command::VolumeCommand;

/// How long a look may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What of the command's answer is of use here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Session {
    sid: u64,
    expire: i64,
    expired: bool,
    #[serde(default)]
    dead: bool,
    #[serde(default)]
    damaged: bool,
    #[serde(default)]
    unsupervised: bool,
    #[serde(default)]
    here: bool,
    version: String,
    host_name: String,
    mount_point: String,
    mount_time: String,
    #[serde(rename = "ProcessID")]
    process_id: u32,
    staged_bytes: Option<u64>,
}

impl<T: MountTable> Desk<T> {
    pub(crate) async fn sessions(&self, id: &VolumeId) -> Result<Response, Problem> {
        let command = VolumeCommand {
            words: &["status"],
            flags: Vec::new(),
            operands: Vec::new(),
            task: "looking who uses {}",
            deadline: DEADLINE,
        };
        let status: Status = self.ask_volume(id, command).await?;
        let sessions = status.sessions.into_iter().map(Session::told).collect();
        Ok(Response::VolumeSessions { sessions })
    }
}

impl Session {
    fn told(self) -> VolumeSession {
        let state = match &self {
            Session { damaged: true, .. } => SessionState::Damaged,
            Session { expired: true, .. } => SessionState::Expired,
            Session { dead: true, .. } => SessionState::Dead,
            Session {
                unsupervised: true, ..
            } => SessionState::Unsupervised,
            _ => SessionState::Alive,
        };
        VolumeSession {
            id: self.sid,
            host: self.host_name,
            here: self.here,
            mount_point: self.mount_point,
            version: self.version,
            process: self.process_id,
            since: self.mount_time,
            expires: Timestamp(u64::try_from(self.expire).unwrap_or(0).saturating_mul(1000)),
            state,
            staged_bytes: self.staged_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(more: &str) -> VolumeSession {
        let text = format!(
            r#"{{"Setting":{{}},"Sessions":[{{"Sid":7,"Expire":12,"Expired":false,"Version":"1.4.0",
            "HostName":"h","MountPoint":"/m","MountTime":"2026-01-05T09:30:00Z","ProcessID":42{more}}}]}}"#
        );
        let status: Status = serde_json::from_str(&text).expect("a status");
        status.sessions.into_iter().next().expect("a session").told()
    }

    #[test]
    fn the_gravest_word_about_a_session_is_the_one_that_is_told() {
        let alive = told("");
        assert_eq!((alive.state, alive.here), (SessionState::Alive, false));
        assert_eq!((alive.expires, alive.process), (Timestamp(12_000), 42));
        assert_eq!(told(r#","Dead":true,"Here":true"#).state, SessionState::Dead);
        let both = told(r#","Unsupervised":true,"Damaged":true"#);
        assert_eq!(both.state, SessionState::Damaged);
        assert_eq!(told(r#","StagedBytes":5"#).staged_bytes, Some(5));
    }
}
