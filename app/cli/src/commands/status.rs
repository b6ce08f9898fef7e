//! `moorage status`

use std::sync::Arc;

use clap::Args;
use moorage_host::Folders;
use moorage_meta::admin::{PendingStatus, Progress, SessionDetail, SessionStatus, VolumeStatus};
use moorage_meta::{Meta, StatFs};
use moorage_model::{Result, SessionId, SessionInfo, Setting};
use serde::Serialize;
use serde_json::{Value, json};

use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::context::Context;
use crate::mounting::MountRecord;
use crate::noun::{RANGES, RECORDS, agree};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::staged::{Left, LostHere};
use crate::{size, staged, volume};

/// Show a volume, who uses it and how full it is
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) database: MetaUrlArgument,

    /// Show what this session holds: locks, and files that were deleted while it has them open
    #[arg(short, long, value_name = "ID", conflicts_with = "more")]
    session: Option<u64>,

    /// Count also what is in the trash or waits to be deleted for good; takes a scan
    #[arg(short, long)]
    more: bool,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    setting: Setting,
    sessions: Vec<Session>,
    statistic: Statistic,
    durability: &'static str,
    /// Of mounts on this computer that have ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_staged: Vec<Left>,
    /// By running mounts on this computer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost_staged: Vec<LostHere>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Session {
    sid: u64,
    expire: i64,
    expired: bool,
    /// On this computer, by its name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    here: bool,
    /// Of a process on this computer that has ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dead: bool,
    /// The record of the session can not be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    damaged: bool,
    /// Of a mount on this computer whose supervisor is gone: after a crash it does not come back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unsupervised: bool,
    #[serde(flatten)]
    info: SessionInfo,
    /// Of a mount on this computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    staged_blocks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staged_bytes: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statistic {
    used_space: u64,
    available_space: u64,
    used_inodes: u64,
    available_inodes: u64,
    #[serde(flatten)]
    pending: Option<Pending>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pending {
    trash_file_count: u64,
    trash_file_size: u64,
    pending_deleted_file_count: u64,
    pending_deleted_file_size: u64,
    trash_slice_count: u64,
    trash_slice_size: u64,
    pending_deleted_slice_count: u64,
    pending_deleted_slice_size: u64,
    /// Records that can not be read and are missing from the numbers.
    #[serde(skip_serializing_if = "is_zero")]
    damaged_records: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    let meta = volume::open_to_look(&arguments.database.url).await?;
    if let Some(id) = arguments.session {
        let detail = meta.session_detail(SessionId(id)).await?;
        return output::print(arguments.output, &detail_json(&detail), |_| detail_text(&detail));
    }
    let status = meta.volume_status().await?;
    let pending = if arguments.more {
        Some(count_pending(&meta, context).await?)
    } else {
        None
    };
    let status = Status::new(status, pending, durability(&meta)).await;
    output::print(arguments.output, &status, Status::text)
}

async fn count_pending(meta: &Meta, context: &Context) -> Result<PendingStatus> {
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Counting",
        unit: RECORDS,
    };
    context.watch(work, &counts, meta.pending_status(&counts)).await
}

/// What an acknowledged change of the namespace survives.
fn durability(meta: &Meta) -> &'static str {
    match meta.engine().durability() {
        moorage_meta::Durability::Process => "changes end with the process",
        moorage_meta::Durability::AfterBarrier => {
            "changes survive a killed process at once, a power cut after fsync or within seconds"
        }
        moorage_meta::Durability::Server => "changes survive what the database server is configured for",
    }
}

impl Status {
    async fn new(status: VolumeStatus, pending: Option<PendingStatus>, durability: &'static str) -> Status {
        // First: a mount looks whether what it has staged is there when it is asked.
        let lost_staged = staged::lost_here(&status.setting.uuid).await;
        let mut sessions = Vec::new();
        for session in status.sessions {
            sessions.push(Session::new(session).await);
        }
        Status {
            lost_staged,
            left_staged: staged::left_here(&status.setting.uuid),
            setting: status.setting,
            sessions,
            statistic: Statistic::new(status.usage, pending),
            durability,
        }
    }

    fn text(&self) -> String {
        let setting = &self.setting;
        let usage = &self.statistic;
        let mut fields = vec![
            ("Volume", format!("{} ({})", setting.name, setting.uuid)),
            ("Objects", format!("{} {}", setting.storage, setting.bucket)),
            (
                "Space",
                format!(
                    "{} used, {}",
                    size::show(usage.used_space),
                    free(&size::show(usage.available_space), setting.capacity)
                ),
            ),
            (
                "Files",
                format!(
                    "{} used, {}",
                    usage.used_inodes,
                    free(&usage.available_inodes.to_string(), setting.inodes)
                ),
            ),
            ("Durability", self.durability.to_owned()),
        ];
        if let Some(pending) = &usage.pending {
            fields.extend(pending.fields());
        }
        let mut text = output::fields(&fields);
        if self.sessions.is_empty() {
            text.push_str("\nNobody uses it now.\n");
            self.tell_left(&mut text);
            return text;
        }
        let rows: Vec<Vec<String>> = self.sessions.iter().map(Session::row).collect();
        text.push('\n');
        text.push_str(&output::table(
            &[
                "session",
                "host",
                "mount point",
                "version",
                "process",
                "since",
                "state",
            ],
            &rows,
        ));
        self.tell_left(&mut text);
        text
    }

    fn tell_left(&self, text: &mut String) {
        let lost = self.lost_staged.iter().map(LostHere::text);
        for sentence in lost.chain(self.left_staged.iter().map(Left::text)) {
            text.push('\n');
            text.push_str(&sentence);
            text.push('\n');
        }
    }
}

/// What is free, when there is a limit.
fn free(shown: &str, limit: u64) -> String {
    if limit == 0 {
        "no limit".to_owned()
    } else {
        format!("{shown} free")
    }
}

impl Session {
    async fn new(status: SessionStatus) -> Session {
        let dead = !status.damaged && staged::is_dead(&status.info);
        let staged = if status.expired || status.damaged || dead {
            None
        } else {
            staged::of_session(&status.info).await
        };
        let live = !status.expired && !status.damaged && !dead;
        Session {
            unsupervised: live && is_unsupervised(&status.info),
            staged_blocks: staged.map(|staged| staged.blocks),
            staged_bytes: staged.map(|staged| staged.bytes),
            sid: status.id.0,
            expire: status.expire,
            expired: status.expired,
            here: is_here(&status.info),
            dead,
            damaged: status.damaged,
            info: status.info,
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.sid.to_string(),
            self.info.host_name.clone(),
            self.info.mount_point.clone(),
            self.info.version.clone(),
            self.info.process_id.to_string(),
            self.info.mount_time.clone(),
            self.state(),
        ]
    }
}

impl Session {
    fn state(&self) -> String {
        if self.damaged {
            return "its record can not be read".to_owned();
        }
        if self.expired {
            return "expired".to_owned();
        }
        if self.dead {
            return "dead, its process has ended".to_owned();
        }
        let mut state = "alive".to_owned();
        if let (Some(1..), Some(bytes)) = (self.staged_blocks, self.staged_bytes) {
            state.push_str(&format!(", {} not uploaded yet", size::show(bytes)));
        }
        if self.unsupervised {
            state.push_str(", its supervisor is gone: mount it again");
        }
        state
    }
}

/// Whether a session is of this computer.
fn is_here(info: &SessionInfo) -> bool {
    !info.host_name.is_empty() && info.host_name == moorage_host::host_name()
}

/// Whether a session is of a mount on this computer that lost its supervisor.
fn is_unsupervised(info: &SessionInfo) -> bool {
    let Some(folders) = Folders::of_user().ok().filter(|_| is_here(info)) else {
        return false;
    };
    let records = MountRecord::all(&folders.state);
    let mut own = records.iter().filter(|record| record.pid == info.process_id);
    own.any(MountRecord::has_lost_supervisor)
}

impl Statistic {
    fn new(usage: StatFs, pending: Option<PendingStatus>) -> Statistic {
        Statistic {
            used_space: usage.total_space.saturating_sub(usage.available_space),
            available_space: usage.available_space,
            used_inodes: usage.used_inodes,
            available_inodes: usage.available_inodes,
            pending: pending.map(Pending::new),
        }
    }
}

impl Pending {
    fn new(pending: PendingStatus) -> Pending {
        Pending {
            trash_file_count: pending.trash_files.count,
            trash_file_size: pending.trash_files.bytes,
            pending_deleted_file_count: pending.deleted_files.count,
            pending_deleted_file_size: pending.deleted_files.bytes,
            trash_slice_count: pending.delayed_slices.count,
            trash_slice_size: pending.delayed_slices.bytes,
            pending_deleted_slice_count: pending.dead_slices.count,
            pending_deleted_slice_size: pending.dead_slices.bytes,
            damaged_records: pending.damaged(),
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let both = |count: u64, bytes: u64| format!("{count}, {}", size::show(bytes));
        let mut fields = vec![
            ("In the trash", both(self.trash_file_count, self.trash_file_size)),
            (
                "Deleted files",
                both(self.pending_deleted_file_count, self.pending_deleted_file_size),
            ),
            (
                "Replaced slices",
                both(self.trash_slice_count, self.trash_slice_size),
            ),
            (
                "Dead slices",
                both(self.pending_deleted_slice_count, self.pending_deleted_slice_size),
            ),
        ];
        if self.damaged_records > 0 {
            let text = format!(
                "{} can not be read and {} not counted; `moorage fsck` names {}",
                RECORDS.count(self.damaged_records),
                agree(self.damaged_records, "is", "are"),
                agree(self.damaged_records, "it", "them")
            );
            fields.push(("Damaged", text));
        }
        fields
    }
}

fn detail_json(detail: &SessionDetail) -> Value {
    let sustained: Vec<u64> = detail.sustained.iter().map(|ino| ino.0).collect();
    let flocks: Vec<Value> = detail
        .file_locks
        .iter()
        .map(|(ino, owner, kind)| json!({"Inode": ino.0, "Owner": owner.to_string(), "Type": format!("{kind:?}")}))
        .collect();
    let plocks: Vec<Value> = detail
        .record_locks
        .iter()
        .map(
            |(ino, owner, locks)| json!({"Inode": ino.0, "Owner": owner.to_string(), "Records": locks.len()}),
        )
        .collect();
    json!({"Sustained": sustained, "Flocks": flocks, "Plocks": plocks, "DamagedRecords": detail.damaged})
}

fn detail_text(detail: &SessionDetail) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for ino in &detail.sustained {
        rows.push(vec![
            ino.to_string(),
            "deleted, still open".to_owned(),
            String::new(),
        ]);
    }
    for (ino, owner, kind) in &detail.file_locks {
        rows.push(vec![
            ino.to_string(),
            format!("flock {kind:?}"),
            owner.to_string(),
        ]);
    }
    for (ino, owner, locks) in &detail.record_locks {
        rows.push(vec![
            ino.to_string(),
            RANGES.count(locks.len() as u64),
            owner.to_string(),
        ]);
    }
    if detail.damaged > 0 {
        rows.push(vec![
            String::new(),
            format!("{} that can not be read", RECORDS.count(detail.damaged)),
            String::new(),
        ]);
    }
    if rows.is_empty() {
        return "It holds nothing.\n".to_owned();
    }
    output::table(&["inode", "what", "owner"], &rows)
}
