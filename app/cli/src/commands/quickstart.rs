//! `moorage quickstart`

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use moorage_host::{Folders, MountPoint, MountPointState};
use moorage_meta::Meta;
use moorage_model::{Error, ErrorKind, Result, Setting};

use crate::arguments::MetaUrl;
use crate::context::Context;
use crate::interrupt;
use crate::making::{self, Making};
use crate::mounting::{self, MountFlags, MountPlan, MountRecord, Reporter, host_error, mount_error};
use crate::volume::{self, Database};

/// Folder of the volume below this user's data folder, and its name.
const NAME: &str = "quickstart";
/// Mount point below home when none is given.
const DEFAULT_FOLDER: &str = "Moorage";
/// Block size of the volume in KiB: what every client of the format uses.
const BLOCK_KIB: u32 = 4096;

/// Make a volume on this computer, once, and mount it: a first look without any set-up
///
/// Its database and its objects are in this user's data folder. Running the command again shows the same files.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where it appears; made when it does not exist [default: Moorage in the home folder]
    folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let place = folders.data.join(NAME);
    let folder = arguments
        .folder
        .unwrap_or_else(|| folders.home.join(DEFAULT_FOLDER));
    moorage_host::check_driver().map_err(|error| mount_error(&error))?;
    let url = database_url(&place)?;
    if is_mounted(&folder, &folders, &url)? {
        context.say(&format!(
            "{} is mounted already; its bytes are in {}.",
            folder.display(),
            place.display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    make_folder(&folder)?;
    interrupt::until_signal(make_once(&place, &url, context))?;
    let plan = MountPlan::new(url.clone(), &folder, MountFlags::none_given()?)?;
    let told = |_: &str| introduction(plan.point.path(), &place, &url);
    mounting::serve(&plan, &Reporter::Terminal(context.clone()), told)?;
    context.say("Unmounted. Everything is stored; run the same command to see it again.");
    Ok(ExitCode::SUCCESS)
}

fn introduction(point: &Path, place: &Path, url: &MetaUrl) -> String {
    let shown = point.to_string_lossy();
    format!(
        "Your files:    {}\n\
         Their bytes:   {}\n\
         To stop:       Ctrl-C here, or `moorage umount {}` from anywhere\n\
         In background: moorage mount -d {} {}\n\
         A real one:    moorage format META-URL NAME --storage s3 --bucket https://BUCKET.ENDPOINT, then `moorage mount`",
        shown,
        place.display(),
        word(&shown),
        word(url.as_str()),
        word(&shown),
    )
}

/// As one word of a command line.
fn word(text: &str) -> Cow<'_, str> {
    shell_escape::unix::escape(Cow::Borrowed(text))
}

/// Whether this very volume is mounted there; one of another database may have any name.
fn is_mounted(folder: &Path, folders: &Folders, url: &MetaUrl) -> Result<bool> {
    let found = MountPoint::resolve(folder).and_then(|point| Ok((point.state()?, point)));
    match found {
        Ok((MountPointState::Mounted(_), point)) => {
            let record = MountRecord::find(&folders.state, point.path());
            Ok(record.is_some_and(|record| record.database == url.to_share().as_str()))
        }
        Ok(_) => Ok(false),
        Err(error) => match error.io().map(std::io::Error::kind) {
            // A missing parent is made with the folder; what keeps it from being made is said then.
            Some(std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied) => Ok(false),
            _ => Err(host_error(ErrorKind::Io, &error)),
        },
    }
}

/// A dead mount of an earlier run, which can not be looked at, stays until it is mounted over.
fn make_folder(folder: &Path) -> Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(refused(folder, error));
        }
        _ => return Ok(()),
    }
    fs::create_dir_all(folder).map_err(|error| refused(folder, error))
}

fn refused(folder: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::AccessDenied,
        format!("making the folder {}", folder.display()),
    )
    .with_source(error)
    .with_advice("Give another folder: `moorage quickstart FOLDER`.")
}

fn database_url(place: &Path) -> Result<MetaUrl> {
    let path = place.join("volume.db");
    let text = path.to_str().ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the folder {} is not UTF-8", place.display()),
        )
    })?;
    if text.contains('?') {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("the path {text} has a ? in it, where the path of a metadata URL ends"),
        )
        .with_advice("Set XDG_DATA_HOME to a folder whose path has none."));
    }
    format!("sqlite3://{text}")
        .parse()
        .map_err(|never: std::convert::Infallible| match never {})
}

/// Makes the volume unless it exists.
async fn make_once(place: &Path, url: &MetaUrl, context: &Context) -> Result<()> {
    Folders::make_private(place).map_err(|error| host_error(ErrorKind::Io, &error))?;
    let engine = volume::open_engine(url, Database::MakeIfMissing)?;
    if let Some(existing) = Meta::load_setting(&engine).await? {
        making::finish(&engine, &existing, context).await?;
    } else {
        let setting = Setting {
            name: NAME.to_owned(),
            uuid: uuid::Uuid::new_v4().to_string(),
            storage: "file".to_owned(),
            bucket: format!("{}/", place.join("objects").display()),
            block_size: BLOCK_KIB,
            compression: "none".to_owned(),
            trash_days: 1,
            dir_stats: true,
            ..Setting::default()
        };
        making::make(&engine, &setting, Making::default(), context).await?;
    }
    engine.close().await
}
