//! Starts the program under test in a folder of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_moorage");

/// User and group that own nothing.
const NOBODY: u32 = 65_534;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The exit code, with what was printed in the message when it is another one.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Run {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }
}

/// A folder with the home of a user and place for volumes; gone when dropped.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place {
            folder: tempfile::tempdir().expect("temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// URL of the database `name`.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("sqlite3://{}", self.path(name).display())
    }

    /// The program with arguments, ready for more.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(PROGRAM), arguments)
    }

    fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// As [`Place::command`], for a user whom permission bits stop: root becomes somebody else.
    ///
    /// That user gets the program in this folder, for the build may lie where others can not pass.
    pub(crate) fn as_ordinary_user(&self, arguments: &[&str]) -> Command {
        use std::os::unix::process::CommandExt as _;
        if !nix::unistd::geteuid().is_root() {
            return self.command(arguments);
        }
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(self.folder.path(), open).expect("others pass through");
        let program = self.path("moorage");
        if !program.exists() {
            std::fs::hard_link(PROGRAM, &program)
                .or_else(|_| std::fs::copy(PROGRAM, &program).map(drop))
                .expect("the program in this folder");
        }
        let mut command = self.command_of(&program, arguments);
        command.uid(NOBODY).gid(NOBODY);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        finish(&mut self.command(arguments))
    }

    /// Makes a volume named `disk` with the database `meta.db` and objects in `objects`; its URL.
    pub(crate) fn volume(&self, options: &[&str]) -> String {
        let url = self.url("meta.db");
        let bucket = self.path("objects").display().to_string();
        let mut arguments = vec!["format", "--bucket", &bucket];
        arguments.extend(options);
        arguments.extend([url.as_str(), "disk"]);
        self.run(&arguments).ends_with(0);
        url
    }
}

pub(crate) fn finish(command: &mut Command) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    Run {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// All bytes below a folder, to look for what must not be there.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}
