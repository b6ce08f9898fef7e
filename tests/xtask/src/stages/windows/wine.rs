//! Wine with a home of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::dist::windows::COMPILER;
use crate::run;

/// Runs programs of Windows.
pub(super) const PROGRAM: &str = "wine";
/// Serves the programs that run in one home.
const SERVER: &str = "wineserver";
/// Making the home, which takes six seconds on an idle machine, and compiling a dozen lines.
const SET_UP_LIMIT: Duration = Duration::from_secs(300);
/// Ending the programs of the home.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Wine as the tests use it. Nothing that runs in its home is left when it is dropped.
pub(super) struct Wine {
    /// What it takes for the disk and the registry of a computer.
    home: PathBuf,
    /// Libraries that it lacks.
    libraries: PathBuf,
    /// Held for as long as programs run in the home, which other clones use too.
    _turn: File,
}

impl Wine {
    /// Makes a home in this folder, once, and waits while another one uses it.
    pub(super) fn prepare(folder: &Path) -> Result<Wine> {
        let libraries = folder.join("libraries");
        std::fs::create_dir_all(&libraries).with_context(|| format!("making {}", libraries.display()))?;
        let turn = File::create(folder.join("lock"))?;
        turn.lock()?;
        let wine = Wine {
            home: folder.join("home"),
            libraries,
            _turn: turn,
        };
        let library = wine.libraries.join("bcryptprimitives.dll");
        let source = run::repository().join("tests/windows/bcryptprimitives.c");
        let mut compile = Command::new(COMPILER);
        compile.args(["-O2", "-shared", "-o"]).arg(library).arg(source);
        let mut make_home = Command::new("wineboot");
        wine.set_up(make_home.arg("-i"));
        for command in [compile.arg("-ladvapi32"), &mut make_home] {
            if !run::capture(command, SET_UP_LIMIT)?.success {
                bail!("{command:?} failed");
            }
        }
        Ok(wine)
    }

    /// Has programs find a library by its name.
    ///
    /// # Errors
    /// When it can not be copied.
    pub(super) fn add_library(&self, library: &Path) -> Result<()> {
        let name = library.file_name().context("a library has a name")?;
        std::fs::copy(library, self.libraries.join(name))
            .with_context(|| format!("copying {}", library.display()))?;
        Ok(())
    }

    /// Has a command, and all that it starts, use this wine.
    pub(super) fn set_up(&self, command: &mut Command) {
        command
            .env("WINEPREFIX", &self.home)
            .env("WINEPATH", path(&self.libraries))
            .env("WINEDEBUG", "-all")
            // It draws nothing, offers to install nothing, and writes nothing into the menus of this user.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml,winemenubuilder.exe=")
            .env_remove("DISPLAY");
    }

    /// A command of a program of Windows.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(PROGRAM);
        self.set_up(command.arg(program).stdin(Stdio::null()));
        command
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        let mut end = Command::new(SERVER);
        self.set_up(end.arg("--kill"));
        // It fails where none runs any more.
        if let Err(error) = run::capture(&mut end, END_LIMIT) {
            println!("the server of wine may still run: {error:#}");
        }
    }
}

/// The path by which a program of Windows finds a file of this machine.
pub(super) fn path(file: &Path) -> String {
    format!("Z:{}", file.display().to_string().replace('/', "\\"))
}
