//! The targets of `tests/fuzz`, which has the layout of cargo-fuzz, built and run with the installed compiler alone.
//!
//! Coverage is a pass of every compiler; only address sanitizing takes an unstable one, and the decoders are safe
//! Rust with overflow checks on. `cargo +nightly fuzz run TARGET` adds it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::run::{self, Finished};
use crate::table::Outcome;
use crate::tools;

/// What makes the compiler report to libFuzzer which branches an input took and what it was compared with.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Building all targets on two busy cores; on two idle ones it takes two minutes.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
/// Replaying a corpus and ending, beside the time that a target is given.
const OVERHEAD: Duration = Duration::from_secs(60);
/// Longest input, bytes: records are small.
const LONGEST_INPUT: u64 = 4096;
/// Longest a decoder may take for one input, seconds; they take microseconds.
const SLOWEST_INPUT: u64 = 10;
/// Memory of a target, MiB: far above what decoding an input of that length takes.
const MEMORY_MIB: u64 = 1024;
/// Lines of a failed run that are shown: the panic, the stack and the input.
const SHOWN_LINES: usize = 60;

/// `cargo xtask fuzz`.
pub(crate) fn run(target: Option<String>, seconds: u64, input: Option<&Path>) -> Result<ExitCode> {
    let known = targets()?;
    if let Some(target) = &target
        && !known.contains(target)
    {
        bail!("there is no fuzz target {target}; there are {}", known.join(", "));
    }
    let success = match (target, input) {
        (Some(target), Some(input)) => replay(&target, input)?,
        (target, _) => explore(&target.map_or(known, |target| vec![target]), seconds)?.failed == 0,
    };
    Ok(if success {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Names of the targets, one per file.
pub(crate) fn targets() -> Result<Vec<String>> {
    let folder = project().join("fuzz_targets");
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

/// Builds the targets and runs each for a time, as many at once as there are processors.
pub(crate) fn explore(targets: &[String], seconds: u64) -> Result<Outcome> {
    let programs = build(targets)?;
    let waiting = Mutex::new(targets.iter());
    let next = || waiting.lock().ok()?.next();
    let outcome = Mutex::new(Outcome::default());
    let work = || -> Result<()> {
        while let Some(target) = next() {
            let (report, success) = explore_one(&programs, target, seconds)?;
            println!("{report}");
            let mut outcome = outcome.lock().map_err(|_| anyhow!("another target panicked"))?;
            outcome.passed += u64::from(success);
            outcome.failed += u64::from(!success);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .map_err(|_| anyhow!("a fuzz worker panicked"))
                .flatten()
        })
    })?;
    outcome
        .into_inner()
        .map_err(|_| anyhow!("a fuzz worker panicked"))
}

fn explore_one(programs: &Path, target: &str, seconds: u64) -> Result<(String, bool)> {
    let corpus = tools::cache().join("corpus").join(target);
    let artifacts = run::target_directory().join("fuzz/artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mut command = Command::new(programs.join(target));
    command.arg(&corpus);
    let seeds = project().join("seeds").join(target);
    if seeds.exists() {
        command.arg(seeds);
    }
    command
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST_INPUT}"))
        .arg(format!("-timeout={SLOWEST_INPUT}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg("-print_final_stats=1");
    let finished = run::capture(&mut command, Duration::from_secs(seconds) + OVERHEAD)?;
    if finished.success {
        let inputs = after(&finished.output, "stat::number_of_executed_units:").unwrap_or("?");
        return Ok((format!("ok: {target}, {} inputs", inputs.trim()), true));
    }
    Ok((failure(target, &finished), false))
}

/// What failed, on which input, and how to see it again.
fn failure(target: &str, finished: &Finished) -> String {
    let mut report = format!("FAILED: fuzz target {target}\n");
    let lines: Vec<&str> = finished.output.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)) {
        // Writing to a String can not fail.
        let _ = writeln!(report, "  | {line}");
    }
    let Some(input) = after(&finished.output, "Test unit written to ").map(str::trim) else {
        report.push_str("  no input was kept: the target did not start, or did not end in time");
        return report;
    };
    let _ = writeln!(report, "  input      {input}");
    if let Ok(bytes) = fs::read(input) {
        report.push_str("  as hex     ");
        for byte in bytes {
            let _ = write!(report, "{byte:02x}");
        }
        report.push_str(" (`xxd -r -p` makes the file)\n");
    }
    let _ = writeln!(report, "  reproduce  cargo xtask fuzz {target} --input {input}");
    let _ = write!(
        report,
        "  mended?    keep the input as tests/fuzz/seeds/{target}/NAME and add a test to the crate"
    );
    report
}

fn replay(target: &str, input: &Path) -> Result<bool> {
    // libFuzzer takes a name that does not exist for an empty corpus and succeeds.
    fs::metadata(input).with_context(|| format!("input {}", input.display()))?;
    let programs = build(&[target.to_owned()])?;
    let limit = Duration::from_secs(SLOWEST_INPUT) + OVERHEAD;
    let mut command = Command::new(programs.join(target));
    command.arg(input).arg(format!("-timeout={SLOWEST_INPUT}"));
    Ok(run::finish(&mut command, limit)?.success)
}

/// Builds targets; the folder of their programs.
fn build(targets: &[String]) -> Result<PathBuf> {
    let (host, folder) = (host()?, run::target_directory().join("fuzz"));
    // With a target given, build scripts and macros are left without instrumentation, for which they lack a runtime.
    let mut cargo = run::cargo(&["build", "--release", "--target", &host]);
    for target in targets {
        cargo.args(["--bin", target]);
    }
    cargo
        .current_dir(project())
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", COVERAGE)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if !run::finish(&mut cargo, BUILD_LIMIT)?.success {
        bail!(
            "the fuzz targets do not build; each file of tests/fuzz/fuzz_targets needs its [[bin]] in tests/fuzz/Cargo.toml"
        );
    }
    Ok(folder.join(host).join("release"))
}

/// The triple of the installed compiler.
fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("starting rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    after(&text, "host: ")
        .map(str::to_owned)
        .context("`rustc -vV` names no host")
}

/// The rest of the first line that holds `mark`, behind it.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.split_once(mark).map(|(_, rest)| rest))
}

fn project() -> PathBuf {
    run::repository().join("tests/fuzz")
}
