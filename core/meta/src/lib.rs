//! The namespace of a volume: every operation once, as a verb over a [`Txn`] of typed records.
//!
//! A verb holds all semantics and knows no engine (DESIGN, "The transaction, on which all engines hang").
//! Engines implement [`Read`], [`Txn`] and [`Engine`]; doors call the methods of [`Meta`].
//!
//! Where to look: `verbs` for names and attributes, `data` for the content of files, `locks` and `usage` for what they
//! say, `session` for the life of a client, `jobs` for what happens behind its back, [`admin`] for commands, `dump` for copies of
//! everything.

mod accounting;
mod acl_cache;
mod acl_rules;
pub mod admin;
mod allocation;
mod ancestors;
mod barrier;
mod calendar;
mod changelog;
mod changes;
mod data;
mod data_store;
mod dump;
mod effects;
mod engine;
mod format;
mod jobs;
mod key;
mod length_limit;
mod locks;
mod meta;
mod open;
mod open_files;
mod options;
mod own_changes;
mod permission;
mod record;
mod session;
mod setting_text;
mod stored_directories;
mod tasks;
mod trash;
mod txn;
mod usage;
mod usage_cache;
mod verbs;

pub use changes::{ChangeSender, Changed, Changes, change_channel};
pub use data::{
    AppendOutcome, CompactOutcome, CopyOutcome, FallocateMode, HeldFile, OpenFlags, WriteOutcome,
};
pub use data_store::DataStore;
pub use dump::{
    BACKUP_FOLDER, BackupTurn, DumpBlocks, DumpCompression, DumpOptions, DumpOutput, DumpSummary,
    LoadSummary, backup_look, dump_channel, is_backup,
};
pub use engine::{Durability, Engine, Job, JobBody, Verb, run, untold};
pub use key::{Key, Scan};
pub use length_limit::{LengthLimit, Unrecorded};
pub use locks::{LockRequest, Wait};
pub use meta::{Context, Meta};
pub use options::{AtimeMode, MetaOptions};
pub use permission::{MAY_EXECUTE, MAY_READ, MAY_WRITE};
pub use record::{DamagedRecord, DirectoryEntry, Page, Record, Records, SessionRecord, Survey};
pub use setting_text::{MEND_SETTING, decode_setting, encode_setting, without_secrets};
pub use txn::{LockedSet, Read, ReadSet, Txn, TxnExt};
pub use usage::{Counting, QuotaCheck, QuotaChecks, QuotaLimits, QuotaList, Usage};
pub use verbs::{
    CreateNode, Created, MAX_PATH_DEPTH, Opened, RenameFlags, SetAttr, SetTime, StatFs, UnlinkOptions,
    XattrMode, without_set_id,
};
