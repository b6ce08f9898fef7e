//! Opening both ends of a copy.

use std::path::Path;
use std::sync::Arc;

use moorage_meta::MetaOptions;
use moorage_model::{Error, ErrorKind, Result};
use moorage_sync::{Address, FolderSide, MissingRoot, RelativePath, Side, Tag, Transport, VolumeSide};
use moorage_vfs::{Caller, Vfs, VfsOptions};

use crate::arguments::MetaUrl;
use crate::{mounted, volume};

/// What an end is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Read.
    Source,
    /// Read, and deleted from.
    ShrinkingSource,
    /// Written.
    Destination,
    /// Would be written.
    DryDestination,
}

impl Role {
    fn is_changed(self) -> bool {
        matches!(self, Role::ShrinkingSource | Role::Destination)
    }

    fn missing_root(self) -> MissingRoot {
        match self {
            Role::Source | Role::ShrinkingSource => MissingRoot::Refuse,
            Role::Destination => MissingRoot::Make,
            Role::DryDestination => MissingRoot::TakeAsEmpty,
        }
    }
}

/// One open end.
struct End {
    side: Box<dyn Side>,
    /// To be shut down.
    volume: Option<Arc<Vfs>>,
}

/// Both ends.
pub(super) struct Ends {
    source: End,
    destination: End,
}

impl Ends {
    /// Opens both; a folder of the destination is made.
    ///
    /// # Errors
    /// `InvalidArgument` for an address that is none, or when one end lies in the other; what opening answers.
    pub(super) async fn open(
        (source, destination): (&str, &str),
        transport: Transport,
        role: Role,
        shrinks: bool,
    ) -> Result<Ends> {
        let from = Address::parse(source, transport)?;
        let to = Address::parse(destination, transport)?;
        if let (Address::Folder(from), Address::Folder(to)) = (&from, &to) {
            refuse_nested(from, to)?;
        }
        let source_role = if shrinks && role == Role::Destination {
            Role::ShrinkingSource
        } else {
            Role::Source
        };
        let source = End::open(&from, source_role).await?;
        let destination = match End::open(&to, role).await {
            Ok(destination) => destination,
            Err(error) => {
                // The first error is the one to report.
                let _ = source.close().await;
                return Err(error);
            }
        };
        Ok(Ends { source, destination })
    }

    pub(super) fn source(&self) -> &dyn Side {
        self.source.side.as_ref()
    }

    pub(super) fn destination(&self) -> &dyn Side {
        self.destination.side.as_ref()
    }

    /// Ends the sessions of volumes.
    ///
    /// # Errors
    /// Of storing what was written.
    pub(super) async fn close(self) -> Result<()> {
        let destination = self.destination.close().await;
        self.source.close().await.and(destination)
    }
}

impl End {
    async fn open(address: &Address, role: Role) -> Result<End> {
        let side: Box<dyn Side> = match address {
            Address::Folder(path) => Box::new(FolderSide::open(path, role.missing_root(), Tag::random())?),
            Address::Objects(bucket) => Box::new(bucket.open()?),
            Address::Database(url) => return End::volume(url.clone(), RelativePath::root(), role).await,
            Address::Volume { variable, path } => {
                let url = std::env::var(variable).map_err(|error| {
                    Error::new(
                        ErrorKind::InvalidArgument,
                        format!("jfs://{variable} is not known: there is no environment variable {variable}"),
                    )
                    .with_source(error)
                    .with_advice(format!(
                        "Set {variable} to the metadata URL of the volume, such as {variable}=sqlite3:///home/me/volume.db."
                    ))
                })?;
                return End::volume(url, path.clone(), role).await;
            }
        };
        Ok(End { side, volume: None })
    }

    async fn volume(url: String, root: RelativePath, role: Role) -> Result<End> {
        let read_only = !role.is_changed();
        let options = MetaOptions {
            read_only,
            background_jobs: false,
            host_name: moorage_host::host_name(),
            ip_addresses: moorage_host::ip_addresses(),
            ..MetaOptions::default()
        };
        let meta = volume::open_meta(&MetaUrl::from(url), options).await?;
        let chunks = volume::open_data(&meta, |_| {}).await?;
        let options = VfsOptions {
            read_only,
            hide_internal: true,
            ..VfsOptions::default()
        };
        let vfs = Vfs::open_volume(meta, chunks, options).await?;
        let tag = Tag::random();
        let side = VolumeSide::open(Arc::clone(&vfs), root, role.missing_root(), own_caller(), tag).await;
        match side {
            Ok(side) => Ok(End {
                side: Box::new(side),
                volume: Some(vfs),
            }),
            Err(error) => {
                // The first error is the one to report.
                let _ = close(&vfs).await;
                Err(error)
            }
        }
    }

    async fn close(self) -> Result<()> {
        match self.volume {
            Some(vfs) => close(&vfs).await,
            None => Ok(()),
        }
    }
}

async fn close(vfs: &Vfs) -> Result<()> {
    vfs.shutdown().await?;
    vfs.meta().engine().close().await
}

/// Files are made as this user's; whoever may open the database may do everything in the volume anyway.
fn own_caller() -> Caller {
    let own = mounted::caller();
    Caller {
        uid: own.uid,
        gid: own.gid,
        ..Caller::root()
    }
}

/// A copy into itself would never end, and one onto itself does nothing or harm.
fn refuse_nested(from: &Path, to: &Path) -> Result<()> {
    let real = |path: &Path| {
        path.canonicalize()
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_owned())
    };
    let (from, to) = (real(from), real(to));
    if from.starts_with(&to) || to.starts_with(&from) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} and {} lie in each other", from.display(), to.display()),
        )
        .with_advice("Copy to a folder beside it."));
    }
    Ok(())
}
