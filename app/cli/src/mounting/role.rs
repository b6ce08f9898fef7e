//! Which process of a mount this is.

#[cfg(unix)]
use std::process::Command;

/// Environment variable that says it; absent in the process that the user started.
const VARIABLE: &str = "MOORAGE_MOUNT_PROCESS";

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
    #[cfg(unix)]
    pub(crate) fn command(self) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut arguments = std::env::args_os();
        if let Some(name) = arguments.next() {
            std::os::unix::process::CommandExt::arg0(&mut command, name);
        }
        command.args(arguments);
        match self {
            Role::User => command.env_remove(VARIABLE),
            Role::Supervisor => command.env(VARIABLE, "supervisor"),
            Role::Worker => command.env(VARIABLE, "worker"),
        };
        Ok(command)
    }
}
