//! `moorage dump`

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::Progress;
use moorage_meta::{DumpBlocks, DumpCompression, DumpOptions, DumpSummary, dump_channel};
use moorage_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::arguments::MetaUrlArgument;
use crate::context::Context;
use crate::noun::{ENTRIES, RECORDS, agree};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::{concurrency, io_kind, size, target, volume};

/// Write the metadata of a volume into a file, for a backup or to move to another database
///
/// The file is JSON as JuiceFS writes and loads it; the data in the object store is not part of it. It appears under
/// its name when it is complete, and only its owner may read it. The volume may be in use: what changes meanwhile is
/// in the file as it was before or after.
///
/// Ends with exit code 7 when records can not be read: the file is complete but for them.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// File to write, packed when it ends in .gz or .zstd; standard output without one, or with -
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Write JuiceFS's binary form, smaller and made and loaded faster; it holds the records of the whole volume as they
    /// are, without a check, and no secret but those of --keep-secret-key
    #[arg(long, conflicts_with_all = ["subdir", "skip_trash"])]
    binary: bool,

    /// Dump only this folder of the volume, which becomes the root of what is loaded
    #[arg(long, value_name = "PATH")]
    subdir: Option<String>,

    /// Keep the secrets of the object store, which are only weakly protected: guard the file
    #[arg(long)]
    keep_secret_key: bool,

    /// Leave the trash out
    #[arg(long)]
    skip_trash: bool,

    /// Nodes read at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    /// Accepted for scripts: a dump is as fast as it can be without holding the volume in memory
    #[arg(long, hide = true)]
    fast: bool,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What the summary adds when secrets were left out.
fn left_out(summary: &DumpSummary) -> &'static str {
    match (summary.secrets_removed, summary.key_removed) {
        (false, false) => "",
        (true, false) => " Its secrets are left out; --keep-secret-key keeps them.",
        (false, true) => {
            " The key of its encryption is left out: --keep-secret-key keeps it, and `moorage load --encrypt-rsa-key FILE` \
             sets it again."
        }
        (true, true) => {
            " Its secrets are left out, and the key of its encryption: --keep-secret-key keeps them, and `moorage load \
             --encrypt-rsa-key FILE` sets the key again."
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let file = arguments.file.as_deref().filter(|file| *file != Path::new("-"));
    if file.is_none() && arguments.output.json {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the dump and its summary can not both go to standard output",
        )
        .with_advice("Name a file, or leave --json out."));
    }
    let meta = volume::open_to_rescue(&arguments.database.url).await?;
    let directory = match &arguments.subdir {
        Some(path) => Some(target::resolve(&meta, path.as_bytes()).await?.0),
        None => None,
    };
    let options = DumpOptions {
        directory,
        keep_secrets: arguments.keep_secret_key,
        skip_trash: arguments.skip_trash,
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Dumping",
        unit: ENTRIES,
    };
    let (output, blocks) = dump_channel();
    let target = Target::open(file)?;
    let compression = file.map_or(DumpCompression::None, DumpCompression::of_path);
    let writer = tokio::task::spawn_blocking(move || target.fill(compression, blocks));
    let job = async {
        if arguments.binary {
            meta.dump_binary(&options, output, &counts).await
        } else {
            meta.dump_json(&options, output, &counts).await
        }
    };
    let dumped = context.watch(work, &counts, job).await;
    let written = writer.await.map_err(|error| {
        Error::new(ErrorKind::Io, "the thread that writes the dump failed").with_source(error)
    })?;
    // When writing failed, the dump only knows that nobody takes it.
    let target = written?;
    let summary = dumped?;
    target.finish()?;
    let name = meta.setting().name.clone();
    meta.engine().close().await?;
    let secrets = left_out(&summary);
    match file {
        Some(file) => output::print(arguments.output, &as_json(&summary), |_| {
            let (entries, bytes) = (ENTRIES.count(summary.entries), size::show(summary.bytes));
            format!(
                "Dumped {entries} of volume {name} into {}, {bytes} unpacked.{secrets}",
                file.display()
            )
        })?,
        None => context.say(&format!(
            "Dumped {} of volume {name}.{secrets}",
            ENTRIES.count(summary.entries)
        )),
    }
    verdict(&summary, &name)
}

fn as_json(summary: &DumpSummary) -> Value {
    json!({
        "entries": summary.entries,
        "bytes": summary.bytes,
        "unreadable": summary.unreadable,
        "secrets_removed": summary.secrets_removed,
        "key_removed": summary.key_removed,
    })
}

/// A dump that leaves something out is no success.
fn verdict(summary: &DumpSummary, name: &str) -> Result<()> {
    let unreadable = summary.unreadable;
    if unreadable == 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Corrupt,
        format!(
            "{} of volume {name} can not be read and {} not in the dump",
            RECORDS.count(unreadable),
            agree(unreadable, "is", "are")
        ),
    )
    .with_advice("`moorage fsck` names what is damaged; the rest of the dump is complete."))
}

/// Where a dump goes: a file that gets its name when it is complete, a device or pipe, or standard output.
enum Target {
    File(NamedTempFile, PathBuf),
    Stream(File, PathBuf),
    Standard,
}

impl Target {
    fn open(file: Option<&Path>) -> Result<Target> {
        let Some(file) = file else {
            return Ok(Target::Standard);
        };
        let file = match fs::metadata(file) {
            Ok(data) if data.is_dir() => {
                return Err(Error::new(ErrorKind::IsDirectory, file.display().to_string())
                    .with_advice("Name a file in it."));
            }
            // Such as /dev/null or a FIFO, which no file takes the place of.
            Ok(data) if !data.is_file() => {
                let stream = File::options().write(true).open(file);
                let stream = stream.map_err(|error| failed(file, error))?;
                return Ok(Target::Stream(stream, file.to_owned()));
            }
            // What a link leads to is replaced, not the link.
            Ok(_) => &fs::canonicalize(file).map_err(|error| failed(file, error))?,
            Err(_) => file,
        };
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let temporary = tempfile::Builder::new()
            .prefix(".moorage-dump-")
            .tempfile_in(folder)
            // Without the name of the temporary file, which nobody knows.
            .map_err(|error| failed(file, error.kind().into()))?;
        Ok(Target::File(temporary, file.to_owned()))
    }

    /// Takes the blocks until the dump ends.
    fn fill(self, compression: DumpCompression, blocks: DumpBlocks) -> Result<Target> {
        match self {
            Target::File(temporary, file) => {
                let temporary =
                    packed(temporary, compression, blocks).map_err(|error| failed(&file, error))?;
                Ok(Target::File(temporary, file))
            }
            Target::Stream(stream, file) => {
                let stream = packed(stream, compression, blocks).map_err(|error| failed(&file, error))?;
                Ok(Target::Stream(stream, file))
            }
            Target::Standard => {
                let standard = compression.pack(blocks, io::stdout().lock());
                standard
                    .and_then(|mut standard| standard.flush())
                    .map_err(|error| {
                        Error::new(ErrorKind::Io, "standard output can not be written").with_source(error)
                    })?;
                Ok(Target::Standard)
            }
        }
    }

    /// Makes a complete file durable and gives it its name.
    fn finish(self) -> Result<()> {
        let Target::File(temporary, file) = self else {
            return Ok(());
        };
        temporary
            .as_file()
            .sync_all()
            .map_err(|error| failed(&file, error))?;
        temporary
            .persist(&file)
            .map_err(|error| failed(&file, error.error))?;
        Ok(())
    }
}

/// Writes a dump into a file.
fn packed<W: Write>(file: W, compression: DumpCompression, blocks: DumpBlocks) -> io::Result<W> {
    let written = compression.pack(blocks, io::BufWriter::new(file))?;
    written.into_inner().map_err(io::IntoInnerError::into_error)
}

fn failed(file: &Path, error: io::Error) -> Error {
    Error::new(
        io_kind::of(&error),
        format!("the dump {} can not be written", file.display()),
    )
    .with_source(error)
    .with_advice("Name a file in a folder that exists, with room on its disk, and that you may write to.")
}
