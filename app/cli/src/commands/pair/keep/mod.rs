//! `moorage pair keep`: the process that the agent has for each pair. Its task and orders come on standard input, its reports
//! go to standard output, and it ends with its input.

mod folders;
mod rounds;
mod words;

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use async_trait::async_trait;
use clap::Args;
use moorage_control::sync::SyncAnswer;
use moorage_control::sync_work::{LONGEST_LINE, SyncOrder, SyncReport, SyncTask};
use moorage_model::{Error, ErrorKind, Result};
use moorage_sync::pair::{Consent, FolderWatcher, Outcome, Rounds, Schedule, Trigger, Wake, keep_in_sync};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use self::rounds::OpenedEachTime;
use crate::output::{self, OutputArguments};

/// Orders that wait for the end of a run; a person gives them.
const MOST_ORDERS: usize = 8;

/// Keep a pair in sync, for the agent
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Only print what a run would do
    #[arg(long)]
    preview: bool,

    /// Only print the folders that both sides have in this one
    #[arg(long, value_name = "FOLDER", conflicts_with = "preview")]
    folders: Option<String>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let mut input = std::io::stdin().lock();
    let Some(task) = read_line::<SyncTask>(&mut input)? else {
        return Ok(());
    };
    drop(input);
    let rounds = OpenedEachTime::new(task)?;
    if let Some(inside) = &arguments.folders {
        let folders = rounds.folders(inside)?;
        return output::print(OutputArguments { json: true }, &folders, |_| String::new());
    }
    if arguments.preview {
        let preview = rounds.preview().await?;
        return output::print(OutputArguments { json: true }, &preview, |_| String::new());
    }
    keep(rounds).await
}

async fn keep(rounds: OpenedEachTime) -> Result<()> {
    let (give, orders) = mpsc::channel(MOST_ORDERS);
    // A thread of its own: reading standard input can not be given up.
    let reading = move || {
        let mut input = std::io::stdin().lock();
        while let Ok(Some(order)) = read_line::<SyncOrder>(&mut input) {
            if give.blocking_send(order).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("orders".to_owned())
        .spawn(reading)
        .map_err(|error| Error::new(ErrorKind::Io, "a thread can not be started").with_source(error))?;
    let watcher = FolderWatcher::start(rounds.local_folder(), rounds.filter()).await;
    let watching = Arc::new(Mutex::new(watcher.is_watching()));
    let (end, mut ended) = mpsc::channel(1);
    let mut trigger = Listening {
        rounds: &rounds,
        watcher,
        watching: Arc::clone(&watching),
        orders,
        end,
    };
    let schedule = Schedule::default();
    let told = |outcome: &Result<Outcome>| {
        let pause = schedule.pause_after(outcome);
        say(&rounds.report(outcome, *watching.lock(), pause));
    };
    let telling = Telling(&rounds);
    tokio::select! {
        () = keep_in_sync(&telling, &mut trigger, schedule, told) => {}
        _ = ended.recv() => {}
    }
    Ok(())
}

/// Says when a round begins.
struct Telling<'r>(&'r OpenedEachTime);

#[async_trait]
impl Rounds for Telling<'_> {
    async fn round(&self, consent: Consent) -> Result<Outcome> {
        say(&SyncReport::Running);
        self.0.round(consent).await
    }
}

/// Changes of the local folder, and orders.
struct Listening<'r> {
    rounds: &'r OpenedEachTime,
    watcher: FolderWatcher,
    watching: Arc<Mutex<bool>>,
    orders: mpsc::Receiver<SyncOrder>,
    /// Told when nobody gives orders any more.
    end: mpsc::Sender<()>,
}

#[async_trait]
impl Trigger for Listening<'_> {
    async fn wake(&mut self) -> Wake {
        let wake = tokio::select! {
            () = self.watcher.changed() => Wake::Changed,
            order = self.orders.recv() => match order {
                Some(SyncOrder::Run) => Wake::Asked(Consent::None),
                Some(SyncOrder::Answer { answer: SyncAnswer::Keep }) => Wake::Asked(Consent::Keep),
                Some(SyncOrder::Answer { answer: SyncAnswer::Remove { files } }) => {
                    Wake::Asked(Consent::Removals(files))
                }
                Some(SyncOrder::Resolve { conflict, keep }) => {
                    self.rounds.resolve_first(conflict, keep);
                    // The version that does not stay was agreed to.
                    Wake::Asked(Consent::Removals(1))
                }
                None => {
                    let _told = self.end.try_send(());
                    std::future::pending().await
                }
            },
        };
        *self.watching.lock() = self.watcher.is_watching();
        wake
    }
}

/// Prints a report. Nobody hears it when the agent is gone; then the input ends, too.
fn say(report: &SyncReport) {
    use std::io::Write as _;
    let Ok(line) = serde_json::to_string(report) else {
        return;
    };
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        tracing::debug!("a report is not heard: {error}");
    }
}

/// The next line; none at the end.
///
/// # Errors
/// `InvalidArgument` for one that can not be understood.
fn read_line<T: DeserializeOwned>(input: &mut impl BufRead) -> Result<Option<T>> {
    let wrong = || {
        Error::new(
            ErrorKind::InvalidArgument,
            "standard input holds no line of the agent's",
        )
    };
    let mut line = Vec::new();
    input
        .take(LONGEST_LINE as u64)
        .read_until(b'\n', &mut line)
        .map_err(|error| wrong().with_source(error))?;
    if line.is_empty() {
        return Ok(None);
    }
    let line = serde_json::from_slice(&line).map_err(|error| wrong().with_source(error))?;
    Ok(Some(line))
}
