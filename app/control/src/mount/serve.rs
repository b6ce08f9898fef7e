//! The side of the mount process.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{MountAnswer, MountMessage, MountProtocol, MountRequest};
use crate::frame::{self, FrameError, MAX_TO_AGENT};
use crate::problem::{Problem, ProblemCode};
use crate::socket::{Accepted, Listener};

/// Connections at the same time: one agent, and a command now and then.
const MOST_CONNECTIONS: usize = 8;
/// How long a connection may take, its answer included; one that says nothing is left.
const DEADLINE: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, as when no descriptor is left.
const REFUSED_PAUSE: Duration = Duration::from_millis(200);

/// What a mount process does for the agent.
pub trait MountService: Send + Sync + 'static {
    /// Answers one request; never [`MountRequest::Other`].
    fn answer(&self, request: MountRequest) -> impl Future<Output = MountAnswer> + Send;
}

/// Serves the agent of this user until it is dropped.
///
/// # Cancel safety
///
/// Answers that are under way are given all the same.
pub async fn serve<S: MountService>(listener: Listener, service: Arc<S>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok(stream) => {
                let service = Arc::clone(&service);
                tokio::spawn(async move {
                    match timeout(DEADLINE, answer(stream, &*service)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => tracing::debug!("somebody who asked is left: {error}"),
                        Err(_) => tracing::debug!("somebody who asked was not answered in time"),
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!("no connection of the agent can be taken: {error}");
                sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

async fn answer<S: MountService>(mut stream: Accepted, service: &S) -> Result<(), FrameError> {
    let Some(message) = frame::read::<MountMessage>(&mut stream, MAX_TO_AGENT).await? else {
        return Ok(());
    };
    let answer = match message {
        MountMessage { protocol, .. } if protocol != MountProtocol::CURRENT => failed(format!(
            "this mount speaks version {} of its protocol, and was asked in version {}",
            MountProtocol::CURRENT.0,
            protocol.0
        )),
        MountMessage {
            request: MountRequest::Other,
            ..
        } => failed("this mount does not know what it was asked for".to_owned()),
        MountMessage { request, .. } => service.answer(request).await,
    };
    frame::write(&mut stream, &answer, MAX_TO_AGENT).await
}

fn failed(message: String) -> MountAnswer {
    MountAnswer::Failed {
        problem: Problem {
            code: ProblemCode::VersionMismatch,
            message,
            cause: None,
            advice: "Unmount the volume and mount it again: then the mount is of the same version."
                .to_owned(),
            retryable: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::mount::{AskError, MountReport, ask};

    /// Longest that anything here may take on a loaded machine.
    const LIMIT: Duration = Duration::from_secs(60);

    struct Mount;

    impl MountService for Mount {
        async fn answer(&self, request: MountRequest) -> MountAnswer {
            match request {
                MountRequest::Report => MountAnswer::Report {
                    report: Box::new(MountReport {
                        store_problem: Some("it is away".to_owned()),
                        ..MountReport::default()
                    }),
                },
                MountRequest::Retry => std::future::pending().await,
                _ => MountAnswer::Done,
            }
        }
    }

    async fn with_mount<T>(work: impl AsyncFnOnce(&Path) -> T) -> T {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("run/mount.sock");
        let listener = Listener::bind(&socket).expect("bound");
        tokio::select! {
            () = serve(listener, Arc::new(Mount)) => unreachable!("it goes on"),
            done = work(&socket) => done,
        }
    }

    #[tokio::test]
    async fn what_is_asked_is_answered_and_one_that_hangs_is_given_up() {
        with_mount(async |socket| {
            let hung = ask(socket, MountRequest::Retry, Duration::from_millis(1)).await;
            assert!(matches!(hung, Err(AskError::TimedOut(_))), "{hung:?}");
            let answer = ask(socket, MountRequest::Report, LIMIT).await.expect("answered");
            let MountAnswer::Report { report } = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(report.store_problem.as_deref(), Some("it is away"));
        })
        .await;
    }

    #[tokio::test]
    async fn a_request_of_another_version_is_refused_with_what_to_do() {
        with_mount(async |socket| {
            let mut stream = crate::socket::connect(socket).await.expect("connected");
            let newer = serde_json::json!({"protocol": 2, "request": "report"});
            frame::write(&mut stream, &newer, MAX_TO_AGENT)
                .await
                .expect("sent");
            let answer: Option<MountAnswer> = frame::read(&mut stream, MAX_TO_AGENT).await.expect("read");
            let Some(MountAnswer::Failed { problem }) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(problem.code, ProblemCode::VersionMismatch);
        })
        .await;
    }

    #[tokio::test]
    async fn a_request_that_is_newer_than_the_mount_is_refused() {
        with_mount(async |socket| {
            let mut stream = crate::socket::connect(socket).await.expect("connected");
            let newer = serde_json::json!({"protocol": 1, "request": "newer", "what": 1});
            frame::write(&mut stream, &newer, MAX_TO_AGENT)
                .await
                .expect("sent");
            let answer: Option<MountAnswer> = frame::read(&mut stream, MAX_TO_AGENT).await.expect("read");
            assert!(matches!(answer, Some(MountAnswer::Failed { .. })), "{answer:?}");
        })
        .await;
    }
}
