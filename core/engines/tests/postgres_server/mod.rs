//! A private PostgreSQL server on a unix socket, ended with the last of its guards.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Longest start of a server.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Who owns the database.
const USER: &str = "tester";

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

/// Where a program of PostgreSQL is: distributions keep most out of the search path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .max();
    found.unwrap_or_else(|| name.into())
}

/// The program, run as a user that it does not refuse: it does not serve root.
fn unprivileged(name: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .arg(program(name));
        command
    } else {
        Command::new(program(name))
    }
}

impl Server {
    /// The shared one; `None` and a loud line where PostgreSQL is not installed.
    pub(crate) fn shared() -> Option<Arc<Server>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Server::start(&[])?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Starts one of its own; `None` and a loud line where PostgreSQL is not installed.
    pub(crate) fn start(arguments: &[&str]) -> Option<Server> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::fs::Uid::from_raw(65534);
            rustix::fs::chown(folder.path(), Some(nobody), None).unwrap();
        }
        let made = unprivileged("initdb")
            .args([
                "--no-sync",
                "--auth=scram-sha-256",
                "--username",
                USER,
                "--encoding=UTF8",
            ])
            .args(["--locale=C", "--pwfile"])
            .arg(password_file(folder.path()))
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: no PostgreSQL");
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
        Some(server)
    }

    fn launch(folder: &Path, port: u16, arguments: &[String]) -> Child {
        unprivileged("postgres")
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(folder)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-p"])
            .arg(port.to_string())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap()
    }

    fn wait(&self) {
        let started = Instant::now();
        while self.ask("postgres", "SELECT 1").as_deref() != Some("1") {
            assert!(started.elapsed() < START_LIMIT, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it in order, its clients' connections with it.
    #[allow(dead_code, reason = "only some programs stop it")]
    pub(crate) fn stop(&mut self) {
        signal(&self.process, rustix::process::Signal::INT);
        self.process.wait().unwrap();
    }

    /// Ends it as a crash would.
    #[allow(dead_code, reason = "only some programs kill it")]
    pub(crate) fn kill(&mut self) {
        for child in self.children() {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
        }
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after it ended.
    #[allow(dead_code, reason = "only some programs start it again")]
    pub(crate) fn start_again(&mut self) {
        let started = Instant::now();
        // It refuses to start as long as a process of the one before ends.
        loop {
            self.process = Server::launch(self.folder.path(), self.port, &self.arguments);
            while matches!(self.process.try_wait(), Ok(None)) {
                if self.ask("postgres", "SELECT 1").as_deref() == Some("1") {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(started.elapsed() < START_LIMIT, "PostgreSQL does not start again");
        }
    }

    /// Stops every process of it, until [`Server::resume`].
    #[allow(dead_code, reason = "only some programs pause it")]
    pub(crate) fn pause(&self) {
        signal(&self.process, rustix::process::Signal::STOP);
        for child in self.children() {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::STOP);
        }
    }

    #[allow(dead_code, reason = "only some programs pause it")]
    pub(crate) fn resume(&self) {
        for child in self.children() {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::CONT);
        }
        signal(&self.process, rustix::process::Signal::CONT);
    }

    /// Processes that serve connections and do the rest of the work.
    fn children(&self) -> Vec<rustix::process::Pid> {
        let pid = self.process.id();
        let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let numbers = listed.split_whitespace().flat_map(str::parse);
        numbers.filter_map(rustix::process::Pid::from_raw).collect()
    }

    /// Replaces who may enter by the network, and how.
    #[allow(dead_code, reason = "only some programs keep clients out")]
    pub(crate) fn admit(&self, rule: &str) {
        let rules = format!("local all all scram-sha-256\n{rule}\n");
        std::fs::write(self.folder.path().join("data/pg_hba.conf"), rules).unwrap();
        self.ask("postgres", "SELECT pg_reload_conf()").unwrap();
    }

    /// A client program with its address and password.
    fn client(&self, database: &str) -> Command {
        let mut command = Command::new("psql");
        command
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", USER, "-h"])
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-d", database])
            .env("PGPASSWORD", PASSWORD);
        command
    }

    /// What psql answers.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> Option<String> {
        let output = self.client(database).args(["-c", sql]).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Connections of clients of a volume.
    #[allow(dead_code, reason = "only some programs count them")]
    pub(crate) fn connections(&self) -> Option<u64> {
        let clients = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'moorage %'";
        self.ask("postgres", clients)?.parse().ok()
    }

    /// Runs a file of statements.
    #[allow(dead_code, reason = "only some programs load snapshots")]
    pub(crate) fn load(&self, database: &str, file: &Path) {
        let mut client = self.client(database);
        let client = client.arg("-f").arg(file).stdout(Stdio::null());
        assert!(client.status().unwrap().success(), "{}", file.display());
    }

    /// Makes an empty database; its name.
    pub(crate) fn new_database(&self) -> String {
        let name = format!("v{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.ask("postgres", &format!("CREATE DATABASE {name}"))
            .expect("a database is made");
        name
    }

    /// Ends every connection of a client of a volume.
    #[allow(dead_code, reason = "only some programs break connections")]
    pub(crate) fn break_connections(&self) {
        let clients =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'moorage %'";
        self.ask("postgres", clients).expect("connections are ended");
    }

    /// The metadata URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{URL_PASSWORD}@/{database}?host={}&port={}",
            self.folder.path().display(),
            self.port
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
        format!("postgres://{USER}:{URL_PASSWORD}@127.0.0.1:{port}/{database}")
    }
}

/// Password of the user.
pub(crate) const PASSWORD: &str = "pa/ss w";
/// The same in a URL.
const URL_PASSWORD: &str = "pa%2Fss%20w";

fn password_file(folder: &Path) -> PathBuf {
    let file = folder.join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    file
}

fn signal(process: &Child, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(process.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends its children too, which a kill would leave behind; one that is paused would not listen.
        self.resume();
        signal(&self.process, rustix::process::Signal::QUIT);
        let _ = self.process.wait();
    }
}
