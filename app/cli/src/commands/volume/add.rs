//! `moorage volume add`

use std::path::{Path, PathBuf};

use clap::Args;
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::{AddVolume, MetadataUrl, MountOptions, VolumeSettings};
use moorage_model::{Error, ErrorKind, Result, password_in};

use super::{mount, password};
use crate::agent::{connect, error_of};
use crate::arguments::{MetaUrl, MetaUrlArgument};
use crate::context::Context;
use crate::output::{self, OutputArguments};
use crate::size;

/// Bytes of a megabit.
const MEGABIT: u64 = 1_000_000 / 8;

/// Add an existing volume to the list
///
/// From the next start of the agent on it is mounted by itself; `moorage volume mount`, or --mount here, mounts it now. A
/// password of its database comes from META_PASSWORD or from the URL, the passphrase of its key from JFS_RSA_PASSPHRASE, and
/// both are kept where `moorage agent secrets` says. A new volume is made with `moorage format` first: a database file that
/// holds none is refused.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// Where it is mounted; made when it does not exist
    #[cfg(unix)]
    mount_point: PathBuf,

    /// Where it is mounted: a drive such as X:, or a name in a folder [default: the last free drive, which it keeps]
    #[cfg(windows)]
    mount_point: Option<PathBuf>,

    /// Name in the list [default: the name of the mount point's folder]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Mount it now
    #[arg(long)]
    mount: bool,

    /// Do not mount it when the agent starts
    #[arg(long)]
    no_mount_at_start: bool,

    /// Refuse every change
    #[arg(long, visible_alias = "ro")]
    read_only: bool,

    /// Upload what is written before the write is acknowledged, instead of from this disk in the background
    #[arg(long)]
    no_writeback: bool,

    /// Folder for cached blocks [default: in this user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,

    /// Most bytes of cached blocks; plain numbers count MiB [default: that of `moorage mount`]
    #[arg(long, value_name = "SIZE", value_parser = size::from_mib)]
    cache_size: Option<u64>,

    /// Upload bandwidth in Mbit/s [default: what the volume says]
    #[arg(long, value_name = "MBPS", value_parser = clap::value_parser!(u32).range(1..))]
    upload_limit: Option<u32>,

    /// Download bandwidth in Mbit/s [default: what the volume says]
    #[arg(long, value_name = "MBPS", value_parser = clap::value_parser!(u32).range(1..))]
    download_limit: Option<u32>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let settings = settings(arguments)?;
    let url = &arguments.database.url;
    let in_url = password_in(url.as_str()).and_then(|place| url.as_str().get(place).map(str::to_owned));
    let secrets = password::from_environment(url, in_url)?;
    let volume = AddVolume::Join {
        settings,
        secrets,
        uuid: None,
    };
    enlist(volume, arguments.mount, arguments.output, context).await
}

/// Adds a volume that exists, mounts it where that is asked for, and says so.
pub(super) async fn enlist(
    volume: AddVolume,
    mount: bool,
    output: OutputArguments,
    context: &Context,
) -> Result<()> {
    let has_secrets =
        matches!(&volume, AddVolume::Join { secrets, .. } if *secrets != VolumeSecrets::default());
    let client = connect().await?;
    let volume = client.add_volume(volume).await.map_err(error_of)?;
    if mount {
        return mount::mount(&client, &volume, true, output, context).await;
    }
    if output.json {
        return output::print(output, &volume, |_| String::new());
    }
    let name = output::plain(&volume.settings.name);
    context.say(&format!(
        "{name} is in the list. `moorage volume mount {name}` mounts it."
    ));
    if has_secrets {
        password::warn_of_memory(&client, context).await?;
    }
    Ok(())
}

fn settings(arguments: &Arguments) -> Result<VolumeSettings> {
    let url = shared_url(&arguments.database.url)?;
    #[cfg(unix)]
    let mount_point = absolute(&arguments.mount_point)?;
    // The agent chooses a drive where nothing is named.
    #[cfg(windows)]
    let mount_point = match &arguments.mount_point {
        Some(point) => absolute(point)?,
        None => String::new(),
    };
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => Path::new(&mount_point)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    };
    let limit = |megabits: Option<u32>| megabits.map(|megabits| u64::from(megabits) * MEGABIT);
    Ok(VolumeSettings {
        name,
        metadata_url: url,
        mount_point,
        options: MountOptions {
            mount_at_start: !arguments.no_mount_at_start,
            read_only: arguments.read_only,
            write_back: !arguments.no_writeback,
            cache_size: arguments.cache_size,
            cache_folder: arguments.cache_dir.as_deref().map(absolute).transpose()?,
            upload_limit: limit(arguments.upload_limit),
            download_limit: limit(arguments.download_limit),
        },
    })
}

/// As the agent keeps it: without a password, and with the whole path of a local file.
fn shared_url(url: &MetaUrl) -> Result<MetadataUrl> {
    MetadataUrl::try_from(url.to_share().as_str().to_owned()).map_err(|error| {
        Error::new(ErrorKind::InvalidArgument, "the metadata URL is not taken")
            .with_source(error)
            .with_advice("Give it as sqlite3:///home/me/volume.db, with a password in META_PASSWORD.")
    })
}

/// The whole path, as the agent keeps it.
pub(super) fn absolute(path: &Path) -> Result<String> {
    let absolute = std::path::absolute(path).map_err(|error| {
        Error::new(ErrorKind::InvalidArgument, format!("the path {}", path.display())).with_source(error)
    })?;
    absolute.into_os_string().into_string().map_err(|path| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the path {} is not UTF-8", path.to_string_lossy()),
        )
    })
}
