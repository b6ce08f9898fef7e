//! Commands with captured output and a time limit.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How a command ended.
pub(crate) struct Finished {
    /// Whether it exited with 0 inside its time.
    pub(crate) success: bool,
    /// Standard output and error, line by line as they came.
    pub(crate) output: String,
}

/// The root of the repository that cargo runs this in: a build may be shared by several clones, so what the compiler saw
/// does not tell.
pub(crate) fn repository() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.ancestors()
        .nth(2)
        .map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// Where cargo builds.
pub(crate) fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// A cargo command in the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(repository());
    forget_package(&mut command);
    command
}

/// Keeps from a command, which may call cargo, what cargo told this program of its own package. Build scripts that depend on
/// it (that of `ring`) run again when it is another one than before, as in another clone or after a cargo that was called by
/// hand, and all that stands on them is built anew.
pub(crate) fn forget_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// As [`cargo`], with a compiler that has the lints of clippy in it. What one such command built another one finds, so
/// the tests are built in this way, too.
pub(crate) fn cargo_with_lints(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    command
}

/// Runs a command, shows and keeps its output, and ends it when it takes longer than `limit`.
pub(crate) fn finish(command: &mut Command, limit: Duration) -> Result<Finished> {
    watch(command, limit, |line| println!("{line}"))
}

/// As [`finish`], without showing the output.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Result<Finished> {
    watch(command, limit, |_| {})
}

fn watch(command: &mut Command, limit: Duration, show: impl Fn(&str)) -> Result<Finished> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let (lines, received) = mpsc::channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|p| Box::new(p) as _),
        child.stderr.take().map(|p| Box::new(p) as _),
    ];
    for pipe in pipes.into_iter().flatten() {
        let lines = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
    }
    drop(lines);
    let deadline = Instant::now() + limit;
    let mut output = String::new();
    let mut late = false;
    loop {
        match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                show(&line);
                output.push_str(&line);
                output.push('\n');
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                late = true;
                let line = format!("{command:?} took longer than {} s and is ended", limit.as_secs());
                show(&line);
                output.push_str(&line);
                output.push('\n');
                child.kill()?;
                break;
            }
        }
    }
    let status = child.wait()?;
    Ok(Finished {
        success: status.success() && !late,
        output,
    })
}
