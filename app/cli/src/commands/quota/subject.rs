//! Whom a quota limits, as the command line names it.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use moorage_meta::{Context, Counting, Meta};
use moorage_model::{Error, ErrorKind, Gid, Ino, QuotaKey, Result, Uid};

use crate::target;

/// A folder, a user or a group.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct SubjectArguments {
    /// Folder, from the root of the volume
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    path: Option<String>,

    /// Number of a user
    #[arg(long)]
    uid: Option<u32>,

    /// Number of a group
    #[arg(long)]
    gid: Option<u32>,
}

/// The same, or everybody when nothing is named.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(super) struct OptionalSubjectArguments {
    /// Folder, from the root of the volume; without --path, --uid and --gid all quotas
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    path: Option<String>,

    /// Number of a user
    #[arg(long)]
    uid: Option<u32>,

    /// Number of a group
    #[arg(long)]
    gid: Option<u32>,
}

/// Where the numbers of a folder come from.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct CountingArguments {
    /// Count every file instead of trusting the statistics of folders
    #[arg(long)]
    strict: bool,
}

impl CountingArguments {
    pub(super) fn counting(self) -> Counting {
        if self.strict {
            Counting::Entries
        } else {
            Counting::Statistics
        }
    }
}

impl SubjectArguments {
    /// Finds it; a folder that does not exist is made when `create`.
    pub(super) async fn find(&self, meta: &Meta, create: bool) -> Result<QuotaKey> {
        match (&self.path, self.uid, self.gid) {
            (Some(path), _, _) if create => folder_or_new(meta, path).await.map(QuotaKey::Directory),
            (path, uid, gid) => find(meta, path.as_deref(), uid, gid).await?.ok_or_else(|| {
                Error::new(ErrorKind::InvalidArgument, "nobody is named")
                    .with_advice("Give one of --path, --uid and --gid.")
            }),
        }
    }
}

impl OptionalSubjectArguments {
    /// Finds it, if one is named.
    pub(super) async fn find(&self, meta: &Meta) -> Result<Option<QuotaKey>> {
        find(meta, self.path.as_deref(), self.uid, self.gid).await
    }
}

async fn find(
    meta: &Meta,
    path: Option<&str>,
    uid: Option<u32>,
    gid: Option<u32>,
) -> Result<Option<QuotaKey>> {
    Ok(match (path, uid, gid) {
        (Some(path), _, _) => {
            let (ino, _) = target::resolve(meta, path.as_bytes()).await?;
            Some(QuotaKey::Directory(ino))
        }
        (None, Some(uid), _) => Some(QuotaKey::User(Uid(uid))),
        (None, None, Some(gid)) => Some(QuotaKey::Group(Gid(gid))),
        (None, None, None) => None,
    })
}

async fn folder_or_new(meta: &Meta, path: &str) -> Result<Ino> {
    /// Permission bits of a folder made for a quota, as a mount makes a missing sub-directory.
    const MODE: u16 = 0o777;
    match target::resolve(meta, path.as_bytes()).await {
        Ok((ino, _)) => Ok(ino),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (parent, name) = target::resolve_parent(meta, path.as_bytes()).await?;
            let created = meta.mkdir(&Context::root(), parent, &name, MODE, 0).await?;
            Ok(created.ino)
        }
        Err(error) => Err(error),
    }
}
