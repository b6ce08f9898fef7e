//! Dumps of a volume's metadata, and loading them into an empty database (spec 80-dump).
//!
//! A dump is a stream: neither direction holds the tree in memory. `json` and `binary` hold the two formats,
//! `document` and `binary::message` what their records look like, `load` what becomes of the records.

mod attachments;
mod backup;
mod binary;
mod compression;
mod document;
mod json;
mod listing;
mod load;
mod output;
mod text;

use moorage_model::{Error, ErrorKind, Ino, REMOVED_SECRET, Result, Setting, replace_secrets, secrets_in};

pub use backup::{BACKUP_FOLDER, BackupTurn, backup_look, is_backup};
pub use compression::DumpCompression;
pub use load::LoadSummary;
pub use output::{DumpBlocks, DumpOutput, dump_channel};

use crate::Meta;

/// What is dumped, and how.
#[derive(Clone, Debug)]
pub struct DumpOptions {
    /// The directory that becomes the root of the dump; the whole volume without.
    pub directory: Option<Ino>,
    /// Leave the secrets of the object store in, sealed as the volume keeps them.
    pub keep_secrets: bool,
    /// Leave the trash out.
    pub skip_trash: bool,
    /// Nodes whose records are read at the same time.
    pub concurrency: usize,
}

impl Default for DumpOptions {
    fn default() -> Self {
        DumpOptions {
            directory: None,
            keep_secrets: false,
            skip_trash: false,
            concurrency: 10,
        }
    }
}

/// What a dump holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DumpSummary {
    /// Entries, roots included: hard links once per name.
    pub entries: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// Entries and records left out because they can not be read.
    pub unreadable: u64,
    /// Whether the volume has secrets of its object store that were left out.
    pub secrets_removed: bool,
    /// Whether the volume is encrypted and its key was left out.
    pub key_removed: bool,
}

/// The setting as stored now.
async fn stored_setting(meta: &Meta) -> Result<Setting> {
    Meta::load_setting(meta.engine())
        .await?
        .ok_or_else(|| Error::new(ErrorKind::NotFormatted, "the volume was removed meanwhile"))
}

/// Leaves out the secrets of the object store, those in the address of the bucket too; whether there were any.
fn remove_store_secrets(setting: &mut Setting) -> bool {
    let bucket = replace_secrets(&setting.bucket, REMOVED_SECRET);
    let in_bucket = bucket != setting.bucket;
    setting.bucket = bucket;
    let key = remove(&mut setting.secret_key);
    let token = remove(&mut setting.session_token);
    in_bucket || key || token
}

/// Leaves out a secret; whether there was one.
fn remove(secret: &mut String) -> bool {
    let was_there = !secret.is_empty();
    if was_there {
        REMOVED_SECRET.clone_into(secret);
    }
    was_there
}

/// Whether the key of an encrypted volume was left out of a dump with this setting.
fn lacks_key(setting: &Setting) -> bool {
    setting.encrypt_key == REMOVED_SECRET
}

/// Whether secrets of the object store were left out of a dump with this setting.
fn lacks_secrets(setting: &Setting) -> bool {
    let members = [&setting.secret_key, &setting.session_token];
    let in_bucket = secrets_in(&setting.bucket)
        .into_iter()
        .filter_map(|secret| setting.bucket.get(secret));
    members
        .into_iter()
        .map(String::as_str)
        .chain(in_bucket)
        .any(|secret| secret == REMOVED_SECRET)
}
