//! Which files of which volume a command works on: paths inside a mounted volume, or a metadata URL and paths
//! inside the volume.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use moorage_meta::{Context, Meta};
use moorage_model::{Attr, Error, ErrorKind, Ino, Name, Result, redact};

use crate::arguments::MetaUrl;
use crate::mounted::{self, At, Place};

/// Paths that a command takes.
#[derive(Args, Debug)]
pub(crate) struct TargetArguments {
    /// Paths of mounted volumes; or the metadata URL of a volume and then paths inside it, such as
    /// sqlite3:///home/me/volume.db /photos
    #[arg(value_name = "[META-URL] PATH", required = true, num_args = 1..)]
    targets: Vec<OsString>,
}

/// Places inside one volume.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    /// The volume.
    pub(crate) url: MetaUrl,
    /// Where.
    pub(crate) places: Vec<Place>,
    /// Whose permissions count: the caller's in a mounted volume; whoever may open the database directly may do
    /// everything in it anyway.
    pub(crate) identity: Context,
}

impl TargetArguments {
    /// Finds the volume.
    ///
    /// # Errors
    /// `InvalidArgument` when no path is left, or the paths lie in several volumes; `NotFound` when a path lies in
    /// no mounted volume.
    pub(crate) fn find(&self) -> Result<Targets> {
        let (first, rest) = self.targets.split_first().ok_or_else(no_path)?;
        match first.to_str().filter(|text| MetaUrl::looks_like(text)) {
            Some(url) if rest.is_empty() => Err(no_path().with_advice(format!(
                "Add a path inside the volume, such as / behind {}.",
                redact(url)
            ))),
            Some(url) => Ok(Targets {
                url: MetaUrl::from(url.to_owned()),
                places: rest
                    .iter()
                    .map(|path| Place::in_volume(mounted::path_bytes(path)))
                    .collect(),
                identity: Context::root(),
            }),
            None => of_mounts(&self.targets),
        }
    }
}

fn no_path() -> Error {
    Error::new(ErrorKind::InvalidArgument, "there is no path to work on")
}

fn of_mounts(paths: &[OsString]) -> Result<Targets> {
    let mut targets: Option<Targets> = None;
    for path in paths {
        let inside = mounted::find(Path::new(path))?;
        match &mut targets {
            None => {
                targets = Some(Targets {
                    url: inside.url,
                    places: vec![inside.place],
                    identity: mounted::caller(),
                });
            }
            Some(targets) if targets.url == inside.url => targets.places.push(inside.place),
            Some(_) => {
                return Err(
                    Error::new(ErrorKind::InvalidArgument, "the paths lie in several volumes")
                        .with_advice("Run the command once for each volume."),
                );
            }
        }
    }
    targets.ok_or_else(no_path)
}

impl Place {
    /// Finds the node; the error names it.
    ///
    /// # Errors
    /// As [`resolve`]; what looking at a path of a mount answers.
    pub(crate) async fn node(&self, meta: &Meta) -> Result<(Ino, Attr)> {
        match &self.at {
            At::Path(path) => resolve(meta, path).await,
            At::Shown(path) => {
                let ino = path.node()?;
                let attr = meta.getattr(ino).await;
                Ok((ino, attr.map_err(|error| error.context(self.shown()))?))
            }
        }
    }

    /// Finds the folder, which has to exist, and the name in it, to change the entry of that name.
    ///
    /// # Errors
    /// As [`Place::check_writable`], [`Place::check_named`] and [`resolve_parent`]; what looking at a path of a mount answers.
    pub(crate) async fn entry(&self, meta: &Meta) -> Result<(Ino, Name)> {
        self.check_writable()?;
        self.check_named()?;
        match &self.at {
            At::Path(path) => resolve_parent(meta, path).await,
            At::Shown(path) => path.entry(),
        }
    }

    /// The path that was meant, for people.
    pub(crate) fn shown(&self) -> String {
        match &self.at {
            At::Path(path) => shown(path),
            At::Shown(path) => path.path().to_string_lossy().into_owned(),
        }
    }
}

/// Path bytes as text, with what they hold; [`crate::output`] escapes what would steer a terminal.
pub(crate) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// A path from the root has no way up, and what would be meant by one is not clear behind a symbolic link.
fn refuse_steps_up(path: &[u8]) -> Result<()> {
    if path.split(|&byte| byte == b'/').any(|name| name == b"..") {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} has a .. in it", shown(path)),
        )
        .with_advice("Write the path from the root of the volume."));
    }
    Ok(())
}

/// Finds a path; the error names it.
///
/// # Errors
/// `InvalidArgument` for a path with `..`, `NotFound`, `NotDirectory`; what the engine answers.
pub(crate) async fn resolve(meta: &Meta, path: &[u8]) -> Result<(Ino, Attr)> {
    refuse_steps_up(path)?;
    meta.resolve(&Context::root(), path)
        .await
        .map_err(|error| error.context(format!("volume {}", meta.setting().name)))
}

/// Splits a path into its folder, which has to exist, and its last name.
///
/// # Errors
/// `InvalidArgument` for the root and a path with `..`, `NotFound`, `NotDirectory`.
pub(crate) async fn resolve_parent(meta: &Meta, path: &[u8]) -> Result<(Ino, Name)> {
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |last| last + 1);
    let path = path.get(..end).unwrap_or_default();
    refuse_steps_up(path)?;
    let (folder, name) = match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => path.split_at(slash + 1),
        None => (Default::default(), path),
    };
    if name.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the root of a volume has no name of its own",
        )
        .with_advice("Name something inside it."));
    }
    let (parent, attr) = resolve(meta, folder).await?;
    if !attr.is_directory() {
        return Err(Error::from(ErrorKind::NotDirectory).context(shown(folder)));
    }
    let name = Name::new(name).map_err(|error| error.context(shown(path)))?;
    Ok((parent, name))
}
