//! `moorage sync`

mod ends;
mod patterns;
mod show;

use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::Progress;
use moorage_model::{Clock as _, Error, ErrorKind, Result, SystemClock};
use moorage_sync::Transport;
use moorage_sync::copy::{Checks, CopyOptions, Deletions, Report, Selection, copy};

use self::ends::{Ends, Role};
use self::patterns::Patterns;
use self::show::Shown;
use crate::concurrency;
use crate::context::Context;
use crate::noun::FILES;
use crate::output::OutputArguments;
use crate::progress::Work;

/// A megabit per second in bytes per second.
const MEGABIT_BYTES: u64 = 1_000_000 / 8;

/// Copy a tree of files one way, between folders, object stores and volumes
///
/// SRC and DST are each a folder, a bucket (s3://[ACCESS_KEY:SECRET_KEY@]BUCKET.ENDPOINT/PATH, minio://HOST:PORT/BUCKET/PATH,
/// and so on for every storage of `format`), a metadata URL for the root of a volume, or jfs://NAME/PATH for a folder of
/// the volume whose metadata URL stands in the environment variable NAME. A mounted volume is a folder as well.
///
/// A file is copied when the destination has none of its name, or one of another size. It appears whole or not at all.
/// What fails is named and counted, the rest goes on, and the command ends with exit code 1. Run it again to go on
/// where it was cut off.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where from
    #[arg(value_name = "SRC")]
    source: String,

    /// Where to; a folder is made when it does not exist
    #[arg(value_name = "DST")]
    destination: String,

    /// Of files that both have, copy those that are newer in SRC, whatever their sizes
    #[arg(short, long, help_heading = "Selection")]
    update: bool,

    /// Copy all files, also those that DST seems to have
    #[arg(short, long, help_heading = "Selection")]
    force_update: bool,

    /// Copy only files that DST has already
    #[arg(long, visible_alias = "ignore-non-existing", help_heading = "Selection")]
    existing: bool,

    /// Copy only files that DST does not have
    #[arg(long, help_heading = "Selection")]
    ignore_existing: bool,

    #[command(flatten)]
    patterns: Patterns,

    /// Look at this many files of SRC at most; -1 means all
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = -1,
        allow_negative_numbers = true,
        help_heading = "Selection"
    )]
    limit: i64,

    /// Delete from SRC what DST has already, after reading and comparing both
    #[arg(long, visible_alias = "deleteSrc", help_heading = "Action")]
    delete_src: bool,

    /// Delete from SRC what was copied just now, after reading and comparing both
    #[arg(long, help_heading = "Action")]
    delete_src_after: bool,

    /// Delete from DST what SRC does not have
    #[arg(long, visible_alias = "deleteDst", help_heading = "Action")]
    delete_dst: bool,

    /// Copy folders too, also empty ones, with their times
    #[arg(long, help_heading = "Action")]
    dirs: bool,

    /// Copy permissions and owners
    #[arg(long, help_heading = "Action")]
    perms: bool,

    /// Copy symbolic links as links, instead of what they point to
    #[arg(short, long, help_heading = "Action")]
    links: bool,

    /// Read what was copied from DST once more and compare it
    #[arg(long, help_heading = "Action")]
    check_new: bool,

    /// Read and compare all files that both have, and copy those that differ
    #[arg(long, help_heading = "Action")]
    check_all: bool,

    /// Accepted for scripts: a file that changes while it is copied is never taken as copied
    #[arg(long, hide = true)]
    check_change: bool,

    /// Give up after more failures than this; -1 means never
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = -1,
        allow_negative_numbers = true,
        help_heading = "Action"
    )]
    max_failure: i64,

    /// Change nothing; say what would be done
    #[arg(long, help_heading = "Action")]
    dry: bool,

    /// Transfers at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse, help_heading = "Storage")]
    threads: usize,

    /// Most megabits per second; 0 means no limit
    #[arg(long, value_name = "MBPS", default_value_t = 0, help_heading = "Storage")]
    bwlimit: u64,

    /// Reach object stores without TLS
    #[arg(long, help_heading = "Storage")]
    no_https: bool,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

impl Arguments {
    fn options(&self) -> Result<CopyOptions> {
        Ok(CopyOptions {
            selection: Selection {
                update: self.update,
                force_update: self.force_update,
                existing: self.existing,
                ignore_existing: self.ignore_existing,
            },
            deletions: Deletions {
                source: self.delete_src,
                source_after: self.delete_src_after,
                destination: self.delete_dst,
            },
            checks: Checks {
                new: self.check_new,
                all: self.check_all,
            },
            filter: self.patterns.filter()?,
            folders: self.dirs,
            permissions: self.perms,
            links: self.links,
            dry: self.dry,
            threads: self.threads,
            limit: u64::try_from(self.limit).ok(),
            most_failures: u64::try_from(self.max_failure).ok(),
            bytes_per_second: self.bwlimit.saturating_mul(MEGABIT_BYTES),
            now: SystemClock.now(),
        })
    }

    fn transport(&self) -> Transport {
        if self.no_https {
            Transport::Plain
        } else {
            Transport::Usual
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let options = arguments.options()?;
    let role = if arguments.dry {
        Role::DryDestination
    } else {
        Role::Destination
    };
    let ends = Ends::open(
        (&arguments.source, &arguments.destination),
        arguments.transport(),
        role,
        arguments.delete_src || arguments.delete_src_after,
    )
    .await?;
    let progress: Arc<Progress> = Arc::default();
    let shown = Shown::new(arguments.output, context.is_quiet());
    let work = Work {
        title: if arguments.dry { "Comparing" } else { "Copying" },
        unit: FILES,
    };
    let job = copy(ends.source(), ends.destination(), &options, &shown, &progress);
    let copied = context.watch(work, &progress, job).await;
    let closed = ends.close().await;
    let report = copied?;
    shown.summary(&report, arguments.dry)?;
    closed?;
    verdict(&report)
}

fn verdict(report: &Report) -> Result<()> {
    if report.failed == 0 {
        return Ok(());
    }
    let failed = FILES.count(report.failed);
    Err(Error::new(
        ErrorKind::Io,
        format!("{failed} could not be dealt with; each was named above"),
    )
    .with_advice("Mend what the messages say, then run the command again: it goes on with the rest."))
}
