//! One round of a contest: both clients at the same moment, and what came of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use anyhow::{Context as _, Result, bail};
use moorage_servers::Kind;

use super::step::Step;

/// `EIO`, with which the peer answers a loser that it did not foresee (spec 40-sql section 7).
const EIO: i32 = 5;

/// Two steps that are taken at the same moment, each by another client.
pub(super) struct Contest {
    pub(super) claim: &'static str,
    pub(super) before: &'static [Step],
    pub(super) steps: [Step; 2],
    /// Engines on which the peer would break the claim as the one who takes the first step, whatever others do.
    pub(super) peer_never_first: &'static [Kind],
    /// How it may end.
    pub(super) ends: &'static [End],
}

/// An end: of the first step, of the second, and what the folder of the round holds then.
pub(super) struct End(
    pub(super) Result<(), ErrorKind>,
    pub(super) Result<(), ErrorKind>,
    pub(super) &'static [&'static str],
);

/// Where the two clients see the folder of the contest.
pub(super) struct Sides {
    pub(super) here: PathBuf,
    pub(super) there: PathBuf,
    /// Whether the second client is not Moorage.
    pub(super) peer: bool,
    pub(super) kind: Kind,
}

/// A client's view of the folder of the round.
struct Client {
    folder: PathBuf,
    peer: bool,
}

impl Contest {
    /// Runs one round in a folder of its own; the clients change places from round to round.
    pub(super) fn round(&self, sides: &Sides, round: u64) -> Result<()> {
        let name = round.to_string();
        let client = |folder: &Path, peer| Client {
            folder: folder.join(&name),
            peer,
        };
        let mut clients = [client(&sides.here, false), client(&sides.there, sides.peer)];
        let [here, _] = &clients;
        fs::create_dir(&here.folder)?;
        for step in self.before {
            step.take(&here.folder).with_context(|| format!("{step:?}"))?;
        }
        // The kernel knows the names, so that each step is one request.
        for client in &clients {
            fs::symlink_metadata(&client.folder).with_context(|| client.folder.display().to_string())?;
            for name in self.before.iter().filter_map(|step| step.made()) {
                fs::symlink_metadata(client.folder.join(name)).with_context(|| name)?;
            }
        }
        if round % 2 == 1 && !(sides.peer && self.peer_never_first.contains(&sides.kind)) {
            clients.reverse();
        }
        let ended = at_once(self.steps, &clients);
        let left = names(&clients[0].folder)?;
        let seen = names(&clients[1].folder)?;
        if left != seen {
            bail!("one client sees {left:?}, the other {seen:?}");
        }
        let happened = |end: &End| {
            is(&ended[0], end.0, &clients[0])
                && is(&ended[1], end.1, &clients[1])
                && left.iter().map(String::as_str).eq(end.2.iter().copied())
        };
        if self.ends.iter().any(happened) {
            Ok(())
        } else {
            let order = if clients[0].peer {
                "the peer first"
            } else if clients[1].peer {
                "the peer second"
            } else {
                "Moorage alone"
            };
            bail!(
                "{:?} ended with {ended:?} and left {left:?} ({order})",
                self.steps
            )
        }
    }
}

/// Takes both steps at the same moment.
fn at_once([first, second]: [Step; 2], [here, there]: &[Client; 2]) -> [io::Result<()>; 2] {
    let barrier = Barrier::new(2);
    let take = |step: Step, client: &Client| {
        barrier.wait();
        step.take(&client.folder)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| take(second, there));
        let own = take(first, here);
        let panicked = |_| Err(io::Error::other("a thread panicked"));
        [own, other.join().unwrap_or_else(panicked)]
    })
}

/// Whether a step ended in this way.
fn is(ended: &io::Result<()>, end: Result<(), ErrorKind>, client: &Client) -> bool {
    match (ended, end) {
        (Ok(()), Ok(())) => true,
        (Err(error), Err(kind)) => error.kind() == kind || (client.peer && error.raw_os_error() == Some(EIO)),
        _ => false,
    }
}

/// What is below a folder, as listed.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let inner = names(&entry.path())?;
            found.extend(inner.iter().map(|inner| format!("{name}/{inner}")));
        }
        found.insert(name);
    }
    Ok(found)
}
