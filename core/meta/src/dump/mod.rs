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

use moorage_model::{Error, ErrorKind, Ino, Result, Setting};

pub use backup::{BACKUP_FOLDER, BackupTurn, backup_look};
pub use compression::DumpCompression;
pub use load::LoadSummary;
pub use output::{DumpBlocks, DumpOutput, dump_channel};

use crate::Meta;

/// What stands in a dump for a secret.
const REMOVED: &str = "removed";

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
}

/// The setting as stored now.
async fn stored_setting(meta: &Meta) -> Result<Setting> {
    Meta::load_setting(meta.engine())
        .await?
        .ok_or_else(|| Error::new(ErrorKind::NotFormatted, "the volume was removed meanwhile"))
}

fn remove_secrets<const N: usize>(secrets: [&mut String; N]) {
    for secret in secrets {
        if !secret.is_empty() {
            REMOVED.clone_into(secret);
        }
    }
}
