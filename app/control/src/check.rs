//! The test of a connection, and that of this computer, as a checklist.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The list, in the order in which the lines are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Checklist {
    /// One line for each step.
    pub lines: Vec<CheckLine>,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckLine {
    /// What is tried.
    pub step: CheckStep,
    /// What came of it.
    pub outcome: CheckOutcome,
    /// How long it took, in milliseconds; absent when it was not tried.
    pub elapsed: Option<u64>,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CheckStep {
    /// The name of the store's host is found.
    Dns,
    /// Its port answers.
    Tcp,
    /// Its certificate is good.
    Tls,
    /// It takes the credentials.
    Authentication,
    /// A small object is written.
    Put,
    /// It is read back, and is the same.
    Get,
    /// It is listed.
    List,
    /// It is deleted.
    Delete,
    /// The clocks differ by little.
    ClockSkew,
    /// A small request is answered soon.
    Latency,
    /// The metadata database answers.
    MetadataPing,
    /// The place for a new volume is empty.
    PrefixEmpty,
    /// This user can mount.
    Driver,
    /// The folders of Moorage can be written.
    Folders,
    /// Their disks have space.
    DiskSpace,
    /// The agent answers.
    Agent,
    /// Passwords can be kept and read.
    SecretStore,
    /// A volume is made for trial.
    TrialVolume,
    /// It is mounted, written and read.
    TrialMount,
    /// It is unmounted, and whole.
    TrialCheck,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Good.
    Passed,
    /// Good enough, with a warning.
    Warned {
        /// What to know.
        problem: Problem,
    },
    /// Not good.
    Failed {
        /// The cause and the fix.
        problem: Problem,
    },
    /// Not tried: it does not apply, or a step before it failed.
    Skipped,
}
