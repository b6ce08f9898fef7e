//! A source tree: unpack, list, read, copy and remove it with the system's own tools.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::{Bench, timed};

pub(super) fn source_tree(bench: &mut Bench<'_>) -> Result<()> {
    let (first, second) = (bench.directory.join("tree"), bench.directory.join("copy"));
    std::fs::create_dir(&first)?;
    let (time, ()) = timed(|| {
        run(Command::new("tar")
            .arg("-C")
            .arg(&first)
            .arg("-xf")
            .arg(&bench.plan.tree))
    })?;
    bench.seconds("untar 3.5 k files", time);
    (bench.cool)()?;
    let (time, ()) = timed(|| run(Command::new("ls").arg("-lR").arg(&first)))?;
    bench.seconds("ls -lR, cold", time);
    (bench.cool)()?;
    let (time, ()) = timed(|| read_tree(&first))?;
    bench.seconds("tar read, cold", time);
    let (time, ()) = timed(|| run(Command::new("cp").arg("-r").arg(&first).arg(&second)))?;
    bench.seconds("cp -r", time);
    let (time, ()) = timed(|| run(Command::new("rm").arg("-rf").arg(&first).arg(&second)))?;
    bench.seconds("rm -rf of both trees", time);
    Ok(())
}

/// GNU tar skips the reading when its output is /dev/null, so it goes through a pipe.
fn read_tree(tree: &Path) -> Result<()> {
    let mut tar = Command::new("tar")
        .arg("-cf")
        .arg("-")
        .arg(tree)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut output) = tar.stdout.take() {
        std::io::copy(&mut output, &mut std::io::sink())?;
    }
    if tar.wait()?.success() {
        Ok(())
    } else {
        bail!("tar failed")
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        bail!("{command:?} failed: {status}")
    }
}
