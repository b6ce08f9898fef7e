//! A private server that speaks the protocols of TiKV and of its placement driver, ended with its guard.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Names the program, where it is not built from its source.
const PROGRAM: &str = "MOORAGE_TIKV_PEER";

/// A running server with an empty store.
pub(crate) struct Server {
    process: Child,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    driver: String,
    store: String,
    admin: String,
}

impl Server {
    /// Starts one; `None` and a loud line where the program is not there and can not be built.
    pub(crate) fn start() -> Option<Server> {
        Server::with(&[])
    }

    /// As [`Server::start`], with the regions that begin at these keys.
    pub(crate) fn with_regions(keys: &[&[u8]]) -> Option<Server> {
        let hex = |key: &&[u8]| -> String { key.iter().map(|byte| format!("{byte:02x}")).collect() };
        let keys: Vec<String> = keys.iter().map(hex).collect();
        Server::with(&["-split", &keys.join(",")])
    }

    fn with(arguments: &[&str]) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let process = spawn(program()?, folder.path(), &arguments);
        let mut server = Server {
            process,
            folder,
            arguments,
            driver: String::new(),
            store: String::new(),
            admin: String::new(),
        };
        server.wait();
        Some(server)
    }

    /// Waits until the server has told where it listens.
    fn wait(&mut self) {
        let ports = self.folder.path().join("ports");
        for _ in 0..3000 {
            if let Ok(text) = std::fs::read_to_string(&ports) {
                let value = |name: &str| {
                    let mut lines = text.lines();
                    lines.find_map(|line| line.strip_prefix(name)).unwrap().to_owned()
                };
                self.driver = value("PD=");
                self.store = value("KV=");
                self.admin = value("ADMIN=");
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not say where it listens");
    }

    /// URL of a volume in it.
    pub(crate) fn url(&self) -> String {
        format!("tikv://{}/volume", self.driver)
    }

    /// As [`Server::url`], for a client that commits in two phases.
    pub(crate) fn two_phase_url(&self) -> String {
        format!("{}?commit=two-phase", self.url())
    }

    /// Address of the placement driver.
    pub(crate) fn driver(&self) -> String {
        self.driver.clone()
    }

    /// Address of the store.
    pub(crate) fn store(&self) -> String {
        self.store.clone()
    }

    /// Lets the next `count` requests of a kind fail; see the server's own notes for the kinds.
    pub(crate) fn fail(&self, method: &str, kind: &str, count: u32) {
        self.ask(&format!("/fault?method={method}&kind={kind}&count={count}"));
    }

    /// Splits the region of a key.
    pub(crate) fn split(&self, key: &[u8]) {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.ask(&format!("/split?key={hex}"));
    }

    fn ask(&self, path: &str) {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{path}: {answer}");
    }

    /// Ends the server in good order.
    pub(crate) fn stop(&mut self) {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap();
        std::fs::remove_file(self.folder.path().join("ports")).unwrap();
    }

    /// Starts the server again where it was.
    pub(crate) fn go_on(&mut self) {
        let driver = self.driver.clone();
        let mut arguments = self.arguments.clone();
        arguments.extend(["-pd-listen".to_owned(), driver]);
        self.process = spawn(program().unwrap(), self.folder.path(), &arguments);
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(program: &Path, folder: &Path, arguments: &[String]) -> Child {
    Command::new(program)
        .arg("-data")
        .arg(folder.join("data"))
        .arg("-ports-file")
        .arg(folder.join("ports"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The program: named by the environment, or built once for all tests of this checkout.
fn program() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| match std::env::var_os(PROGRAM) {
        Some(program) => Some(program.into()),
        None => built(),
    });
    if found.is_none() {
        println!("skipped: no server that speaks TiKV's protocol ({PROGRAM})");
    }
    found.as_deref()
}

fn built() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/examples/tikv-peer");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join("tikv-peer");
    // One build, whichever test is first.
    let turn = File::create(folder.join("tikv-peer.lock")).unwrap();
    turn.lock().unwrap();
    if program.is_file() {
        return Some(program);
    }
    let fresh = folder.join("tikv-peer.new");
    let build = Command::new("go")
        .args(["build", "-o"])
        .arg(&fresh)
        .arg(".")
        .current_dir(source)
        .stdout(Stdio::null())
        .status();
    if !build.is_ok_and(|status| status.success()) {
        return None;
    }
    std::fs::rename(&fresh, &program).unwrap();
    Some(program)
}
