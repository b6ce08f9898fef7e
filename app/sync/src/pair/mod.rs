//! Pairs of folders that are kept the same, or one like the other.
//!
//! [`Pair`] keeps in a database, for each path, the state in which both sides had the same content last. From that alone
//! it is known what changed where ([`decide`]), so that clocks are never compared. Nothing is written down about work
//! under way: a round that is cut off anywhere is followed by one that looks at both sides anew, finds equal contents
//! equal, and goes on.
//!
//! No edit is lost: a name is replaced or removed only in the very state that was looked at, and where both sides were
//! changed, one version gets another name.

mod apply;
mod conflict;
mod decide;
mod folder_watcher;
mod guard;
mod ignore;
mod resolve;
mod round;
mod scan;
mod schema;
mod settling;
mod state;
mod watch;

pub use conflict::{Conflict, HostName};
pub use decide::{Change, End, Mode, Step, decide};
pub use folder_watcher::FolderWatcher;
pub use guard::{Consent, DeletionGuard};
pub use ignore::IGNORED;
pub use resolve::Keep;
pub use round::{Outcome, Pair, PairObserver, PairOptions, Preview, RoundReport};
pub use state::State;
pub use watch::{Rounds, Schedule, Trigger, Wake, keep_in_sync};
