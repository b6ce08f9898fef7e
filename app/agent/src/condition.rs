//! What is not as it should be with a volume that serves files, from what its process says and nothing else.

use std::time::Duration;

use moorage_control::mount::MountReport;
use moorage_control::state::{Reason, ReasonCode, Timestamp, VolumeState};

use crate::moment::Moment;

/// How long a mount process may be silent before that is said: a computer under load is slow for a moment.
const SILENCE_SHOWN: Duration = Duration::from_secs(5);
/// How long a staged byte may wait before its upload is late.
const UPLOAD_LATE: Duration = Duration::from_secs(10 * 60);
/// Part of the quota, in percent, from which it is said to be nearly used up.
const QUOTA_NEAR_PERCENT: u64 = 95;

/// What was heard of the process that serves a volume.
pub(crate) enum Heard<'a> {
    /// It is of a version that tells nothing, or there is no process.
    Nothing,
    /// It does not answer, since then.
    Silence {
        /// Since when.
        since: Moment,
        /// Why not, as the system said it.
        cause: &'a str,
    },
    /// Its report.
    Report(&'a MountReport),
}

/// The reasons that hold now, the gravest first. Those that held before keep their time.
pub(crate) fn reasons(before: &[Reason], heard: &Heard<'_>, now: Moment) -> Vec<Reason> {
    let found = match heard {
        Heard::Nothing => Vec::new(),
        Heard::Silence { since, cause } => silent(*since, cause, now).into_iter().collect(),
        Heard::Report(report) => of_report(report, now.wall),
    };
    let mut reasons = found;
    for reason in &mut reasons {
        if let Some(same) = before.iter().find(|before| before.code == reason.code) {
            reason.since = same.since;
        }
    }
    reasons
}

/// The state of a volume with the reasons that hold beside it.
pub(crate) fn with_reasons(state: VolumeState, more: &[Reason]) -> VolumeState {
    match state {
        VolumeState::Mounted if !more.is_empty() => VolumeState::Degraded {
            reasons: more.to_vec(),
        },
        VolumeState::Degraded { mut reasons } => {
            reasons.extend_from_slice(more);
            VolumeState::Degraded { reasons }
        }
        state => state,
    }
}

fn silent(since: Moment, cause: &str, now: Moment) -> Option<Reason> {
    let long = now.instant.saturating_duration_since(since.instant) >= SILENCE_SHOWN;
    long.then(|| Reason {
        code: ReasonCode::NotAnswering,
        message: format!("its mount process does not answer: {cause}"),
        advice: "Wait a moment. If it stays so, look at the log of the mount; `moorage volume unmount --lazy` takes the \
                 volume away."
            .to_owned(),
        since: since.wall,
    })
}

fn of_report(report: &MountReport, now: Timestamp) -> Vec<Reason> {
    let figures = &report.figures;
    let mut reasons = Vec::new();
    let mut add = |code, message: String, advice: &str| {
        reasons.push(Reason {
            code,
            message,
            advice: advice.to_owned(),
            since: now,
        });
    };
    let quota = figures
        .space
        .as_ref()
        .and_then(|space| Some((space.used, space.quota?)));
    let full = quota.is_some_and(|(used, quota)| used >= quota);
    if full {
        add(
            ReasonCode::QuotaExceeded,
            "its quota is used up, and nothing more can be written".to_owned(),
            "Delete files, also from the trash, or raise the quota.",
        );
    }
    if let Some(cause) = &report.metadata_problem {
        add(
            ReasonCode::MetadataUnavailable,
            format!("its metadata database does not answer: {cause}"),
            "Check the network and the server. Whoever uses the volume waits, and it goes on by itself.",
        );
    }
    if let Some(cause) = &report.store_problem {
        add(
            ReasonCode::StoreUnavailable,
            format!("nothing gets through to the object store: {cause}"),
            "Check the network and the store. What is written waits on this computer, and it goes on by itself.",
        );
    } else if is_late(figures.oldest_staged, now) {
        add(
            ReasonCode::UploadsLate,
            "files wait for their upload for more than ten minutes".to_owned(),
            "Leave this computer on. If it stays so, check the network and the upload limit.",
        );
    }
    let near = quota.is_some_and(|(used, quota)| {
        u128::from(used) * 100 >= u128::from(quota) * u128::from(QUOTA_NEAR_PERCENT)
    });
    if near && !full {
        add(
            ReasonCode::QuotaNearing,
            format!("more than {QUOTA_NEAR_PERCENT} % of its quota are used"),
            "Delete files, also from the trash, or raise the quota.",
        );
    }
    reasons
}

fn is_late(oldest: Option<Timestamp>, now: Timestamp) -> bool {
    oldest.is_some_and(|oldest| u128::from(now.0.saturating_sub(oldest.0)) >= UPLOAD_LATE.as_millis())
}

#[cfg(test)]
mod tests {
    use moorage_control::figures::{Figures, Space};

    use super::*;

    fn after(moment: Moment, passed: Duration) -> Moment {
        Moment {
            instant: moment.instant + passed,
            wall: Timestamp(moment.wall.0 + u64::try_from(passed.as_millis()).expect("short")),
        }
    }

    fn codes(reasons: &[Reason]) -> Vec<ReasonCode> {
        reasons.iter().map(|reason| reason.code).collect()
    }

    fn report(figures: Figures) -> MountReport {
        MountReport {
            figures,
            ..MountReport::default()
        }
    }

    #[test]
    fn a_mount_that_is_silent_for_a_while_is_said_to_be_and_no_longer_than_it_is() {
        let since = Moment::now();
        let heard = Heard::Silence {
            since,
            cause: "no answer",
        };
        assert_eq!(reasons(&[], &heard, since), []);
        let later = after(since, SILENCE_SHOWN);
        let found = reasons(&[], &heard, later);
        assert_eq!(codes(&found), [ReasonCode::NotAnswering]);
        assert_eq!(found.first().map(|reason| reason.since), Some(since.wall));
        let heard = Heard::Report(&MountReport::default());
        assert_eq!(reasons(&found, &heard, later), []);
    }

    #[test]
    fn a_reason_that_holds_on_keeps_its_time() {
        let away = MountReport {
            store_problem: Some("it does not answer".to_owned()),
            ..MountReport::default()
        };
        let begun = Moment::now();
        let first = reasons(&[], &Heard::Report(&away), begun);
        assert_eq!(codes(&first), [ReasonCode::StoreUnavailable]);
        let later = reasons(&first, &Heard::Report(&away), after(begun, UPLOAD_LATE));
        assert_eq!(later, first);
    }

    #[test]
    fn a_database_and_a_store_that_are_away_are_both_said_to_be() {
        let away = MountReport {
            metadata_problem: Some("connection refused".to_owned()),
            store_problem: Some("it does not answer".to_owned()),
            ..MountReport::default()
        };
        let found = reasons(&[], &Heard::Report(&away), Moment::now());
        let expected = [ReasonCode::MetadataUnavailable, ReasonCode::StoreUnavailable];
        assert_eq!(codes(&found), expected);
    }

    #[test]
    fn bytes_that_wait_for_long_are_late() {
        let now = Moment::now();
        let staged = |at: Moment| {
            report(Figures {
                oldest_staged: Some(at.wall),
                ..Figures::default()
            })
        };
        let fresh = staged(now);
        let late = after(now, UPLOAD_LATE);
        assert_eq!(reasons(&[], &Heard::Report(&fresh), now), []);
        assert_eq!(
            codes(&reasons(&[], &Heard::Report(&fresh), late)),
            [ReasonCode::UploadsLate]
        );
    }

    #[test]
    fn a_quota_is_said_to_be_near_and_to_be_used_up() {
        let now = Moment::now();
        let used = |used: u64| {
            let space = Space {
                used,
                quota: Some(1000),
                inodes: 1,
            };
            let report = report(Figures {
                space: Some(space),
                ..Figures::default()
            });
            codes(&reasons(&[], &Heard::Report(&report), now))
        };
        assert_eq!(used(900), []);
        assert_eq!(used(960), [ReasonCode::QuotaNearing]);
        assert_eq!(used(1000), [ReasonCode::QuotaExceeded]);
    }

    #[test]
    fn only_a_volume_that_serves_files_is_degraded() {
        let reason = Reason {
            code: ReasonCode::UploadsLate,
            message: "late".to_owned(),
            advice: String::new(),
            since: Timestamp(1),
        };
        let more = [reason.clone()];
        let degraded = VolumeState::Degraded {
            reasons: vec![reason.clone()],
        };
        assert_eq!(with_reasons(VolumeState::Mounted, &more), degraded);
        assert_eq!(with_reasons(VolumeState::Mounted, &[]), VolumeState::Mounted);
        assert_eq!(with_reasons(VolumeState::Stopped, &more), VolumeState::Stopped);
        let both = VolumeState::Degraded {
            reasons: vec![reason.clone(), reason],
        };
        assert_eq!(with_reasons(degraded, &more), both);
    }
}
