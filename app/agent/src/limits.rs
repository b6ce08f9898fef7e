//! Bandwidth limits over all volumes: the mount processes that transfer share them.

use std::collections::HashMap;
use std::path::PathBuf;

use moorage_control::mount::{MountAnswer, MountReport, MountRequest, ask};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::Settings;
use tokio::task::JoinSet;

use crate::agent::Agent;
use crate::mount_command::BANDWIDTH_UNIT;
use crate::mounts::MountTable;
use crate::reading::PATIENCE;
use crate::trouble::lasting;

/// Least share in bytes a second: with less, a call to a store would run into its deadline.
const LEAST_SHARE: u64 = 16 << 10;

/// Bytes that a process may upload and download in a second; `None` for as many as it can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    upload: Option<u64>,
    download: Option<u64>,
}

/// What is known of a mount process.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    uploaded: u64,
    downloaded: u64,
    uploads: bool,
    downloads: bool,
    told: Share,
}

/// The mount processes that share the limits, by their sockets.
#[derive(Debug, Default)]
pub(crate) struct Limits(HashMap<PathBuf, Known>);

impl Limits {
    /// Takes in what all processes said, and forgets those that are gone. The answer is what some are to be told.
    fn shares(&mut self, heard: &[(PathBuf, MountReport)], settings: &Settings) -> Vec<(PathBuf, Share)> {
        let mut before = std::mem::take(&mut self.0);
        for (socket, report) in heard {
            let known = before.remove(socket).unwrap_or_default();
            let figures = &report.figures;
            let now = Known {
                uploaded: figures.bytes_uploaded,
                downloaded: figures.bytes_downloaded,
                uploads: figures.bytes_uploaded > known.uploaded || figures.upload_queue > 0,
                downloads: figures.bytes_downloaded > known.downloaded,
                told: known.told,
            };
            self.0.insert(socket.clone(), now);
        }
        let busy = |is_busy: fn(&Known) -> bool| self.0.values().filter(|known| is_busy(known)).count();
        let (uploading, downloading) = (busy(|known| known.uploads), busy(|known| known.downloads));
        let due = |known: &Known| Share {
            upload: share(settings.upload_limit, uploading, known.uploads),
            download: share(settings.download_limit, downloading, known.downloads),
        };
        let told_otherwise = self.0.iter().filter(|(_, known)| known.told != due(known));
        told_otherwise
            .map(|(socket, known)| (socket.clone(), due(known)))
            .collect()
    }

    fn told(&mut self, socket: &PathBuf, share: Share) {
        if let Some(known) = self.0.get_mut(socket) {
            known.told = share;
        }
    }
}

/// What one process gets of a limit while so many are busy. One at rest gets what it would have if it began now, so that
/// it is not without a limit when it does.
fn share(limit: Option<u64>, busy: usize, is_busy: bool) -> Option<u64> {
    let among = busy + usize::from(!is_busy);
    limit.map(|limit| (limit / (among.max(1) as u64)).max(LEAST_SHARE))
}

/// Whether bandwidth limits can be kept, of one volume or over all.
///
/// # Errors
/// When one is too low.
pub(crate) fn checked(limits: [Option<u64>; 2]) -> Result<(), Problem> {
    if limits.into_iter().flatten().any(|limit| limit < BANDWIDTH_UNIT) {
        return Err(lasting(
            ProblemCode::InvalidRequest,
            format!("a bandwidth limit below {BANDWIDTH_UNIT} bytes a second can not be kept"),
            "Give at least 125000 bytes (1 Mbit) a second, or no limit.",
        ));
    }
    Ok(())
}

impl<T: MountTable> Agent<T> {
    /// Tells mount processes their shares of the limits, all at once. One that does not hear is told again.
    pub(crate) async fn share_limits(&self, heard: &[(PathBuf, MountReport)]) {
        let mut limits = self.limits.lock().await;
        let settings = self.state().settings.clone();
        let mut telling = JoinSet::new();
        for (socket, share) in limits.shares(heard, &settings) {
            telling.spawn(async move {
                let Share { upload, download } = share;
                let request = MountRequest::Limit { upload, download };
                let answer = ask(&socket, request, PATIENCE).await;
                (socket, share, answer)
            });
        }
        while let Some(told) = telling.join_next().await {
            match told {
                Ok((socket, share, Ok(answer))) => {
                    if let MountAnswer::Failed { problem } = answer {
                        tracing::warn!(socket = %socket.display(), "a mount keeps no limits: {problem}");
                    }
                    limits.told(&socket, share);
                }
                Ok((socket, _, Err(error))) => {
                    tracing::warn!(socket = %socket.display(), "a mount did not hear of the limits: {error}");
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::figures::Figures;

    use super::*;

    fn said(name: &str, uploaded: u64, queue: u64) -> (PathBuf, MountReport) {
        let figures = Figures {
            bytes_uploaded: uploaded,
            upload_queue: queue,
            ..Figures::default()
        };
        let report = MountReport {
            figures,
            ..MountReport::default()
        };
        (PathBuf::from(name), report)
    }

    fn limited(upload: Option<u64>) -> Settings {
        Settings {
            upload_limit: upload,
            ..Settings::default()
        }
    }

    /// Who is told which upload limit, all of whom hear it.
    fn tell(
        limits: &mut Limits,
        heard: &[(PathBuf, MountReport)],
        settings: &Settings,
    ) -> Vec<(String, Option<u64>)> {
        let shares = limits.shares(heard, settings);
        let mut told: Vec<(String, Option<u64>)> = Vec::new();
        for (socket, share) in shares {
            limits.told(&socket, share);
            told.push((socket.display().to_string(), share.upload));
        }
        told.sort();
        told
    }

    #[test]
    fn those_who_transfer_share_a_limit_and_are_told_only_what_is_new() {
        let mut limits = Limits::default();
        let mega = limited(Some(1_000_000));
        let both = |queue| [said("a", 0, queue), said("b", 0, 0)];
        let all = |a, b| vec![("a".to_owned(), Some(a)), ("b".to_owned(), Some(b))];
        assert_eq!(tell(&mut limits, &both(0), &limited(None)), []);
        // At rest each may begin with all of it.
        assert_eq!(tell(&mut limits, &both(0), &mega), all(1_000_000, 1_000_000));
        // One that uploads has it, and another that begins would find half.
        assert_eq!(
            tell(&mut limits, &both(1), &mega),
            [("b".to_owned(), Some(500_000))]
        );
        assert_eq!(tell(&mut limits, &both(1), &mega), []);
        let working = [said("a", 10, 0), said("b", 10, 0)];
        assert_eq!(
            tell(&mut limits, &working, &mega),
            [("a".to_owned(), Some(500_000))]
        );
        let none = vec![("a".to_owned(), None), ("b".to_owned(), None)];
        assert_eq!(tell(&mut limits, &working, &limited(None)), none);
    }

    #[test]
    fn a_process_that_began_anew_is_told_again() {
        let mut limits = Limits::default();
        let mega = limited(Some(1_000_000));
        let whole = [("a".to_owned(), Some(1_000_000))];
        assert_eq!(tell(&mut limits, &[said("a", 0, 0)], &mega), whole);
        assert_eq!(tell(&mut limits, &[], &mega), []);
        assert_eq!(tell(&mut limits, &[said("a", 0, 0)], &mega), whole);
    }

    #[test]
    fn no_share_is_so_small_that_nothing_arrives() {
        assert_eq!(share(Some(BANDWIDTH_UNIT), 1000, true), Some(LEAST_SHARE));
        assert_eq!(share(None, 1000, true), None);
    }

    #[test]
    fn a_limit_that_is_too_low_is_refused() {
        assert!(checked([Some(BANDWIDTH_UNIT), None]).is_ok());
        let refused = checked([None, Some(BANDWIDTH_UNIT - 1)]).expect_err("refused");
        assert_eq!(refused.code, ProblemCode::InvalidRequest);
    }
}
