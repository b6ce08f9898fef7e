//! The version of the protocol, and who has to be updated when two differ.

use serde::{Deserialize, Serialize};

use crate::problem::{Problem, ProblemCode};

/// The version of the protocol. It grows when an old side would misread a new one; kinds and fields are added without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct ProtocolVersion(pub u32);

impl ProtocolVersion {
    /// What this build speaks.
    pub const CURRENT: Self = Self(1);
}

/// Says which side is to be updated.
///
/// # Errors
///
/// A problem of the kind `version_mismatch` when the two differ.
pub fn agree(agent: ProtocolVersion, client: ProtocolVersion) -> Result<(), Problem> {
    let (older, advice) = match agent.cmp(&client) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => (
            "the agent is older than this program",
            "restart the agent (moorage agent stop); if that does not help, update Moorage",
        ),
        std::cmp::Ordering::Greater => (
            "this program is older than the agent",
            "close this program, update it, and start it again",
        ),
    };
    Err(Problem {
        code: ProblemCode::VersionMismatch,
        message: format!(
            "{older}: the agent speaks version {}, this program {}",
            agent.0, client.0
        ),
        cause: None,
        advice: advice.to_owned(),
        retryable: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_side_is_the_one_to_update() {
        let old_agent = agree(ProtocolVersion(1), ProtocolVersion(2)).expect_err("they differ");
        assert!(old_agent.message.starts_with("the agent is older"), "{old_agent}");
        let old_client = agree(ProtocolVersion(2), ProtocolVersion(1)).expect_err("they differ");
        assert!(
            old_client.message.starts_with("this program is older"),
            "{old_client}"
        );
        assert_eq!(agree(ProtocolVersion(2), ProtocolVersion(2)), Ok(()));
    }
}
