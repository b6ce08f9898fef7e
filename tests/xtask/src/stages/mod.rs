//! The stages of `cargo xtask test`, each in its own file.

mod applications;
mod crash;
mod desktop;
mod exerciser;
mod first_use;
mod format;
mod fuzz;
mod install;
mod interop;
mod lint;
mod packages;
mod posix;
mod races;
mod two_clients;
mod ui;
mod unit;
mod windows;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::table::{self, Outcome, Row};

struct Stage {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "install",
        run: install::run,
    },
    Stage {
        name: "format",
        run: format::run,
    },
    Stage {
        name: "lint",
        run: lint::run,
    },
    Stage {
        name: "unit",
        run: unit::run,
    },
    Stage {
        name: "ui",
        run: ui::run,
    },
    Stage {
        name: "desktop",
        run: desktop::run,
    },
    Stage {
        name: "windows",
        run: windows::run,
    },
    Stage {
        name: "fuzz",
        run: fuzz::run,
    },
    Stage {
        name: "posix",
        run: posix::run,
    },
    Stage {
        name: "exerciser",
        run: exerciser::run,
    },
    Stage {
        name: "interop",
        run: interop::run,
    },
    Stage {
        name: "first use",
        run: first_use::run,
    },
    Stage {
        name: "packages",
        run: packages::run,
    },
    Stage {
        name: "applications",
        run: applications::run,
    },
    Stage {
        name: "two clients",
        run: two_clients::run,
    },
    Stage {
        name: "races",
        run: races::run,
    },
    Stage {
        name: "crash",
        run: crash::run,
    },
    Stage {
        name: "crash servers",
        run: crash::run_with_servers,
    },
];

/// Runs every stage, also after one has failed.
pub(crate) fn run_all(only: Option<&str>) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for stage in STAGES
        .iter()
        .filter(|stage| only.is_none_or(|text| stage.name.contains(text)))
    {
        println!("\n==== {}, {} of disk free ====", stage.name, free_space());
        let (start, cpu) = (Instant::now(), cpu_of_children()?);
        let outcome = (stage.run)().unwrap_or_else(|error| {
            println!("stage {}: {error:#}", stage.name);
            Outcome::check(false)
        });
        rows.push(Row {
            name: stage.name,
            outcome,
            time: start.elapsed(),
            cpu: cpu_of_children()?.saturating_sub(cpu),
        });
    }
    Ok(if table::print(&rows) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Processor time of all processes that were started here and have ended.
fn cpu_of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let spent = |time: TimeVal| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
        Duration::new(seconds, 0) + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or_default())
    };
    Ok(spent(usage.user_time()) + spent(usage.system_time()))
}

/// What is left on the disk of temporary files, where the volumes of the tests are.
fn free_space() -> String {
    rustix::fs::statvfs(std::env::temp_dir()).map_or_else(
        |error| format!("an unknown part ({error})"),
        |disk| format!("{} MB", disk.f_bavail.saturating_mul(disk.f_frsize) / 1_000_000),
    )
}
