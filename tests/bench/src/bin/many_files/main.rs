//! What a volume of very many files costs: loading and dumping its metadata in every form, and walking through it on a
//! mount. Each figure stands beside the most memory that the program took.
//!
//! The files have a size and a list of slices, and no content: nothing here reads any.

mod client;
mod dump;
#[path = "../../process.rs"]
mod process;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use client::{Client, Figure};
use dump::Shape;
use moorage_servers::{Database, Durability, Kind};

/// Command line of the measurement.
#[derive(Debug, Parser)]
#[command(about = "Time and memory of a volume of very many files (root, Linux)")]
struct Arguments {
    /// A client to measure, with the command line of Moorage and JuiceFS; may be repeated.
    #[arg(long, required = true)]
    client: Vec<PathBuf>,
    /// Files of the volume.
    #[arg(long, default_value_t = 1_000_000)]
    files: u64,
    /// Files of one folder.
    #[arg(long, default_value_t = 1_000)]
    per_folder: u64,
    /// The database that holds the metadata; the program starts a private server.
    #[arg(long, value_enum, default_value = "sqlite")]
    metadata: Kind,
    /// Where to work; needs about 3 KB per file and client.
    #[arg(long, default_value = "/tmp")]
    directory: PathBuf,
}

/// Dumps that are made and loaded again: the end of the file's name, and the option for it.
const FORMS: [(&str, &[&str]); 4] = [
    ("json", &[]),
    ("json.gz", &[]),
    ("json.zstd", &[]),
    ("bin", &["--binary"]),
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let work = tempfile::Builder::new()
        .prefix("moorage-many-files")
        .tempdir_in(&arguments.directory)?;
    let shape = Shape {
        files: arguments.files,
        per_folder: arguments.per_folder.max(1),
    };
    let objects = work.path().join("objects");
    std::fs::create_dir(&objects)?;
    let source = work.path().join("source.json");
    dump::write(&source, shape, &objects).context("writing the dump of the volume")?;
    let started = Database::start(arguments.metadata, Durability::Second)?;
    let database = started.with_context(|| format!("{} is not installed", arguments.metadata))?;

    println!(
        "| client | step | seconds | CPU seconds | peak RSS MiB | file MiB |\n|---|---|---|---|---|---|"
    );
    for (number, binary) in arguments.client.iter().enumerate() {
        let folder = work.path().join(number.to_string());
        std::fs::create_dir(&folder)?;
        let client = Client::new(binary, &folder)?;
        let show = |step: &str, figure: &Figure| {
            println!("| {} | {step} | {figure} |", client.name());
        };
        let place = database.fresh(&folder);
        show("load json", &client.load(&place, &source, &[])?);
        for (form, options) in FORMS {
            let file = folder.join("dump").with_extension(form);
            show(&format!("dump {form}"), &client.dump(&place, &file, options)?);
            let copy = folder.join(format!("{form}.copy"));
            std::fs::create_dir(&copy)?;
            if form != "json" {
                let copy = database.fresh(&copy);
                show(&format!("load {form}"), &client.load(&copy, &file, options)?);
            }
            std::fs::remove_file(file)?;
            std::fs::remove_dir_all(copy)?;
        }
        for (step, command) in [
            ("ls -lR", &["ls", "-lR"][..]),
            ("find", &["find"]),
            ("du -s", &["du", "-s"]),
        ] {
            let [cold, again] = client.walk(&place, command)?;
            show(step, &cold);
            show(&format!("{step}, again"), &again);
        }
    }
    Ok(())
}
