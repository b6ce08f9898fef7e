//! What the two sides say to each other.

use serde::{Deserialize, Serialize};

use crate::check::Checklist;
use crate::files::FilePage;
use crate::health::{HealthWork, VolumeHealth};
use crate::log::LogEnd;
use crate::options::{VolumeLimits, VolumeOptions};
use crate::problem::Problem;
use crate::secret::{Secret, VolumeSecrets};
use crate::session::VolumeSession;
use crate::settings::{HoldRule, Pause, SecretStore, SecretStoreStatus, Settings, Surroundings};
use crate::sync::{
    SyncAnswer, SyncConflict, SyncFolders, SyncKeep, SyncPair, SyncPairId, SyncPairSettings, SyncPreview,
};
use crate::transfer::{Transfer, TransferId};
use crate::trash::{TrashFolder, TrashHours, TrashJob, TrashPage, TrashPlace, TrashWork};
use crate::truth::Truth;
use crate::version::ProtocolVersion;
use crate::volume::{AddVolume, Volume, VolumeId, VolumeSettings};
use crate::volume_file::VolumeFile;

/// The number of a request, chosen by the client; unique among those that wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct RequestId(pub u64);

/// A number that grows with every change at the agent; it starts anew with the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Revision(pub u64);

/// The first message of each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hello {
    /// What the side speaks.
    pub protocol: ProtocolVersion,
    /// The version of the product, for a person.
    pub product: String,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ClientMessage {
    /// First, and once.
    Hello(Hello),
    /// A request, answered by one [`AgentMessage::Answer`] of the same number.
    Ask {
        /// Its number.
        id: RequestId,
        /// What is asked.
        request: Box<Request>,
    },
}

/// What the agent sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum AgentMessage {
    /// First, and once.
    Hello(Hello),
    /// The connection is refused and ends.
    Refused {
        /// Why.
        problem: Problem,
    },
    /// The answer to a request.
    Answer {
        /// The number of the request.
        id: RequestId,
        /// What came of it.
        answer: Answer,
    },
    /// Something changed.
    Changed(Changed),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done {
        /// The result.
        response: Response,
    },
    /// It was not.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// Changes since the last event, at most [`CHANGES_PER_SECOND`]. A client that misses a revision asks for everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Changed {
    /// The revision now.
    pub revision: Revision,
    /// The revision of the event before.
    pub previous: Revision,
    /// What to ask for again.
    pub topics: Vec<Topic>,
}

/// How many events of change are sent in a second at most: more than an eye follows, less than a web view feels.
pub const CHANGES_PER_SECOND: u32 = 4;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "topic", rename_all = "snake_case")]
pub enum Topic {
    /// The list of volumes, or too many of them to name.
    Volumes,
    /// One volume.
    Volume {
        /// Which.
        id: VolumeId,
    },
    /// Checks of one volume, or what was freed of it.
    VolumeHealth {
        /// Which.
        id: VolumeId,
    },
    /// Work on the trash of one volume.
    VolumeTrash {
        /// Which.
        id: VolumeId,
    },
    /// Transfers.
    Transfers,
    /// Sync pairs.
    SyncPairs,
    /// Settings, or the store of secrets.
    Settings,
    /// The pause.
    Pause,
    /// Anything newer than this client: ask for everything.
    #[serde(other)]
    Other,
}

/// What a client asks for. The comment names the response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// How the agent is doing: `agent`.
    AgentStatus,
    /// Ends the agent; mounted volumes stay mounted: `done`.
    AgentStop,
    /// From now on changes are told: `subscribed`.
    Subscribe,
    /// All volumes: `volumes`.
    Volumes,
    /// One volume: `volume`.
    Volume {
        /// Which.
        id: VolumeId,
    },
    /// Adds one: `volume`.
    VolumeAdd {
        /// How.
        volume: AddVolume,
    },
    /// What somebody else needs to join one, without a secret: `volume_file`.
    VolumeExport {
        /// Which.
        id: VolumeId,
    },
    /// What the text of a volume file says; nothing is added: `volume_file`.
    VolumeFileRead {
        /// The text, of at most [`LONGEST`](crate::volume_file::LONGEST) bytes.
        text: String,
    },
    /// Changes how one is mounted, from its next mount on: `volume`.
    VolumeChange {
        /// Which.
        id: VolumeId,
        /// The new settings.
        settings: VolumeSettings,
    },
    /// Gives what a volume needs and does not hold itself, for the mounts that follow: `done`.
    VolumeSecrets {
        /// Which.
        id: VolumeId,
        /// All of them: what is absent here is not known any more.
        secrets: VolumeSecrets,
    },
    /// Takes one off the list; its data stays: `done`.
    VolumeRemove {
        /// Which.
        id: VolumeId,
    },
    /// Mounts one: `volume`, as soon as it connects.
    VolumeMount {
        /// Which.
        id: VolumeId,
    },
    /// Unmounts one: `volume`, as soon as it is under way.
    VolumeUnmount {
        /// Which.
        id: VolumeId,
        /// Takes it away from those who hold it.
        lazy: bool,
    },
    /// The hours of the trash of a volume: `trash_hours`.
    TrashHours {
        /// Which.
        id: VolumeId,
    },
    /// A page of what lies in the trash of a volume, the newest hour first: `trash_page`.
    TrashList {
        /// Which.
        id: VolumeId,
        /// Only what was removed from inside this folder.
        inside: Option<TrashFolder>,
        /// Where the page begins; absent is the beginning.
        from: Option<TrashPlace>,
    },
    /// How work on the trash of a volume goes, or went: `trash_job`.
    TrashJob {
        /// Which.
        id: VolumeId,
    },
    /// Begins such work: `trash_job`, as soon as it has begun. It goes on without the client.
    TrashStart {
        /// Which.
        id: VolumeId,
        /// What.
        work: TrashWork,
    },
    /// Ends the work that is under way; what was done stays done: `trash_job`, as soon as it is told to.
    TrashCancel {
        /// Which.
        id: VolumeId,
    },
    /// Who uses a volume: `volume_sessions`.
    VolumeSessions {
        /// Which.
        id: VolumeId,
    },
    /// The options of a volume itself: `volume_options`.
    VolumeOptions {
        /// Which.
        id: VolumeId,
    },
    /// Changes options of a volume itself, for all computers: `volume_options`.
    VolumeOptionsChange {
        /// Which.
        id: VolumeId,
        /// As the person saw them: what is not changed from here stays as it is by now.
        before: VolumeLimits,
        /// As they are to be.
        limits: VolumeLimits,
    },
    /// How checks of a volume went, and freeing what it takes for nothing: `volume_health`.
    VolumeHealth {
        /// Which.
        id: VolumeId,
    },
    /// Begins such work: `volume_health`, as soon as it has begun. It goes on without the client.
    VolumeHealthStart {
        /// Which.
        id: VolumeId,
        /// What.
        work: HealthWork,
    },
    /// Ends the work that is under way; what was done stays done: `volume_health`, as soon as it is told to.
    VolumeHealthCancel {
        /// Which.
        id: VolumeId,
    },
    /// Tries what a volume would need, without adding it: `checklist`.
    ConnectionTest {
        /// What would be added.
        volume: AddVolume,
    },
    /// Tries what this computer has to offer: `checklist`.
    SelfTest,
    /// The end of the log of a volume's mount, or of the agent: `log`.
    Log {
        /// Which volume; absent is the agent.
        volume: Option<VolumeId>,
        /// How many lines at most, and at most [`MOST_LINES`](crate::log::MOST_LINES).
        lines: u32,
    },
    /// A page of a folder of a mounted volume: `files`.
    Files {
        /// Which volume.
        id: VolumeId,
        /// The folder, from the root of the mount, without a slash in front; empty for the root.
        folder: String,
        /// Where the page begins, as the page before said; absent for the first one.
        after: Option<String>,
    },
    /// Keeps a file or folder on this computer, or no longer: `done`.
    FilePin {
        /// Which volume.
        id: VolumeId,
        /// The path, from the root of the mount, without a slash in front; empty for everything.
        path: String,
        /// Whether it is kept.
        pinned: bool,
    },
    /// Running, waiting, failed and recent transfers: `transfers`.
    Transfers,
    /// Tries a failed one again: `done`.
    TransferRetry {
        /// Which.
        id: TransferId,
    },
    /// Gives one up: `done`.
    TransferCancel {
        /// Which.
        id: TransferId,
    },
    /// All sync pairs: `sync_pairs`.
    SyncPairs,
    /// Adds one: `sync_pair`.
    SyncPairAdd {
        /// How.
        settings: SyncPairSettings,
    },
    /// Changes what is left alone by one, and its mode: `sync_pair`.
    SyncPairChange {
        /// Which.
        id: SyncPairId,
        /// The new settings, with the folders as they were.
        settings: SyncPairSettings,
    },
    /// Takes one off the list; both folders stay as they are: `done`.
    SyncPairRemove {
        /// Which.
        id: SyncPairId,
    },
    /// Holds one, or lets it go on: `sync_pair`.
    SyncPairPause {
        /// Which.
        id: SyncPairId,
        /// Whether it is held.
        paused: bool,
    },
    /// Runs one now: `sync_pair`, as soon as it is told to.
    SyncPairRun {
        /// Which.
        id: SyncPairId,
    },
    /// What a run would do; nothing is changed: `sync_preview`.
    SyncPairPreview {
        /// Which, when it is in the list.
        id: Option<SyncPairId>,
        /// How it is, or would be.
        settings: SyncPairSettings,
    },
    /// Answers what one asks: `sync_pair`, as soon as it is told.
    SyncPairAnswer {
        /// Which.
        id: SyncPairId,
        /// What the person says.
        answer: SyncAnswer,
    },
    /// Settles a conflict of one: `sync_pair`, as soon as it is told to.
    SyncPairResolve {
        /// Which pair.
        id: SyncPairId,
        /// Which conflict, as it was told.
        conflict: SyncConflict,
        /// What stays.
        keep: SyncKeep,
    },
    /// The folders of one in a folder, of those that take part and those that are left out: `sync_folders`.
    SyncPairFolders {
        /// How it is, or would be.
        settings: SyncPairSettings,
        /// The folder, from the roots of both sides; the empty text is these.
        inside: String,
    },
    /// The settings: `settings`.
    Settings,
    /// Replaces the settings, all but the store of secrets: `settings`.
    SettingsChange {
        /// The new ones.
        settings: Settings,
    },
    /// Opens the store of secrets, by asking the person where it is the keyring: `settings`, after a few seconds at most.
    SecretStoreUnlock {
        /// For a store that has one of its own.
        passphrase: Option<Secret>,
    },
    /// Keeps all secrets in another store: `settings`.
    SecretStoreChoose {
        /// Which.
        store: SecretStore,
        /// For a store that has one of its own.
        passphrase: Option<Secret>,
        /// Leaves those behind that the store in use does not give; else that is a failure, and nothing is changed.
        forget: bool,
    },
    /// Holds uploads, and downloads that nobody waits for: `pause`.
    Pause {
        /// For so many seconds; absent is until resumed.
        seconds: Option<u64>,
    },
    /// Ends the pause: `pause`.
    Resume,
    /// Anything newer than this agent; it refuses that as `not_supported`, and the connection stays.
    #[serde(other)]
    Other,
}

/// What a client gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "response", rename_all = "snake_case")]
pub enum Response {
    /// It was done, and there is nothing to say.
    Done,
    /// The agent.
    Agent {
        /// How it is doing.
        status: AgentStatus,
    },
    /// Changes are told after this revision.
    Subscribed {
        /// The revision now.
        revision: Revision,
    },
    /// All volumes.
    Volumes {
        /// In the person's order.
        volumes: Vec<Volume>,
    },
    /// One volume.
    Volume {
        /// The volume.
        volume: Box<Volume>,
    },
    /// A volume as a file.
    VolumeFile {
        /// What it says.
        file: Box<VolumeFile>,
        /// Its text.
        text: String,
    },
    /// The checklist of a connection.
    Checklist {
        /// The list.
        checklist: Checklist,
    },
    /// The end of a log.
    Log {
        /// What it says.
        log: LogEnd,
    },
    /// Who uses a volume.
    VolumeSessions {
        /// In the order in which they began.
        sessions: Vec<VolumeSession>,
    },
    /// The options of a volume.
    VolumeOptions {
        /// The options.
        options: Box<VolumeOptions>,
    },
    /// The hours of a trash.
    TrashHours {
        /// The hours.
        hours: TrashHours,
    },
    /// What lies in a trash.
    TrashPage {
        /// One page of it.
        page: TrashPage,
    },
    /// Work on a trash.
    TrashJob {
        /// What is under way, or ended last since the agent started.
        job: Option<Box<TrashJob>>,
    },
    /// A page of a folder.
    Files {
        /// The page.
        page: FilePage,
    },
    /// Checks of a volume, and what was freed.
    VolumeHealth {
        /// How they went.
        health: Box<VolumeHealth>,
    },
    /// Transfers.
    Transfers {
        /// The newest first.
        transfers: Vec<Transfer>,
    },
    /// All sync pairs.
    SyncPairs {
        /// In the order in which they were added.
        pairs: Vec<SyncPair>,
    },
    /// One sync pair.
    SyncPair {
        /// The pair.
        pair: Box<SyncPair>,
    },
    /// What a run of a sync pair would do.
    SyncPreview {
        /// That.
        preview: SyncPreview,
    },
    /// Folders of a sync pair.
    SyncFolders {
        /// The folders.
        folders: SyncFolders,
    },
    /// The settings.
    Settings {
        /// The settings.
        settings: Settings,
        /// The store of secrets in use.
        secret_store: SecretStoreStatus,
    },
    /// The pause.
    Pause {
        /// Whether and how long.
        pause: Pause,
    },
}

/// How the agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AgentStatus {
    /// The version of the product.
    pub product: String,
    /// The number of its process.
    pub pid: u32,
    /// The revision now.
    pub revision: Revision,
    /// The sentence of truth over all volumes.
    pub truth: Truth,
    /// The pause.
    pub pause: Pause,
    /// The rule that holds transfers beside the pause.
    #[serde(default)]
    pub held: Option<HoldRule>,
    /// What the rules go by; looked at while one is chosen, or somebody follows the changes.
    #[serde(default)]
    pub surroundings: Surroundings,
    /// What a person should know, as settings that were damaged and set aside.
    pub notices: Vec<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_a_later_version_is_one_that_can_be_refused() {
        let text = r#"{"message":"ask","id":7,"request":{"request":"later","with":{"more":[1]}}}"#;
        let expected = ClientMessage::Ask {
            id: RequestId(7),
            request: Box::new(Request::Other),
        };
        assert_eq!(
            serde_json::from_str::<ClientMessage>(text).expect("read"),
            expected
        );
    }
}
