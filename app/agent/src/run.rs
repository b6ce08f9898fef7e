//! The agent from its start to its end.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_control::message::Hello;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::server::serve;
use moorage_control::socket::Listener;
use moorage_control::stopped_file;
use moorage_control::version::ProtocolVersion;
use moorage_host::{Folders, LoginItem};

use crate::agent::Agent;
use crate::claim::Claim;
use crate::host_events::follow_host;
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::pause;
use crate::reading::read_on;
use crate::secret_keeping::keep_secrets;
use crate::service::Desk;
use crate::settings_file::SettingsFile;
use crate::surroundings::look_around;
use crate::trouble::lasting;
use crate::watch::watch;

const UNREACHABLE_ADVICE: &str = if cfg!(windows) {
    "Log out and in again, which ends every program that has a hold on its pipe."
} else {
    "Check the folder that XDG_RUNTIME_DIR names: it has to be this user's, with a path of less than 90 bytes."
};

/// Where the agent has what.
#[derive(Clone, Debug)]
pub struct Options {
    /// The socket for its clients, in a folder of this user alone.
    pub socket: PathBuf,
    /// The lock that only one agent of the user has.
    pub lock: PathBuf,
    /// The mark that a person ended the agent.
    pub stopped: PathBuf,
    /// The settings file.
    pub settings: PathBuf,
    /// Folder for stores of secrets that are files.
    pub secrets: PathBuf,
    /// Folder for what sync pairs know of both sides.
    pub pairs: PathBuf,
    /// Where the pause is kept for mounts that begin later.
    pub pause: PathBuf,
    /// What starts by itself at login.
    pub login: LoginItem,
    /// The program that mounts and makes volumes: `moorage`.
    pub program: PathBuf,
    /// This user's home, for a mount point that nobody chose.
    pub home: PathBuf,
    /// Folder for volumes made without a place of their own.
    pub data: PathBuf,
    /// Version of the product.
    pub product: String,
}

/// Runs the agent until `stop`, or until a client asks it to end. Mounted volumes stay mounted. `ready` is called once
/// clients can connect, with what a person should know.
///
/// # Errors
/// When another agent of the user runs, its settings can not be read, or nobody could connect to it.
pub async fn run<T: MountTable>(
    options: Options,
    table: T,
    ready: impl FnOnce(Option<&Problem>),
    stop: impl Future<Output = ()>,
) -> Result<(), Problem> {
    let claim = Claim::take(&options.lock)?;
    let loaded = SettingsFile::load(&options.settings, Moment::now())?;
    if let Err(error) = stopped_file::clear(&options.stopped) {
        // What it keeps from being started runs now; it matters when this one ends by itself.
        tracing::warn!(%error, "the mark that the agent was ended stays: {}", options.stopped.display());
    }
    let listener = Listener::bind(&options.socket).map_err(|error| {
        lasting(
            ProblemCode::PermissionDenied,
            format!("the agent can not be reached: {error}"),
            UNREACHABLE_ADVICE,
        )
    })?;
    ready(loaded.damaged.as_ref());
    let hello = Hello {
        protocol: ProtocolVersion::CURRENT,
        product: options.product.clone(),
    };
    let mut notices: Vec<Problem> = loaded.damaged.into_iter().collect();
    let pause = pause::at_start(&options.pause, &mut notices);
    let stopped = options.stopped.clone();
    let agent = Arc::new(Agent::new(
        table,
        options,
        loaded.file,
        loaded.content,
        pause,
        notices,
    ));
    let mut told = agent.stop.subscribe();
    let asked = async move {
        // The sender lives as long as the agent.
        let _ended = told.wait_for(|stop| *stop).await;
    };
    let stop = async {
        tokio::select! {
            () = stop => {}
            () = asked => {}
        }
        // Before clients are sent away: who finds nobody to connect to looks for the mark.
        leave_mark(&stopped);
    };
    let watching = tokio::spawn(watch(Arc::clone(&agent)));
    let reading = tokio::spawn(read_on(Arc::clone(&agent)));
    let keeping = tokio::spawn(keep_secrets(Arc::clone(&agent)));
    let looking = tokio::spawn(look_around(Arc::clone(&agent)));
    let following = tokio::spawn(follow_host(Arc::clone(&agent)));
    serve(listener, Arc::new(Desk(agent)), hello, stop).await;
    watching.abort();
    reading.abort();
    keeping.abort();
    looking.abort();
    following.abort();
    drop(claim);
    Ok(())
}

/// Whoever ends the agent in order means it to stay ended, be it with a command, a key, or a service manager.
fn leave_mark(path: &Path) {
    let folder = path.parent().map_or(Ok(()), |folder| {
        Folders::make_private(folder).map_err(|error| error.to_string())
    });
    let left = folder.and_then(|()| stopped_file::set(path).map_err(|error| error.to_string()));
    if let Err(error) = left {
        tracing::warn!(
            error,
            "that the agent was ended can not be noted; a tray may start it again"
        );
    }
}
