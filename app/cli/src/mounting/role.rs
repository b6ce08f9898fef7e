//! Which process of a mount this is.

use std::process::Command;

/// Environment variable that says it; absent in the process that the user started.
const VARIABLE: &str = "MOORAGE_MOUNT_PROCESS";

/// Environment variable in which the other processes of a mount find its mount point, which need not stand in their
/// command line.
#[cfg(windows)]
const POINT: &str = "MOORAGE_MOUNT_POINT";

/// A process of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Started by the user.
    User,
    /// Runs the mount and starts it again.
    Supervisor,
    /// Serves the mount below a supervisor.
    Worker,
}

impl Role {
    /// The role of this process.
    pub(crate) fn own() -> Role {
        match std::env::var(VARIABLE).as_deref() {
            Ok("supervisor") => Role::Supervisor,
            Ok("worker") => Role::Worker,
            _ => Role::User,
        }
    }

    /// This program with this command line, in another role.
    ///
    /// # Errors
    /// When the program's own file is not known.
    pub(crate) fn command(self) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut arguments = std::env::args_os();
        let name = arguments.next();
        #[cfg(unix)]
        if let Some(name) = name {
            std::os::unix::process::CommandExt::arg0(&mut command, name);
        }
        // There the name is always that of the program's file.
        #[cfg(windows)]
        drop(name);
        command.args(arguments);
        match self {
            Role::User => command.env_remove(VARIABLE),
            Role::Supervisor => command.env(VARIABLE, "supervisor"),
            Role::Worker => command.env(VARIABLE, "worker"),
        };
        Ok(command)
    }
}

/// The mount point that the process which the user started chose; none in that process.
#[cfg(windows)]
pub(super) fn chosen_point() -> Option<std::path::PathBuf> {
    let other = Role::own() != Role::User;
    std::env::var_os(POINT).filter(|_| other).map(Into::into)
}

/// Tells another process of a mount where the mount is to be.
#[cfg(windows)]
pub(super) fn tell_point(command: &mut Command, point: &std::path::Path) {
    command.env(POINT, point);
}
