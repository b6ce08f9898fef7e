//! Starting an agent where none runs.

use std::path::PathBuf;
use std::process::Stdio;

use moorage_control::problem::{Problem, ProblemCode};
use tokio::process::Command;

/// The program that is the agent: `moorage`.
#[derive(Debug, Clone)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// The one that lies beside this program, else the one that the search path leads to.
    pub(crate) fn find() -> Program {
        let name = format!("moorage{}", std::env::consts::EXE_SUFFIX);
        let beside = std::env::current_exe()
            .ok()
            .map(|own| own.with_file_name(&name))
            .filter(|path| path.is_file());
        Program(beside.unwrap_or_else(|| PathBuf::from(name)))
    }

    /// A certain one.
    #[cfg(test)]
    pub(crate) fn at(path: &str) -> Program {
        Program(PathBuf::from(path))
    }

    /// Starts an agent, which outlives this program. Whether it serves is seen by connecting to it.
    ///
    /// # Errors
    /// When the program can not be started. Outside of a runtime of tokio it panics.
    pub(crate) fn start(&self) -> Result<(), Problem> {
        let mut command = Command::new(&self.0);
        command
            .args(["agent", "run", "--log", "--verbose"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A signal to the group of this program, as Ctrl-C in a terminal, is not for the agent.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| Problem {
            code: ProblemCode::NotFound,
            message: format!("the agent can not be started: {}", self.0.display()),
            cause: Some(error.to_string()),
            advice: "Install the command `moorage` beside this program, or where the search path leads to."
                .to_owned(),
            retryable: true,
        })?;
        tokio::spawn(async move {
            match child.wait().await {
                Ok(status) => tracing::info!("the agent has ended with {status}"),
                Err(error) => tracing::warn!("how the agent ended is not known: {error}"),
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let problem = Program::at("/nowhere/moorage")
            .start()
            .expect_err("there is no such program");
        assert!(problem.message.contains("/nowhere/moorage"), "{problem}");
        assert!(problem.cause.is_some());
    }
}
