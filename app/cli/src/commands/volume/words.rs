//! States of volumes in words.

use moorage_control::state::{Reason, UnmountWait, VolumeState};

use crate::size;

/// The word of a state, as the protocol has it.
pub(super) fn word(state: &VolumeState) -> &'static str {
    match state {
        VolumeState::Unconfigured { .. } => "unconfigured",
        VolumeState::Stopped => "stopped",
        VolumeState::Connecting { .. } => "connecting",
        VolumeState::Mounted => "mounted",
        VolumeState::Degraded { .. } => "degraded",
        VolumeState::Unmounting { .. } => "unmounting",
        VolumeState::Error { .. } => "error",
    }
}

/// Why it is so and what to do, where there is something to say.
pub(super) fn explanation(state: &VolumeState) -> Option<String> {
    let of_reason = |reason: &Reason| sentence(&reason.message, &reason.advice);
    match state {
        VolumeState::Unconfigured { reason } => Some(of_reason(reason)),
        VolumeState::Connecting { reason, .. } => reason.as_ref().map(of_reason),
        VolumeState::Degraded { reasons } => {
            let reasons: Vec<String> = reasons.iter().map(of_reason).collect();
            Some(reasons.join(" "))
        }
        VolumeState::Unmounting {
            waiting_for: Some(UnmountWait::Uploads { files, bytes }),
        } => Some(match (files, bytes) {
            (0, 0) => "What was written is being stored.".to_owned(),
            (0, bytes) => format!("{} are being stored first.", size::show(*bytes)),
            (files, bytes) => format!("{files} files, {}, are being stored first.", size::show(*bytes)),
        }),
        VolumeState::Unmounting {
            waiting_for: Some(UnmountWait::Processes { holders }),
        } => {
            let names: Vec<String> = holders
                .iter()
                .map(|holder| format!("{} ({})", holder.name, holder.pid))
                .collect();
            Some(format!("It is used by {}.", names.join(", ")))
        }
        VolumeState::Error { problem } => {
            let cause = problem.cause.as_ref().map(|cause| format!(": {cause}"));
            let message = format!("{problem}{}", cause.unwrap_or_default());
            Some(sentence(&message, &problem.advice))
        }
        VolumeState::Stopped | VolumeState::Mounted | VolumeState::Unmounting { waiting_for: None } => None,
    }
}

fn sentence(message: &str, advice: &str) -> String {
    let message = message.trim_end_matches('.');
    format!("{message}. {advice}").trim_end().to_owned()
}
