//! Reading how volumes are doing: what their mount processes say, and what is staged on this disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorage_control::message::Topic;
use moorage_control::mount::{MountAnswer, MountReport, MountRequest, MountTransfer, ask};
use moorage_control::settings::Pause;
use moorage_control::state::Reason;
use moorage_control::truth::Truth;
use moorage_control::volume::VolumeId;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};

use crate::agent::{Agent, Kept};
use crate::condition::{Heard, reasons};
use crate::moment::Moment;
use crate::mounts::{Journal, Look, MountTable, Sighting, Watched};
use crate::truth::{Evidence, of_volume};

/// How long a mount process may take to answer: it does so from memory, and one that hangs must not hold up the rest.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// Between two readings while somebody follows the changes.
const FOLLOWED: Duration = Duration::from_secs(1);
/// Between two readings while nobody does.
const ALONE: Duration = Duration::from_secs(10);

/// What was heard of the mount process of a volume.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    /// Its last report, unless it does not answer.
    pub(crate) report: Option<MountReport>,
    /// What is not as it should be.
    pub(crate) reasons: Vec<Reason>,
    /// It does not answer, since then.
    silent_since: Option<Moment>,
}

/// What a process that was asked said, in the end.
type Answered = Result<MountReport, String>;

/// What was read of one volume.
struct Reading {
    id: VolumeId,
    look: Look,
    /// Of each of its processes; none for one that can not be asked.
    answered: Vec<Option<Answered>>,
    journal: Result<Journal, String>,
}

impl Reading {
    /// What all processes of the volume transfer.
    fn transfers(&self) -> Vec<(VolumeId, MountTransfer)> {
        let reports = self.answered.iter().flatten().flatten();
        let transfers = reports.flat_map(|report| report.transfers.iter().cloned());
        transfers.map(|transfer| (self.id.clone(), transfer)).collect()
    }

    /// What the processes of the volume said.
    fn heard(&self) -> impl Iterator<Item = (PathBuf, MountReport)> {
        let processes = self.look.processes.iter().zip(&self.answered);
        processes.filter_map(|(socket, answered)| Some((socket.clone()?, answered.clone()?.ok()?)))
    }

    /// The processes that hold transfers otherwise than they should.
    fn otherwise_than(&self, pause: Pause) -> Vec<PathBuf> {
        let processes = self.look.processes.iter().zip(&self.answered);
        let astray = processes.filter_map(|(socket, answered)| {
            let told = answered.as_ref()?.as_ref().ok()?.pause?;
            (told != pause).then(|| socket.clone())?
        });
        astray.collect()
    }
}

/// Reads again and again until it is dropped: often while somebody follows the changes, else now and then.
///
/// # Cancel safety
/// Safe.
pub(crate) async fn read_on<T: MountTable>(agent: Arc<Agent<T>>) {
    loop {
        let due = if agent.changes.is_followed() {
            FOLLOWED
        } else {
            ALONE
        };
        agent.read_unless_after(Instant::now().checked_sub(due)).await;
        sleep(FOLLOWED).await;
    }
}

impl<T: MountTable> Agent<T> {
    /// Returns when what is known of the volumes is not older than the question. Those who follow the changes ask after
    /// each: they may hear what is a second old, unless it is that all is stored.
    pub(crate) async fn read_afresh(self: &Arc<Self>) {
        let asked = Instant::now();
        let claims = self
            .state()
            .volumes
            .iter()
            .any(|kept| kept.truth == Truth::Stored);
        let oldest = if claims || !self.changes.is_followed() {
            Some(asked)
        } else {
            asked.checked_sub(FOLLOWED)
        };
        self.read_unless_after(oldest).await;
    }

    /// Reads all volumes, unless a reading began then or later. One at a time.
    async fn read_unless_after(self: &Arc<Self>, moment: Option<Instant>) {
        let mut read_at = self.read_at.lock().await;
        if read_at.is_some_and(|read_at| moment.is_none_or(|moment| read_at >= moment)) {
            return;
        }
        let begun = Instant::now();
        let readings = self.read_all().await;
        let now = Moment::now();
        let mut astray = Vec::new();
        let mut heard = Vec::new();
        {
            let mut state = self.state();
            let pause = state.pause_now(now);
            let mut transfers = Vec::new();
            for reading in readings {
                transfers.extend(reading.transfers());
                astray.extend(reading.otherwise_than(pause));
                heard.extend(reading.heard());
                if let Ok(kept) = state.find_mut(&reading.id) {
                    take_in(kept, reading, now);
                }
            }
            if state.transfers.take_in(transfers) {
                self.changes.record(Topic::Transfers);
            }
            self.publish(&mut state);
        }
        // One that did not hear of it, or that began with an older one.
        self.tell_pause(astray).await;
        self.share_limits(&heard).await;
        *read_at = Some(begun);
    }

    async fn read_all(self: &Arc<Self>) -> Vec<Reading> {
        let volumes: Vec<(VolumeId, Watched)> = self
            .state()
            .volumes
            .iter()
            .map(|kept| (kept.entry.id.clone(), kept.watched()))
            .collect();
        let looks = self.look_at(volumes).await;
        let answers = ask_all(looks.iter().map(|(_, _, look)| look.processes.as_slice())).await;
        // Read last: what a process staged after it was asked is seen, also when it died meanwhile.
        let table = Arc::clone(&self.table);
        let read = spawn_blocking(move || {
            let volumes = looks.into_iter().zip(answers);
            let readings = volumes.map(|((id, watched, look), answered)| {
                let watched = Watched {
                    uuid: look.uuid.clone().or(watched.uuid),
                    ..watched
                };
                Reading {
                    id,
                    look,
                    answered,
                    journal: table.journal(&watched),
                }
            });
            readings.collect()
        });
        read.await.unwrap_or_else(|error| {
            tracing::error!(%error, "what is staged could not be read");
            Vec::new()
        })
    }

    async fn look_at(&self, volumes: Vec<(VolumeId, Watched)>) -> Vec<(VolumeId, Watched, Look)> {
        let table = Arc::clone(&self.table);
        let looked = spawn_blocking(move || {
            let watched: Vec<Watched> = volumes.iter().map(|(_, watched)| watched.clone()).collect();
            let looks = table.look(&watched);
            let seen = volumes.into_iter().zip(looks);
            seen.map(|((id, watched), look)| (id, watched, look)).collect()
        });
        looked.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the volumes could not be looked at");
            Vec::new()
        })
    }
}

/// Asks all mount processes of all volumes at once; in the same order.
async fn ask_all<'a>(volumes: impl Iterator<Item = &'a [Option<PathBuf>]>) -> Vec<Vec<Option<Answered>>> {
    let mut asking = JoinSet::new();
    let mut answers: Vec<Vec<Option<Answered>>> = Vec::new();
    for (volume, processes) in volumes.enumerate() {
        answers.push(vec![None; processes.len()]);
        for (process, socket) in processes.iter().enumerate() {
            if let Some(socket) = socket.clone() {
                asking.spawn(async move { (volume, process, report_of(&socket).await) });
            }
        }
    }
    while let Some(answered) = asking.join_next().await {
        if let Ok((volume, process, answered)) = answered
            && let Some(answer) = answers.get_mut(volume).and_then(|of| of.get_mut(process))
        {
            *answer = Some(answered);
        }
    }
    answers
}

async fn report_of(socket: &std::path::Path) -> Answered {
    match ask(socket, MountRequest::Report, PATIENCE).await {
        Ok(MountAnswer::Report { report }) => Ok(*report),
        Ok(_) => Err("it answered something else than was asked for".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn take_in(kept: &mut Kept, reading: Reading, now: Moment) {
    let Reading {
        look,
        answered,
        journal,
        ..
    } = reading;
    let reports: Vec<Option<MountReport>> = answered.iter().map(|of| of.clone()?.ok()).collect();
    let hearing = &mut kept.hearing;
    // Of one that serves; the others have no volume to show.
    let serves = matches!(look.sighting, Sighting::Serving { .. });
    let server = answered.into_iter().next().flatten().filter(|_| serves);
    let heard = match &server {
        None => {
            hearing.silent_since = None;
            Heard::Nothing
        }
        Some(Ok(report)) => {
            hearing.silent_since = None;
            Heard::Report(report)
        }
        Some(Err(cause)) => Heard::Silence {
            since: *hearing.silent_since.get_or_insert(now),
            cause,
        },
    };
    hearing.reasons = reasons(&hearing.reasons, &heard, now);
    hearing.report = server.and_then(Result::ok);
    kept.truth = of_volume(&Evidence {
        name: &kept.entry.settings.name,
        sighting: &look.sighting,
        reports: &reports,
        journal: &journal,
    });
}
