//! What was heard of the agent last.

use moorage_control::message::AgentStatus;
use moorage_control::problem::Problem;
use moorage_control::settings::Settings;
use moorage_control::sync::SyncPair;
use moorage_control::transfer::Transfer;
use moorage_control::volume::Volume;

/// What is known now. Nothing that was heard before a connection broke is kept: it may not be so any more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    /// No agent is heard.
    Silent {
        /// Why not; absent before the first attempt.
        problem: Option<Problem>,
    },
    /// A person ended the agent; it is not started again before a person wants it.
    Stopped,
    /// The agent answers.
    Heard(Box<Heard>),
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    /// Of itself and of all volumes together.
    pub(crate) status: AgentStatus,
    /// Of each volume, in the person's order.
    pub(crate) volumes: Vec<Volume>,
    /// Of what is on its way.
    pub(crate) transfers: Transfers,
    /// Of each sync pair; none where this agent keeps none.
    pub(crate) pairs: Vec<SyncPair>,
    /// What the person chose.
    pub(crate) settings: Settings,
    /// The agent said that it can not pause.
    pub(crate) pause_refused: bool,
    /// Why the last thing that was asked for from the tray was not done.
    pub(crate) failure: Option<Problem>,
}

/// What is on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Transfers {
    /// The newest first.
    Known(Vec<Transfer>),
    /// This agent does not know single transfers.
    NotOffered,
}
