//! A private Redis server on a unix socket, ended with its guard.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest start of a server, and longest wait for its answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server with an empty database.
pub(crate) struct Server {
    process: Child,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// Starts one; `None` and a loud line where the program is not installed.
    pub(crate) fn start(arguments: &[&str]) -> Option<Server> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let Ok(process) = Server::launch(folder.path(), &arguments) else {
            println!("skipped: no redis-server");
            return None;
        };
        let server = Server {
            process,
            folder,
            arguments,
        };
        server.wait();
        Some(server)
    }

    fn launch(folder: &Path, arguments: &[String]) -> io::Result<Child> {
        Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(folder.join("s"))
            .arg("--dir")
            .arg(folder)
            .arg("--logfile")
            .arg(folder.join("log"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Waits until it has read what it keeps, which it does before it answers.
    fn wait(&self) {
        let started = Instant::now();
        while !self.answers().unwrap_or(false) {
            assert!(
                started.elapsed() < START_LIMIT,
                "redis-server does not answer on {}: {}",
                self.socket().display(),
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> io::Result<bool> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(START_LIMIT))?;
        // A server that wants a password says so, and is there as well.
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(matches!(&answer, b"+PONG" | b"-NOAU"))
    }

    /// Ends it as a crash would.
    #[allow(dead_code, reason = "only some programs kill it")]
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after it ended.
    #[allow(dead_code, reason = "only some programs start it again")]
    pub(crate) fn start_again(&mut self) {
        self.process = Server::launch(self.folder.path(), &self.arguments).unwrap();
        self.wait();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
