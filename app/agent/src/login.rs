//! Starting at login: the truth about it is the entry in the system, which the person may change there as well.

use std::path::Path;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_host::{HostError, LoginItem};
use tokio::task::spawn_blocking;

use crate::agent::Agent;
use crate::trouble::of_host;

/// Name of the program that has the tray and the window.
const WINDOW: &str = "moorage-desktop";

impl<T> Agent<T> {
    /// Whether something of ours starts at login. What can not be read is taken for "no", and logged.
    pub(crate) async fn starts_at_login(&self) -> bool {
        let item = self.places.login.clone();
        let enabled = spawn_blocking(move || item.is_enabled()).await;
        match enabled {
            Ok(Ok(enabled)) => enabled,
            Ok(Err(error)) => {
                tracing::warn!("whether Moorage starts at login is not known: {error}");
                false
            }
            Err(_) => false,
        }
    }

    /// Has the tray started at login, which starts the agent; the agent alone where there is no tray beside it. Or has
    /// nothing started. What is so already is left alone, since a person may have changed the entry by hand.
    ///
    /// # Errors
    /// When the entry can not be changed; then it is as before.
    pub(crate) async fn set_start_at_login(&self, start: bool) -> Result<(), Problem> {
        if start == self.starts_at_login().await {
            return Ok(());
        }
        let (item, program) = (self.places.login.clone(), self.places.program.clone());
        let changed = spawn_blocking(move || {
            if start {
                enable(&item, &program)
            } else {
                item.disable()
            }
        });
        match changed.await {
            Ok(changed) => changed.map_err(|error| of_host(ProblemCode::PermissionDenied, &error)),
            Err(_) => Ok(()),
        }
    }
}

fn enable(item: &LoginItem, program: &Path) -> Result<(), HostError> {
    let window = program.with_file_name(format!("{WINDOW}{}", std::env::consts::EXE_SUFFIX));
    if window.is_file() {
        item.enable(&window, &["--hidden"])
    } else {
        item.enable(program, &["agent", "run", "--log", "--verbose"])
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_tray_is_started_where_there_is_one_and_else_the_agent() {
        let folder = tempfile::tempdir().expect("a folder");
        let item = LoginItem::in_folder(&folder.path().join("autostart"));
        let program = folder.path().join("moorage");
        let started = || {
            enable(&item, &program).expect("enabled");
            std::fs::read_to_string(item.path()).expect("read")
        };
        assert!(started().contains("/moorage agent run --log --verbose\n"));
        std::fs::write(folder.path().join(WINDOW), "").expect("written");
        assert!(started().contains("/moorage-desktop --hidden\n"));
    }
}
