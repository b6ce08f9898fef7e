//! The connection, against an agent within the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_control::changes::ChangeLog;
use moorage_control::message::{AgentStatus, Hello, Request, Response, Revision, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::server::{Service, serve};
use moorage_control::settings::{
    Pause, SecretAccess, SecretStore, SecretStoreStatus, Settings, Surroundings,
};
use moorage_control::socket::Listener;
use moorage_control::stopped_file;
use moorage_control::truth::Truth;
use moorage_control::version::ProtocolVersion;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{Heard, Link, Place, Program, Seen, Transfers, keep};

/// An agent without volumes that offers nothing more.
struct Modest(ChangeLog);

impl Service for Modest {
    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        match request {
            Request::AgentStatus => Ok(Response::Agent {
                status: AgentStatus {
                    product: "test".to_owned(),
                    pid: 1,
                    revision: self.0.revision(),
                    truth: Truth::Stored,
                    pause: Pause::Running,
                    held: None,
                    surroundings: Surroundings::default(),
                    notices: Vec::new(),
                },
            }),
            Request::Volumes => Ok(Response::Volumes { volumes: Vec::new() }),
            Request::Settings => Ok(Response::Settings {
                settings: Settings::default(),
                secret_store: SecretStoreStatus {
                    problem: None,
                    store: SecretStore::Keyring,
                    access: SecretAccess::Missing,
                },
            }),
            _ => Err(Problem {
                code: ProblemCode::NotSupported,
                message: "this agent does not do that".to_owned(),
                cause: None,
                advice: String::new(),
                retryable: false,
            }),
        }
    }

    fn changes(&self) -> &ChangeLog {
        &self.0
    }
}

/// An agent that serves until it is told to end.
struct Serving {
    agent: Arc<Modest>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn start(socket: &Path) -> Serving {
    let agent = Arc::new(Modest(ChangeLog::default()));
    let listener = Listener::bind(socket).expect("bound");
    let hello = Hello {
        protocol: ProtocolVersion::CURRENT,
        product: "test".to_owned(),
    };
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, Arc::clone(&agent), hello, async {
        let _told = stopped.await;
    }));
    Serving { agent, stop, task }
}

/// A link to whatever listens at `socket`; no agent can be started.
fn link_to(socket: PathBuf) -> (Arc<Link>, watch::Receiver<Seen>) {
    let link = Arc::new(Link::new());
    let seen = link.follow();
    let place = Place {
        stopped: mark_beside(&socket),
        socket,
        program: Program::at("/nowhere/moorage"),
    };
    tokio::spawn(keep(Arc::clone(&link), place));
    (link, seen)
}

fn mark_beside(socket: &Path) -> PathBuf {
    stopped_file::path(socket.parent().expect("a folder"))
}

async fn until(seen: &mut watch::Receiver<Seen>, is: impl Fn(&Heard) -> bool) -> Heard {
    let found = seen
        .wait_for(|seen| matches!(seen, Seen::Heard(heard) if is(heard)))
        .await
        .expect("the link goes on");
    match &*found {
        Seen::Heard(heard) => Heard::clone(heard),
        Seen::Silent { .. } | Seen::Stopped => unreachable!("it was heard"),
    }
}

#[tokio::test]
async fn what_was_heard_is_dropped_when_the_agent_ends_and_heard_again_when_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("run/agent.sock");
    let (link, mut seen) = link_to(socket.clone());
    let silent = seen
        .wait_for(|seen| matches!(seen, Seen::Silent { problem: Some(_) }))
        .await
        .expect("the link goes on")
        .clone();
    let Seen::Silent {
        problem: Some(problem),
    } = silent
    else {
        unreachable!("it is silent")
    };
    assert!(problem.message.contains("/nowhere/moorage"), "{problem}");
    let refused = link.ask(Request::Volumes).await.expect_err("nobody is there");
    assert_eq!(refused, problem, "who asks hears the same reason");

    let first = start(&socket);
    let heard = until(&mut seen, |_| true).await;
    assert_eq!(heard.status.truth, Truth::Stored);
    assert_eq!(heard.transfers, Transfers::NotOffered);

    first.stop.send(()).expect("it still serves");
    first.task.await.expect("it ended");
    seen.wait_for(|seen| matches!(seen, Seen::Silent { .. }))
        .await
        .expect("the link goes on");

    let _second = start(&socket);
    until(&mut seen, |_| true).await;
}

#[tokio::test]
async fn a_change_is_seen_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("run/agent.sock");
    let serving = start(&socket);
    let (_link, mut seen) = link_to(socket);
    let before = until(&mut seen, |_| true).await.status.revision;
    serving.agent.0.record(Topic::Volumes);
    let after = until(&mut seen, |heard| heard.status.revision > before).await;
    assert_eq!(after.status.revision, Revision(before.0 + 1));
}

#[tokio::test]
async fn what_the_tray_could_not_do_is_shown_and_a_pause_that_is_not_offered_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("run/agent.sock");
    let serving = start(&socket);
    let (link, mut seen) = link_to(socket);
    until(&mut seen, |_| true).await;
    link.act(Request::Pause { seconds: None }).await;
    let shown = until(&mut seen, |heard| heard.failure.is_some()).await;
    assert!(shown.pause_refused);
    serving.agent.0.record(Topic::Volumes);
    let later = until(&mut seen, |heard| heard.status.revision > shown.status.revision).await;
    assert!(
        later.pause_refused && later.failure.is_some(),
        "a look keeps both"
    );
    link.act(Request::Volumes).await;
    until(&mut seen, |heard| heard.failure.is_none()).await;
}

#[tokio::test]
async fn an_agent_that_a_person_ended_is_not_started_before_a_person_wants_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("run/agent.sock");
    let serving = start(&socket);
    let (link, mut seen) = link_to(socket.clone());
    until(&mut seen, |_| true).await;
    let mark = mark_beside(&socket);
    stopped_file::set(&mark).expect("marked");
    serving.stop.send(()).expect("it still serves");
    serving.task.await.expect("it ended");
    seen.wait_for(|seen| *seen == Seen::Stopped)
        .await
        .expect("the link goes on");
    let refused = link.ask(Request::Volumes).await.expect_err("nobody is there");
    assert_eq!(refused.code, ProblemCode::AgentStopped);

    link.want_agent();
    let tried = |seen: &Seen| matches!(seen, Seen::Silent { problem: Some(problem) } if problem.message.contains("/nowhere/moorage"));
    seen.wait_for(tried).await.expect("the link goes on");
    assert!(!stopped_file::is_set(&mark), "it was ended before that");
}

#[tokio::test]
async fn whoever_starts_the_window_wants_an_agent_though_the_last_one_was_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("agent.sock");
    stopped_file::set(&mark_beside(&socket)).expect("marked");
    let (_link, mut seen) = link_to(socket);
    let first = seen
        .wait_for(|seen| *seen != Seen::Silent { problem: None })
        .await
        .expect("the link goes on");
    assert!(matches!(&*first, Seen::Silent { problem: Some(_) }), "{first:?}");
}
