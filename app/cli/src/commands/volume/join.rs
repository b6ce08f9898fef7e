//! `moorage volume join`

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use moorage_control::volume::{AddVolume, MountOptions, VolumeSettings};
use moorage_control::volume_file::{LONGEST, VolumeFile};
use moorage_model::{Error, Result};

use super::add::{absolute, enlist};
use super::password;
use crate::agent::error_of;
use crate::arguments::MetaUrl;
use crate::context::Context;
use crate::io_kind;
use crate::output::OutputArguments;

/// Add the volume that a file names, which `moorage volume export` or the window of another computer wrote
///
/// The file holds no password: that of its database comes from META_PASSWORD, the passphrase of its key from
/// JFS_RSA_PASSPHRASE, as with `moorage volume add`. Where the database answers and holds another volume than the file names,
/// nothing is added.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The volume file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where it is mounted; made when it does not exist
    mount_point: PathBuf,

    /// Name in the list [default: that in the file]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Mount it now
    #[arg(long)]
    mount: bool,

    /// Do not mount it when the agent starts, whatever the file says
    #[arg(long)]
    no_mount_at_start: bool,

    /// Refuse every change, whatever the file says
    #[arg(long, visible_alias = "ro")]
    read_only: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let text = read(&arguments.file).map_err(|error| {
        let what = format!("the volume file {} can not be read", arguments.file.display());
        Error::new(io_kind::of(&error), what).with_source(error)
    })?;
    let file = VolumeFile::parse(&text).map_err(error_of)?;
    let url = MetaUrl::from(file.metadata_url.as_str().to_owned());
    let secrets = password::from_environment(&url, None)?;
    for (needed, given, variable) in [
        (
            file.needs.metadata_password,
            secrets.metadata_password.is_some(),
            "META_PASSWORD",
        ),
        (
            file.needs.key_passphrase,
            secrets.key_passphrase.is_some(),
            "JFS_RSA_PASSPHRASE",
        ),
    ] {
        if needed && !given {
            context.say(&format!(
                "It needs {variable}, which is not set: set it, and run `moorage volume password` with the name of the volume."
            ));
        }
    }
    let volume = AddVolume::Join {
        settings: settings(arguments, &file)?,
        secrets,
        uuid: file.uuid,
    };
    enlist(volume, arguments.mount, arguments.output, context).await
}

fn settings(arguments: &Arguments, file: &VolumeFile) -> Result<VolumeSettings> {
    Ok(VolumeSettings {
        name: arguments.name.as_ref().unwrap_or(&file.name).clone(),
        metadata_url: file.metadata_url.clone(),
        mount_point: absolute(&arguments.mount_point)?,
        options: MountOptions {
            mount_at_start: file.options.mount_at_start && !arguments.no_mount_at_start,
            read_only: file.options.read_only || arguments.read_only,
            ..file.options.clone()
        },
    })
}

/// The text of the file, as far as one that is too long has to be read to be refused.
fn read(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut text)?;
    // What is no text is refused as no volume file.
    Ok(String::from_utf8_lossy(&text).into_owned())
}
