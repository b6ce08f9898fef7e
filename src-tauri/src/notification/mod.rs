//! What a person is told of while no window shows it, as a pure function of what is heard of the agent and when. Knows no
//! Tauri and no system.

mod teller;
#[cfg(test)]
mod tests;
mod trouble;

pub(crate) use teller::Teller;

use moorage_control::problem::Problem;
use moorage_control::state::Reason;

use crate::page::Page;

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Data is lost.
    Lost,
    /// Volumes are not mounted, and trying again by itself does not help.
    Failed,
    /// Volumes lack a password or a setting.
    Incomplete,
    /// The store of passwords is locked.
    Locked,
    /// Files that exist only on this computer do not reach the store.
    Unreachable,
    /// Sync pairs ask before they remove much.
    Asks,
    /// What could not reach the store did.
    Stored,
}

/// One notification: all that is new of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notification {
    /// What it is about.
    pub(crate) kind: Kind,
    /// The volumes or folders that it is about; empty where it is about all together.
    pub(crate) names: Vec<String>,
    /// Why, of the first.
    pub(crate) detail: Detail,
    /// Where the window shows it.
    pub(crate) page: Page,
}

/// Why it is so, as the agent says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Detail {
    /// There is no more to say.
    Nothing,
    /// A sentence.
    Message(String),
    /// A failure.
    Problem(Problem),
    /// A reason.
    Reason(Reason),
}

/// A notification in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// One line.
    pub(crate) title: String,
    /// What more there is to know.
    pub(crate) body: String,
}
