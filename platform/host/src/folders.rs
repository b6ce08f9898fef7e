//! Where this user's files of Moorage live (XDG base directories on Linux; on Windows the folder of programs in the profile,
//! which a profile that roams does not take along).

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use crate::HostError;

/// Only the user enters a folder of ours: logs, caches and volumes are nobody else's business. On Windows they lie in the
/// user's profile, whose rights new folders inherit.
#[cfg(unix)]
const PRIVATE_MODE: u32 = 0o700;

#[cfg(unix)]
const NO_HOME_ADVICE: &str = "Set HOME to a folder that you can write.";
#[cfg(windows)]
const NO_HOME_ADVICE: &str = "Log in as a user who has a profile.";

/// The folders of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Home.
    pub home: PathBuf,
    /// Volumes made without a place of their own.
    pub data: PathBuf,
    /// What can be fetched or computed again.
    pub cache: PathBuf,
    /// Logs and records of running mounts.
    pub state: PathBuf,
    /// What a person chose.
    pub config: PathBuf,
    /// Sockets, which need not outlive the login: below `XDG_RUNTIME_DIR`, else in the state folder.
    pub runtime: PathBuf,
}

impl Folders {
    /// The folders of the calling user; none of them need exist.
    ///
    /// # Errors
    /// When the user has no home.
    #[cfg(unix)]
    pub fn of_user() -> Result<Folders, HostError> {
        let no_home = || HostError::new("this user has no home folder").with_advice(NO_HOME_ADVICE);
        let base = directories::BaseDirs::new().ok_or_else(no_home)?;
        let project = directories::ProjectDirs::from("", "", "moorage").ok_or_else(no_home)?;
        let state = project.state_dir().unwrap_or(project.data_local_dir()).to_owned();
        Ok(Folders {
            home: base.home_dir().to_owned(),
            data: project.data_dir().to_owned(),
            cache: project.cache_dir().to_owned(),
            config: project.config_dir().to_owned(),
            runtime: project
                .runtime_dir()
                .map_or_else(|| state.join("run"), Path::to_owned),
            state,
        })
    }

    /// The folders of the calling user; none of them need exist. `USERPROFILE` and `LOCALAPPDATA`, which the system sets for
    /// every program, may name others than the system itself would.
    ///
    /// # Errors
    /// When the user has no home.
    #[cfg(windows)]
    pub fn of_user() -> Result<Folders, HostError> {
        let base = directories::BaseDirs::new()
            .ok_or_else(|| HostError::new("this user has no home folder").with_advice(NO_HOME_ADVICE))?;
        let given = |variable: &str, otherwise: &Path| {
            let given = std::env::var_os(variable).map(PathBuf::from);
            given
                .filter(|path| path.is_absolute())
                .unwrap_or_else(|| otherwise.to_owned())
        };
        let programs = given("LOCALAPPDATA", base.data_local_dir()).join("Moorage");
        let state = programs.join("state");
        Ok(Folders {
            home: given("USERPROFILE", base.home_dir()),
            data: programs.join("data"),
            cache: programs.join("cache"),
            config: programs.join("config"),
            runtime: state.join("run"),
            state,
        })
    }

    /// The state folder of another user, unless that user moved it.
    #[cfg(unix)]
    pub fn state_of(user: u32) -> Option<PathBuf> {
        let user = nix::unistd::User::from_uid(user.into()).ok()??;
        Some(user.dir.join(".local/state/moorage"))
    }

    /// Makes a folder of this user with everything above it, closed to others. One that exists stays as it is.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_private(path: &Path) -> Result<(), HostError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, PRIVATE_MODE);
        builder.create(path).map_err(|error| {
            HostError::new(format!("making the folder {}", path.display()))
                .with_advice("Check that you may write there and that the disk has space.")
                .with_source(error)
        })
    }
}
