//! The pause: kept on disk for what mounts later, and told to every mount process of the user.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_control::message::{Response, Topic};
use moorage_control::mount::{MountRequest, ask};
use moorage_control::pause_file;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::Pause;
use moorage_control::state::Timestamp;
use moorage_host::replace_file;
use tokio::task::{JoinSet, spawn_blocking};

use crate::agent::Agent;
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::reading::PATIENCE;
use crate::trouble::{caused, lasting};

/// The pause that an earlier agent kept, if it lasts. One that can not be read is none, and that is said.
pub(crate) fn at_start(file: &Path, notices: &mut Vec<Problem>) -> Pause {
    pause_file::read(file, Moment::now().wall).unwrap_or_else(|error| {
        let what = format!(
            "whether transfers are paused can not be read from {}",
            file.display()
        );
        let advice = "They are not paused now; `moorage agent pause` pauses them.";
        let problem = caused(lasting(ProblemCode::Internal, what, advice), error);
        tracing::warn!("{problem}");
        notices.push(problem);
        Pause::Running
    })
}

impl<T: MountTable> Agent<T> {
    /// Holds uploads, and downloads that nobody waits for, for so many seconds or until they are resumed.
    pub(crate) async fn pause(self: &Arc<Self>, seconds: Option<u64>) -> Result<Response, Problem> {
        let until = seconds.map(|seconds| {
            let now = Moment::now().wall.0;
            Timestamp(now.saturating_add(seconds.saturating_mul(1000)))
        });
        self.set_pause(Pause::Paused { until }).await
    }

    /// Ends the pause.
    pub(crate) async fn resume(self: &Arc<Self>) -> Result<Response, Problem> {
        self.set_pause(Pause::Running).await
    }

    /// Kept first: so what mounts meanwhile begins with it. One after the other.
    async fn set_pause(self: &Arc<Self>, pause: Pause) -> Result<Response, Problem> {
        let _one = self.file.lock().await;
        let written = pause_file::text(pause).and_then(|text| replace_file(&self.places.pause, &text));
        written.map_err(|error| {
            let what = format!("the pause can not be kept in {}", self.places.pause.display());
            let advice =
                "Free space on its disk and check that this user may write there; nothing was changed.";
            caused(lasting(ProblemCode::DiskFull, what, advice), error)
        })?;
        self.state().pause = pause;
        self.changes.record(Topic::Pause);
        self.tell_all_of_pause().await;
        Ok(Response::Pause {
            pause: pause.at(Moment::now().wall),
        })
    }

    /// Has every mount process and every pair hold what is to be held now.
    pub(crate) async fn tell_all_of_pause(self: &Arc<Self>) {
        // Pairs are held, or go on.
        self.wake.notify_one();
        let table = Arc::clone(&self.table);
        let processes = spawn_blocking(move || table.all_processes()).await;
        self.tell_pause(processes.unwrap_or_default()).await;
    }

    /// Tells mount processes of the pause, all at once. Those of the list that do not hear are told again.
    pub(crate) async fn tell_pause(&self, processes: Vec<PathBuf>) {
        let request = match self.state().pause_now(Moment::now()) {
            Pause::Paused { until } => MountRequest::Pause { until },
            Pause::Running => MountRequest::Resume,
        };
        let mut telling = JoinSet::new();
        for socket in processes {
            let request = request.clone();
            telling.spawn(async move {
                ask(&socket, request, PATIENCE)
                    .await
                    .map_err(|error| (socket, error))
            });
        }
        while let Some(told) = telling.join_next().await {
            if let Ok(Err((socket, error))) = told {
                tracing::warn!(socket = %socket.display(), "a mount did not hear of the pause: {error}");
            }
        }
    }

    /// Says that a pause has ended by itself; mount processes know that without being told.
    pub(crate) fn end_pause_in_time(&self) {
        let mut state = self.state();
        if state.pause != state.pause.at(Moment::now().wall) {
            state.pause = Pause::Running;
            drop(state);
            self.changes.record(Topic::Pause);
        }
    }
}
