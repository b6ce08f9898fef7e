//! A private MariaDB server on a unix socket, ended with the last of its guards.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Longest start of a server.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Who owns the databases of volumes.
const USER: &str = "tester";
/// Password of the user.
pub(crate) const PASSWORD: &str = "pa/ss w@rd";
/// The same in a URL.
const URL_PASSWORD: &str = "pa%2Fss%20w%40rd";

/// A running server without volumes.
pub(crate) struct Server {
    process: Child,
    folder: tempfile::TempDir,
    /// Of the loopback interface.
    port: u16,
    arguments: Vec<String>,
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// The server that tests of one program share, each in a database of its own.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The program, run as a user without rights even when the tests are root's.
fn unprivileged(name: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .arg(name);
        command
    } else {
        Command::new(name)
    }
}

impl Server {
    /// The shared one; `None` and a loud line where MariaDB is not installed.
    pub(crate) fn shared() -> Option<Arc<Server>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Server::start(&[])?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Starts one of its own; `None` and a loud line where MariaDB is not installed.
    pub(crate) fn start(arguments: &[&str]) -> Option<Server> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::fs::Uid::from_raw(65534);
            rustix::fs::chown(folder.path(), Some(nobody), None).unwrap();
        }
        let made = unprivileged("mariadb-install-db")
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", folder.path().join("data").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: no MariaDB");
            return None;
        }
        let port = free_port();
        let process = Server::launch(folder.path(), port, &arguments);
        let server = Server {
            process,
            folder,
            port,
            arguments,
        };
        server.wait();
        let user = format!(
            "CREATE USER {USER}@localhost IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER}@localhost"
        );
        server.ask("mysql", &user).expect("a user is made");
        Some(server)
    }

    fn launch(folder: &Path, port: u16, arguments: &[String]) -> Child {
        unprivileged("mariadbd")
            .args([
                "--no-defaults",
                "--bind-address=127.0.0.1",
                // To the system at every commit: what is acknowledged survives the end of the server.
                "--innodb-flush-log-at-trx-commit=2",
            ])
            .arg(format!("--port={port}"))
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--socket={}", folder.join("s").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    fn wait(&self) {
        let started = Instant::now();
        while self.ask("mysql", "SELECT 1").as_deref() != Some("1") {
            assert!(started.elapsed() < START_LIMIT, "MariaDB does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn pid(&self) -> rustix::process::Pid {
        let pid = i32::try_from(self.process.id());
        pid.ok().and_then(rustix::process::Pid::from_raw).unwrap()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Ends it in order, its clients' connections with it.
    #[allow(dead_code, reason = "only some programs stop it")]
    pub(crate) fn stop(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        self.process.wait().unwrap();
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
        self.process = Server::launch(self.folder.path(), self.port, &self.arguments);
        self.wait();
    }

    /// Stops it until [`Server::resume`]. Its threads do not stop with the signal but soon after it: waits for the last.
    #[allow(dead_code, reason = "only some programs pause it")]
    pub(crate) fn pause(&self) {
        self.signal(rustix::process::Signal::STOP);
        let stopped = rustix::process::waitpid(Some(self.pid()), rustix::process::WaitOptions::UNTRACED);
        stopped.unwrap();
    }

    #[allow(dead_code, reason = "only some programs pause it")]
    pub(crate) fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn client(&self, database: &str) -> Command {
        let mut command = Command::new("mariadb");
        command
            .args([
                "--no-defaults",
                "--batch",
                "--skip-column-names",
                "--user=root",
                "--skip-ssl",
            ])
            .arg(format!("--socket={}", self.socket().display()))
            .arg(database);
        command
    }

    /// What the client program answers.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> Option<String> {
        let output = self.client(database).arg("--execute").arg(sql).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Connections of clients of a volume.
    #[allow(dead_code, reason = "only some programs count them")]
    pub(crate) fn connections(&self) -> Option<u64> {
        let clients = format!("SELECT count(*) FROM information_schema.processlist WHERE user = '{USER}'");
        self.ask("mysql", &clients)?.parse().ok()
    }

    /// Runs a file of statements.
    #[allow(dead_code, reason = "only some programs load snapshots")]
    pub(crate) fn load(&self, database: &str, file: &Path) {
        let status = self
            .client(database)
            .stdin(std::fs::File::open(file).unwrap())
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "{}", file.display());
    }

    /// Makes an empty database; its name.
    pub(crate) fn new_database(&self) -> String {
        let name = format!("v{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let make = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
        self.ask("mysql", &make).expect("a database is made");
        name
    }

    /// Ends every connection of a client of a volume.
    #[allow(dead_code, reason = "only some programs break connections")]
    pub(crate) fn break_connections(&self) {
        self.ask("mysql", &format!("KILL CONNECTION USER {USER}"))
            .expect("connections are ended");
    }

    /// The metadata URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "mysql://{USER}:{URL_PASSWORD}@unix({})/{database}",
            self.socket().display()
        )
    }

    /// Its port on the loopback interface.
    #[allow(dead_code, reason = "only some programs put something in between")]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The metadata URL of a database through another port.
    #[allow(dead_code, reason = "only some programs put something in between")]
    pub(crate) fn url_through(&self, port: u16, database: &str) -> String {
        format!("mysql://{USER}:{URL_PASSWORD}@(127.0.0.1:{port})/{database}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
