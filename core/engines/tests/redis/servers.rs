//! Private Redis servers on TCP ports of this computer, ended with their guards.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

/// Longest wait for a server to do what was asked.
const LIMIT: Duration = Duration::from_secs(20);

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until the condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect(what);
}

/// A running server.
pub(crate) struct Node {
    process: Child,
    arguments: Vec<String>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Node {
    /// Starts one with an empty database; `None` and a loud line where the program is not installed.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Node> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut all = vec!["--port".to_owned(), port.to_string()];
        all.extend(["--save", "", "--bind", "127.0.0.1", "--dir"].map(str::to_owned));
        all.push(folder.path().display().to_string());
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let process = run(&all)?;
        let node = Node {
            process,
            arguments: all,
            folder,
            port,
        };
        node.answers().await;
        Some(node)
    }

    /// Starts one of this configuration, whose port it names.
    pub(crate) async fn start_with(folder: tempfile::TempDir, arguments: &[&str], port: u16) -> Option<Node> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let node = Node {
            process: run(&arguments)?,
            arguments,
            folder,
            port,
        };
        node.answers().await;
        Some(node)
    }

    async fn answers(&self) {
        until("the server listens", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
        })
        .await;
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again after [`Node::kill`], in the same folder.
    pub(crate) async fn start_again(&mut self) {
        self.process = run(&self.arguments).unwrap();
        self.answers().await;
    }

    /// Sends a signal such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.process.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    /// A URL of it.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection beside the engine.
    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(LIMIT));
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .unwrap()
    }

    /// What the server answers to a command, such as `CONFIG SET maxmemory 1`.
    pub(crate) async fn ask(&self, words: &str) -> redis::Value {
        self.try_ask(words).await.unwrap()
    }

    /// The same where the server may cut the connection, as one does that becomes a master.
    pub(crate) async fn try_ask(&self, words: &str) -> redis::RedisResult<redis::Value> {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.connection().await).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(arguments: &[String]) -> Option<Child> {
    let started = Command::new("redis-server")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        println!("skipped: no redis-server");
    }
    started.ok()
}
