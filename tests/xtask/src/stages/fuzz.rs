//! Every fuzz target for a few seconds, from the seeds in `tests/fuzz/seeds` and what earlier runs found interesting.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::table::Outcome;
use crate::{run, tools};

/// Time of each target in seconds: enough to replay the corpus and try some hundred thousand inputs.
const SECONDS_PER_TARGET: u64 = 5;
/// Building all targets with sanitizers on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);
/// One target, its start included.
const RUN_LIMIT: Duration = Duration::from_secs(60);
/// Longest input, bytes: records are small.
const LONGEST_INPUT: u64 = 4096;

pub(crate) fn run() -> Result<Outcome> {
    tools::cargo_program("cargo-fuzz", "0.13.2")?;
    let project = run::repository().join("tests/fuzz");
    let cargo_fuzz = |arguments: &[&str]| -> Command {
        let mut command = Command::new(tools::cache().join("bin/cargo-fuzz"));
        command.arg("fuzz").args(arguments).current_dir(&project);
        command.env("CARGO_TARGET_DIR", run::target_directory().join("fuzz"));
        // Sanitizers are options of an unstable compiler only by name.
        command.env("RUSTC_BOOTSTRAP", "1");
        command
    };
    if !run::finish(&mut cargo_fuzz(&["build", "--fuzz-dir", "."]), BUILD_LIMIT)?.success {
        return Ok(Outcome::check(false));
    }
    let mut outcome = Outcome::default();
    for target in targets()? {
        let corpus = tools::cache().join("corpus").join(&target);
        fs::create_dir_all(&corpus)?;
        let mut command = cargo_fuzz(&["run", "--fuzz-dir", ".", &target]);
        command.arg(&corpus);
        let seeds = project.join("seeds").join(&target);
        if seeds.exists() {
            command.arg(seeds);
        }
        command.args(["--", "-verbosity=0"]);
        command.arg(format!("-max_total_time={SECONDS_PER_TARGET}"));
        command.arg(format!("-max_len={LONGEST_INPUT}"));
        let success = run::finish(&mut command, RUN_LIMIT)?.success;
        println!("{}: {target}", if success { "ok" } else { "FAILED" });
        outcome.passed += u64::from(success);
        outcome.failed += u64::from(!success);
    }
    Ok(outcome)
}

/// Names of the targets, one per file.
fn targets() -> Result<Vec<String>> {
    let folder = run::repository().join("tests/fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
