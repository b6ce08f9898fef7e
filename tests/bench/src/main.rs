//! Compares mounted volumes row by row in one run: Moorage, another client with the same command line, a null
//! FUSE file system and the local disk.

mod awake;
mod contender;
mod delay;
mod measure;
mod process;
mod report;
mod rows;
mod tree;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use contender::{Cli, Contender, LocalDisk, NullFs};
use moorage_servers::{Database, Durability, Kind};

/// Command line of the benchmark.
#[derive(Debug, Parser)]
#[command(about = "Side-by-side benchmark of mounted volumes (root, Linux)")]
struct Arguments {
    /// The `moorage` binary to measure.
    #[arg(long)]
    moorage: PathBuf,
    /// Another client that takes the same command line.
    #[arg(long)]
    against: Option<PathBuf>,
    /// The null FUSE file system, the lower bound of what the kernel boundary costs.
    #[arg(long)]
    nullfs: Option<PathBuf>,
    /// The database that holds the metadata; the program starts a private server.
    #[arg(long, value_enum, default_value = "sqlite")]
    metadata: Kind,
    /// When that server calls a change durable.
    #[arg(long, value_enum, default_value = "always")]
    durability: Durability,
    /// Microseconds that every round trip to that server takes longer.
    #[arg(long, default_value_t = 0)]
    round_trip: u64,
    /// Rounds; contenders alternate inside each.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only rows whose name contains this text.
    #[arg(long)]
    only: Option<String>,
    /// Divides every amount of work, for a quick look.
    #[arg(long, default_value_t = 1)]
    divide: u64,
    /// Lets cores fall asleep between requests, as they do on a machine that does nothing else.
    #[arg(long)]
    let_cores_idle: bool,
    /// Where to work; needs a few GiB.
    #[arg(long, default_value = "/tmp")]
    directory: PathBuf,
    /// Also writes the result as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let work = tempfile::Builder::new()
        .prefix("moorage-bench")
        .tempdir_in(&arguments.directory)?;
    contender::spread_folders(work.path());
    let _awake = (!arguments.let_cores_idle).then(awake::keep_cores_awake);
    let round_trip = Duration::from_micros(arguments.round_trip);
    let database = Rc::new(database(arguments.metadata, arguments.durability, round_trip)?);
    let tree = tree::source_tar(work.path(), arguments.divide).context("making the source tree")?;
    let mut contenders: Vec<Box<dyn Contender>> = vec![Box::new(Cli::new(
        "moorage",
        &arguments.moorage,
        work.path(),
        Rc::clone(&database),
    )?)];
    if let Some(binary) = arguments.against {
        contenders.push(Box::new(Cli::new(
            "against",
            &binary,
            work.path(),
            Rc::clone(&database),
        )?));
    }
    if let Some(binary) = arguments.nullfs {
        contenders.push(Box::new(NullFs::new(&binary, work.path())?));
    }
    contenders.push(Box::new(LocalDisk::new(work.path())?));

    let plan = rows::Plan {
        tree,
        disk: work.path().to_owned(),
        divide: arguments.divide.max(1),
        only: arguments.only,
    };
    let mut results = report::Results::default();
    for round in 0..arguments.rounds {
        let names: Vec<usize> = if round % 2 == 0 {
            (0..contenders.len()).collect()
        } else {
            (0..contenders.len()).rev().collect()
        };
        for index in names {
            let Some(contender) = contenders.get_mut(index) else {
                continue;
            };
            eprintln!(
                "round {} of {}: {}",
                round + 1,
                arguments.rounds,
                contender.name()
            );
            measure::round(contender.as_mut(), &plan, &mut results)
                .with_context(|| format!("round {} of {}", round + 1, contender.name()))?;
        }
    }
    print!("{}", results.table());
    if let Some(path) = arguments.json {
        std::fs::write(&path, serde_json::to_string_pretty(&results.json())?)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Starts the database that is asked for; with `round_trip`, clients reach it over a wire that is that much longer.
fn database(kind: Kind, durability: Durability, round_trip: Duration) -> Result<Database> {
    let started = Database::start(kind, durability)?;
    let mut database = started.with_context(|| format!("{kind} is not installed"))?;
    if round_trip > Duration::ZERO {
        let Some(port) = database.port() else {
            bail!("{kind} has no round trips to make longer");
        };
        database.put_between(delay::wire(port, round_trip)?);
    }
    Ok(database)
}
