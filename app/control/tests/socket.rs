//! A client and an agent over a real socket.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorage_control::changes::ChangeLog;
use moorage_control::client::{Client, ClientError};
use moorage_control::frame::{self, MAX_TO_AGENT, MAX_TO_CLIENT};
use moorage_control::message::{AgentMessage, ClientMessage, Hello, Request, Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::server::{Service, serve};
use moorage_control::socket::{Listener, connect};
use moorage_control::version::ProtocolVersion;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Longer than anything here takes on a loaded machine.
const LONG: Duration = Duration::from_secs(60);

/// Answers a stop, fails a mount list, and never answers for transfers until it is told to.
#[derive(Default)]
struct Doubled {
    changes: ChangeLog,
    stop: Notify,
    answer: Notify,
}

impl Service for Doubled {
    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        match request {
            Request::AgentStop => {
                self.stop.notify_one();
                Ok(Response::Done)
            }
            Request::Transfers => {
                self.answer.notified().await;
                Ok(Response::Transfers {
                    transfers: Vec::new(),
                })
            }
            _ => Err(Problem {
                code: ProblemCode::NotSupported,
                message: "not here".to_owned(),
                cause: None,
                advice: "Ask for something else.".to_owned(),
                retryable: false,
            }),
        }
    }

    fn changes(&self) -> &ChangeLog {
        &self.changes
    }
}

struct Agent {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    service: Arc<Doubled>,
    task: JoinHandle<()>,
}

fn hello(protocol: u32) -> Hello {
    Hello {
        protocol: ProtocolVersion(protocol),
        product: "1.2.3".to_owned(),
    }
}

fn agent() -> Agent {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("moorage/agent.sock");
    let listener = Listener::bind(&socket).expect("bound");
    let service = Arc::new(Doubled::default());
    let serving = Arc::clone(&service);
    let task = tokio::spawn(async move {
        let told = Arc::clone(&serving);
        let hello = hello(ProtocolVersion::CURRENT.0);
        serve(
            listener,
            serving,
            hello,
            async move { told.stop.notified().await },
        )
        .await;
    });
    Agent {
        _folder: folder,
        socket,
        service,
        task,
    }
}

async fn client(agent: &Agent) -> Client {
    Client::connect(&agent.socket, "4.5.6").await.expect("connected")
}

#[tokio::test]
async fn requests_are_answered_in_any_order_and_failures_come_as_they_are() {
    let agent = agent();
    let client = client(&agent).await;
    assert_eq!(client.agent().product, "1.2.3");
    let slow = client.ask(Request::Transfers, LONG);
    let quick = async {
        let failed = client.volumes().await.expect_err("refused");
        agent.service.answer.notify_one();
        failed
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert!(matches!(slow, Ok(Response::Transfers { .. })), "{slow:?}");
    let ClientError::Failed(problem) = quick else {
        panic!("{quick:?}");
    };
    assert_eq!(problem.code, ProblemCode::NotSupported);
}

#[tokio::test]
async fn a_request_that_is_not_answered_ends_at_its_deadline_and_the_next_one_works() {
    let agent = agent();
    let client = client(&agent).await;
    let late = client.ask(Request::Transfers, Duration::from_millis(1)).await;
    assert!(matches!(late, Err(ClientError::TimedOut(_))), "{late:?}");
    agent.service.answer.notify_one();
    client
        .ask(Request::Settings, LONG)
        .await
        .expect_err("answered, with a refusal");
}

#[tokio::test]
async fn changes_are_told_after_a_subscription() {
    let agent = agent();
    agent.service.changes.record(Topic::Pause);
    let client = client(&agent).await;
    let mut changes = client.subscribe().await.expect("subscribed");
    agent.service.changes.record(Topic::Settings);
    let told = changes.next().await.expect("an event");
    assert_eq!(told, [Topic::Settings]);
    client.stop().await.expect("stopped");
    assert_eq!(changes.next().await, None);
}

#[tokio::test]
async fn a_stop_is_answered_before_the_connection_ends() {
    let agent = agent();
    let client = client(&agent).await;
    client.stop().await.expect("answered");
    client.closed().await;
    agent.task.await.expect("the agent ended");
    assert!(!agent.socket.exists());
    let gone = client.volumes().await.expect_err("nobody answers");
    assert!(matches!(gone, ClientError::Closed), "{gone:?}");
    let problem = Problem::from(
        Client::connect(&agent.socket, "4.5.6")
            .await
            .expect_err("no agent"),
    );
    assert_eq!(problem.code, ProblemCode::Unreachable);
    assert!(problem.advice.contains("moorage agent run"), "{problem:?}");
}

#[tokio::test]
async fn a_client_of_another_version_learns_which_side_to_update() {
    let agent = agent();
    let mut stream = connect(&agent.socket).await.expect("connected");
    let newer = ClientMessage::Hello(hello(ProtocolVersion::CURRENT.0 + 1));
    frame::write(&mut stream, &newer, MAX_TO_AGENT)
        .await
        .expect("sent");
    let answer = frame::read(&mut stream, MAX_TO_CLIENT).await.expect("read");
    let Some(AgentMessage::Refused { problem }) = answer else {
        panic!("{answer:?}");
    };
    assert!(problem.message.contains("the agent is older"), "{problem}");
}

#[tokio::test]
async fn a_client_that_says_something_else_is_left_and_others_are_served() {
    let agent = agent();
    let other = client(&agent).await;
    let mut stream = connect(&agent.socket).await.expect("connected");
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    // The length that these bytes seem to be is refused; whether the end is a reset does not matter.
    let _reset = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    other.stop().await.expect("answered");
}
