//! Work on a volume of the list that a client waits for: by a `moorage` command of its own, with the secrets through a pipe.

use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume::VolumeId;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::child;
use crate::mounts::MountTable;
use crate::service::Desk;
use crate::trouble::passing;

/// Commands at once: each holds a connection to a database, and a person waits for one or two.
pub(crate) const MOST_COMMANDS: usize = 4;
/// How long a command may wait for others to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command whose answer is its output as JSON.
pub(crate) struct VolumeCommand<'c> {
    /// Its words before the address of the volume, such as `trash list`.
    pub(crate) words: &'c [&'c str],
    /// Its flags; values stand in the same argument.
    pub(crate) flags: Vec<String>,
    /// What follows the address of the volume.
    pub(crate) operands: Vec<String>,
    /// What it does, with `{}` for the name of the volume.
    pub(crate) task: &'c str,
    /// How long it may take.
    pub(crate) deadline: Duration,
}

impl VolumeCommand<'_> {
    fn arguments(&self, address: &str) -> Vec<String> {
        arguments(self.words, &self.flags, address, &self.operands)
    }
}

/// The arguments of a command that answers in JSON: what a client names is never taken for a flag.
pub(crate) fn arguments<'a>(
    words: &[&str],
    flags: impl IntoIterator<Item = &'a String>,
    address: &str,
    operands: &[String],
) -> Vec<String> {
    let fixed = ["--json", "--secrets-from-stdin"];
    let words = words.iter().copied().chain(fixed).map(str::to_owned);
    words
        .chain(flags.into_iter().cloned())
        .chain(["--".to_owned(), address.to_owned()])
        .chain(operands.iter().cloned())
        .collect()
}

impl<T: MountTable> Desk<T> {
    /// Runs a command on a volume of the list.
    ///
    /// # Cancel safety
    /// The command is killed; what it finished stays.
    ///
    /// # Errors
    /// That there is no such volume, its secrets are not given, too much is asked for at once; what the command says.
    pub(crate) async fn ask_volume<A: DeserializeOwned>(
        &self,
        id: &VolumeId,
        command: VolumeCommand<'_>,
    ) -> Result<A, Problem> {
        let (entry, held) = {
            let state = self.0.state();
            let kept = state.find(id)?;
            (kept.entry.clone(), kept.held.clone())
        };
        let Ok(Ok(_place)) = timeout(PATIENCE, self.0.commands.acquire()).await else {
            return Err(passing(
                ProblemCode::TimedOut,
                "too much is being done for other requests",
                "Try it again when that has ended.",
            ));
        };
        let secrets = self.0.secrets_of(&entry, held).await?;
        let task = command.task.replace("{}", &entry.settings.name);
        let arguments = command.arguments(entry.settings.metadata_url.as_str());
        let program = &self.0.places.program;
        child::ask(program, arguments, &secrets, &task, command.deadline).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_names_is_never_taken_for_a_flag() {
        let command = VolumeCommand {
            words: &["trash", "list"],
            flags: vec!["--in=--all".to_owned()],
            operands: vec!["--all".to_owned()],
            task: "",
            deadline: Duration::ZERO,
        };
        let expected = [
            "trash",
            "list",
            "--json",
            "--secrets-from-stdin",
            "--in=--all",
            "--",
            "redis://host/1",
            "--all",
        ];
        assert_eq!(command.arguments("redis://host/1"), expected);
    }
}
