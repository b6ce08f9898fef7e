//! `moorage agent`

mod pause;
mod secrets;
mod settings;
mod transfers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use moorage_agent::Options;
use moorage_control::message::AgentStatus;
use moorage_control::settings::Pause;
use moorage_control::{pause_file, socket, stopped_file};
use moorage_host::{Folders, LoginItem, ProcessIdentity};
use moorage_model::{Error, ErrorKind, Result};

use crate::agent::{OwnMounts, connect, error_of, rule_in_words, truth_in_words};
use crate::context::Context;
use crate::interrupt::{Signals, until_signal};
use crate::mounting::{LogFile, host_error};
use crate::output::{self, OutputArguments};

/// Threads of the agent: it mostly waits.
const THREADS: usize = 2;
/// How long tasks may take to end when all is done.
const END_OF_TASKS: Duration = Duration::from_secs(1);
/// How often the size of the log is looked at.
const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// How long an agent may take to end after it said that it does.
const END_OF_AGENT: Duration = Duration::from_secs(10);
/// How often it is looked whether it has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Look after the volumes of this user in the background
///
/// It keeps a list of them, has each mounted by a process of its own, and brings back what crashes. One agent serves each
/// user; `moorage volume` talks to it. Its list is in `agent.json` in this user's configuration folder
/// and holds no password: those are in the keyring of the desktop, or where `moorage agent secrets` says. Ending the agent,
/// in whatever way, leaves mounted volumes mounted, and the next agent finds them again. Without a subcommand it runs.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run the agent here, until Ctrl-C or `moorage agent stop`
    ///
    /// Volumes that are to be mounted when the agent starts are mounted now.
    Run(RunArguments),
    /// Show how the agent is doing
    Status(Output),
    Pause(pause::Arguments),
    Resume(pause::ResumeArguments),
    Transfers(transfers::Arguments),
    Secrets(secrets::Arguments),
    Settings(settings::Arguments),
    /// End the agent; mounted volumes stay mounted
    Stop(Output),
}

#[derive(Args, Debug, Default)]
struct RunArguments {
    /// Write to the log that `moorage log` shows, instead of standard error
    #[arg(long)]
    log: bool,
}

#[derive(Args, Debug)]
struct Output {
    #[command(flatten)]
    output: OutputArguments,
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        match &self.action {
            None | Some(Action::Run(_)) => false,
            Some(Action::Status(arguments) | Action::Stop(arguments)) => arguments.output.json,
            Some(Action::Pause(arguments)) => arguments.output.json,
            Some(Action::Resume(arguments)) => arguments.output.json,
            Some(Action::Transfers(arguments)) => arguments.output.json,
            Some(Action::Secrets(arguments)) => arguments.output.json,
            Some(Action::Settings(arguments)) => arguments.output.json,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    match &arguments.action {
        None => serve(&RunArguments::default(), context),
        Some(Action::Run(arguments)) => serve(arguments, context),
        Some(Action::Status(arguments)) => until_signal(status(arguments.output)),
        Some(Action::Pause(arguments)) => until_signal(pause::pause(arguments, context)),
        Some(Action::Resume(arguments)) => until_signal(pause::resume(arguments, context)),
        Some(Action::Transfers(arguments)) => until_signal(transfers::run(arguments)),
        Some(Action::Secrets(arguments)) => until_signal(secrets::run(arguments)),
        Some(Action::Settings(arguments)) => until_signal(settings::run(arguments)),
        Some(Action::Stop(arguments)) => until_signal(stop(arguments.output, context)),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn serve(arguments: &RunArguments, context: &Context) -> Result<()> {
    let failed =
        |error: std::io::Error| Error::new(ErrorKind::Io, "the agent can not be started").with_source(error);
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let log = arguments.log.then(|| write_to_log(&folders)).transpose()?;
    let options = Options {
        socket: socket::path(&folders.runtime),
        lock: folders.state.join("agent.lock"),
        stopped: stopped_file::path(&folders.runtime),
        settings: folders.config.join("agent.json"),
        secrets: folders.data.join("secrets"),
        pairs: folders.state.join("pairs"),
        pause: pause_file::path(&folders.state),
        login: LoginItem::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?,
        program: std::env::current_exe().map_err(failed)?,
        home: folders.home.clone(),
        data: folders.data.clone(),
        product: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("moorage-agent")
        .enable_all()
        .build()
        .map_err(failed)?;
    let told = format!(
        "The agent serves at {}. Ctrl-C ends it; mounted volumes stay mounted.",
        options.socket.display()
    );
    let served = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(failed)?;
        let limiting = log.map(|log| tokio::spawn(keep_log_small(log)));
        let ready = |damaged: Option<&moorage_control::problem::Problem>| {
            if let Some(problem) = damaged {
                let cause = problem.cause.as_deref();
                tracing::warn!(cause, "{problem}. {}", problem.advice);
            }
            context.say(&told);
        };
        let served = moorage_agent::run(options, OwnMounts::new(folders), ready, signals.next()).await;
        if let Some(limiting) = limiting {
            limiting.abort();
        }
        served.map_err(error_of)
    });
    runtime.shutdown_timeout(END_OF_TASKS);
    served
}

/// From now on what this process says goes to the agent's log.
fn write_to_log(folders: &Folders) -> Result<LogFile> {
    let log = LogFile::of_agent(folders)?;
    moorage_host::redirect_errors(log.handle()?).map_err(|error| {
        Error::new(
            ErrorKind::Io,
            format!("writing to the log {}", log.path().display()),
        )
        .with_source(error)
    })?;
    // What starts at login says nothing in a window of its own.
    #[cfg(windows)]
    moorage_host::leave_own_console();
    Ok(log)
}

async fn keep_log_small(log: LogFile) {
    loop {
        tokio::time::sleep(LOG_INTERVAL).await;
        log.limit();
    }
}

async fn status(output: OutputArguments) -> Result<()> {
    let client = connect().await?;
    let status = client.status().await.map_err(error_of)?;
    output::print(output, &status, shown)
}

fn shown(status: &AgentStatus) -> String {
    let mut text = output::fields(&[
        ("version", status.product.clone()),
        ("process", status.pid.to_string()),
        ("files", truth_in_words(&status.truth)),
        ("transfers", transfers_in_words(status)),
    ]);
    for notice in &status.notices {
        let cause = notice.cause.as_ref().map(|cause| format!(": {cause}"));
        let notice = format!("{notice}{}. {}", cause.unwrap_or_default(), notice.advice);
        text.push_str(&format!("notice: {}\n", output::plain(&notice)));
    }
    text
}

fn transfers_in_words(status: &AgentStatus) -> String {
    match status.held {
        Some(rule) if status.pause == Pause::Running => format!("held: {}", rule_in_words(rule)),
        _ => pause::in_words(status.pause),
    }
}

/// Returns when the agent is gone, so that another one can be started at once.
async fn stop(output: OutputArguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let status = client.status().await.map_err(error_of)?;
    let process = ProcessIdentity::of(status.pid);
    client.stop().await.map_err(error_of)?;
    client.closed().await;
    let told = Instant::now();
    while process.is_some_and(ProcessIdentity::is_running) {
        if told.elapsed() >= END_OF_AGENT {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "the agent (process {}) was told to end and still runs",
                    status.pid
                ),
            )
            .with_advice("End this process; mounted volumes stay mounted."));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    if output.json {
        return output::print(output, &status, shown);
    }
    context.say("The agent has ended. Mounted volumes stay mounted.");
    Ok(())
}
