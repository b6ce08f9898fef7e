//! The transfers of all volumes, under numbers of the agent.

use std::collections::HashMap;

use moorage_control::message::Response;
use moorage_control::mount::{MountAnswer, MountRequest, MountTransfer, ask};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::transfer::{Progress, Transfer, TransferId};
use moorage_control::volume::VolumeId;
use tokio::task::spawn_blocking;

use crate::agent::Agent;
use crate::mounts::MountTable;
use crate::reading::PATIENCE;
use crate::trouble::{caused, lasting, passing};

/// What is known of transfers.
#[derive(Debug, Default)]
pub(crate) struct TransferList {
    last: u64,
    ids: HashMap<(VolumeId, String), TransferId>,
    /// The newest first.
    transfers: Vec<Transfer>,
}

impl TransferList {
    /// Takes in what mount processes said of all volumes; whether anything is not as it was.
    pub(crate) fn take_in(&mut self, told: Vec<(VolumeId, MountTransfer)>) -> bool {
        let mut ids = HashMap::new();
        let mut transfers: Vec<Transfer> = Vec::new();
        for (volume, transfer) in told {
            let key = (volume, transfer.key);
            let id = self.ids.get(&key).copied().unwrap_or_else(|| {
                self.last += 1;
                TransferId(self.last)
            });
            transfers.push(Transfer {
                id,
                volume: key.0.clone(),
                path: transfer.path,
                direction: transfer.direction,
                done: transfer.done,
                total: transfer.total,
                since: transfer.since,
                progress: transfer.progress,
            });
            ids.insert(key, id);
        }
        transfers.sort_by_key(|transfer| std::cmp::Reverse((transfer.since, transfer.id.0)));
        let changed = self.transfers != transfers;
        self.ids = ids;
        self.transfers = transfers;
        changed
    }

    /// All of them, the newest first.
    pub(crate) fn all(&self) -> Vec<Transfer> {
        self.transfers.clone()
    }

    fn find(&self, id: TransferId) -> Result<&Transfer, Problem> {
        let found = self.transfers.iter().find(|transfer| transfer.id == id);
        found.ok_or_else(|| {
            lasting(
                ProblemCode::NotFound,
                format!("there is no transfer {}", id.0),
                "It may have ended: ask for the transfers again.",
            )
        })
    }
}

impl<T: MountTable> Agent<T> {
    /// Has a transfer that failed tried again now, and with it all others of its mount: what failed rests as a whole.
    pub(crate) async fn retry(&self, id: TransferId) -> Result<Response, Problem> {
        let watched = {
            let state = self.state();
            let transfer = state.transfers.find(id)?;
            if !matches!(transfer.progress, Progress::Failed { .. }) {
                return Err(lasting(
                    ProblemCode::WrongState,
                    format!("transfer {} has not failed", id.0),
                    "Nothing has to be done.",
                ));
            }
            state.find(&transfer.volume)?.watched()
        };
        let name = watched.settings.name.clone();
        let table = std::sync::Arc::clone(&self.table);
        let looked = spawn_blocking(move || table.look(&[watched]))
            .await
            .unwrap_or_default();
        let processes = looked.into_iter().flat_map(|look| look.processes).flatten();
        let mut outcome = Err(passing(
            ProblemCode::WrongState,
            format!("{name} is not mounted"),
            "Mount it: what waits is uploaded then.",
        ));
        for process in processes {
            outcome = match ask(&process, MountRequest::Retry, PATIENCE).await {
                Ok(MountAnswer::Done) => return Ok(Response::Done),
                Ok(_) => outcome,
                Err(error) => Err(caused(
                    passing(
                        ProblemCode::TimedOut,
                        format!("the mount of {name} does not answer"),
                        "Try it again in a moment.",
                    ),
                    error,
                )),
            };
        }
        outcome
    }

    /// Refused: what is uploaded exists nowhere else.
    pub(crate) fn cancel(&self, id: TransferId) -> Result<Response, Problem> {
        self.state().transfers.find(id)?;
        Err(lasting(
            ProblemCode::NotSupported,
            format!(
                "transfer {} is not given up: its bytes exist only on this computer",
                id.0
            ),
            "Delete the file to give its upload up.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::state::Timestamp;
    use moorage_control::transfer::Direction;

    use super::*;

    fn told(volume: &str, key: &str, since: u64, done: u64) -> (VolumeId, MountTransfer) {
        let transfer = MountTransfer {
            key: key.to_owned(),
            path: None,
            direction: Direction::Upload,
            done,
            total: 10,
            since: Timestamp(since),
            progress: Progress::Waiting,
        };
        (VolumeId(volume.to_owned()), transfer)
    }

    fn shown(list: &TransferList) -> Vec<(u64, u64)> {
        let transfers = list.all().into_iter();
        transfers.map(|transfer| (transfer.id.0, transfer.done)).collect()
    }

    #[test]
    fn a_transfer_keeps_its_number_for_as_long_as_it_is_told_of() {
        let mut list = TransferList::default();
        assert!(!list.take_in(Vec::new()));
        assert!(list.take_in(vec![told("a", "x", 1, 0), told("b", "x", 2, 0)]));
        assert_eq!(shown(&list), [(2, 0), (1, 0)], "the newest first");
        assert!(!list.take_in(vec![told("b", "x", 2, 0), told("a", "x", 1, 0)]));
        assert!(list.take_in(vec![told("a", "x", 1, 5)]));
        assert_eq!(shown(&list), [(1, 5)]);
        list.take_in(Vec::new());
        list.take_in(vec![told("a", "x", 1, 5)]);
        assert_eq!(shown(&list), [(3, 5)], "numbers are not used twice");
        assert!(list.find(TransferId(1)).is_err());
    }
}
