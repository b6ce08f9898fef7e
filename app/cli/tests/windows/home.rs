//! A user's folders for one test, and the program and an agent in them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The folders of a user, which vanish with it.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Home {
    /// One in which this program is run.
    pub(crate) fn running(program: PathBuf) -> Home {
        let folder = tempfile::tempdir().expect("a folder");
        Home { folder, program }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command of the program for this user.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("USERPROFILE", self.path())
            .env("LOCALAPPDATA", self.path().join("Local"))
            .env_remove("META_PASSWORD")
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("started")
    }

    /// Runs a command that has to succeed; what it prints.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a command that has to fail; what it says.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        said(&output)
    }

    /// Makes the volume `disk` in these folders; its URL.
    pub(crate) fn volume(&self) -> String {
        let (database, bucket) = (self.path().join("meta.db"), self.path().join("objects"));
        let url = format!("sqlite3://{}", text(&database));
        self.succeed(&[
            "format",
            "--storage",
            "file",
            "--bucket",
            text(&bucket),
            &url,
            "disk",
        ]);
        url
    }

    /// What a command prints with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.succeed(&arguments)).expect("JSON")
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running agent; killed when dropped.
pub(crate) struct Agent<'h> {
    home: &'h Home,
    child: Child,
}

impl<'h> Agent<'h> {
    /// Starts one and waits until it serves.
    pub(crate) fn start(home: &'h Home) -> Agent<'h> {
        let mut child = home
            .program(&["agent", "run"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let serves = lines.any(|line| line.expect("text").contains("The agent serves at"));
        // What it says later must not stop it.
        std::thread::spawn(move || lines.count());
        let agent = Agent { home, child };
        assert!(serves, "the agent ended");
        agent
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it end as a person does.
    pub(crate) fn stop(mut self) {
        self.home.succeed(&["agent", "stop"]);
        assert!(self.child.wait().expect("ended").success());
    }

    /// Ends it without a chance to do anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}
