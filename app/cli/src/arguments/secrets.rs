//! Secrets from a pipe.

use clap::Args;
use moorage_model::Result;

use crate::environment;

/// The choice of the pipe instead of the environment.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SecretsArguments {
    /// Read secrets from one line of JSON on standard input before the environment: {"metadata_password": "…",
    /// "key_passphrase": "…", "access_key": "…", "secret_key": "…", "session_token": "…"}
    #[arg(long)]
    secrets_from_stdin: bool,
}

impl SecretsArguments {
    /// Takes the secrets, when they come so.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no such line.
    pub(crate) fn take(self) -> Result<()> {
        if self.secrets_from_stdin {
            environment::take_from_stdin()?;
        }
        Ok(())
    }
}
