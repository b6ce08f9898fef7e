//! `moorage volume password`

use clap::Args;
use moorage_control::client::Client;
use moorage_control::secret::{Secret, VolumeSecrets};
use moorage_model::{Error, ErrorKind, Result};

use super::NameArgument;
use crate::agent::{connect, error_of, find};
use crate::arguments::MetaUrl;
use crate::context::Context;
use crate::environment;
use crate::output::{self, OutputArguments};

/// Give the agent the password of a volume's database, from META_PASSWORD, and the passphrase of its key, from
/// JFS_RSA_PASSPHRASE
///
/// The agent keeps them where `moorage agent secrets` says, in place of earlier ones, and hands them to mount processes
/// through a pipe.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    volume: NameArgument,

    /// Forget all passwords and keys of this volume instead
    #[arg(long)]
    forget: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let client = connect().await?;
    let volume = find(&client, &arguments.volume.name).await?;
    let url = MetaUrl::from(volume.settings.metadata_url.as_str().to_owned());
    let secrets = if arguments.forget {
        VolumeSecrets::default()
    } else {
        from_environment(&url, None)?
    };
    if secrets == VolumeSecrets::default() && !arguments.forget {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "neither META_PASSWORD nor JFS_RSA_PASSPHRASE is set",
        )
        .with_advice("Set the variable for this command: `read -rs META_PASSWORD; export META_PASSWORD`."));
    }
    client.give_secrets(&volume.id, secrets).await.map_err(error_of)?;
    if arguments.output.json {
        return output::print(arguments.output, &volume, |_| String::new());
    }
    let name = output::plain(&volume.settings.name);
    if arguments.forget {
        context.say(&format!("The passwords and keys of {name} are forgotten."));
        return Ok(());
    }
    context.say(&format!(
        "The agent knows it now; `moorage volume mount {name}` uses it."
    ));
    warn_of_memory(&client, context).await
}

/// Says when what was given does not outlive the agent.
pub(super) async fn warn_of_memory(client: &Client, context: &Context) -> Result<()> {
    let status = client.secret_store().await.map_err(error_of)?;
    if let Some(problem) = status.problem {
        let said = format!(
            "It is in the memory of the agent only: {problem}. {}",
            problem.advice
        );
        context.say(&output::plain(&said));
    }
    Ok(())
}

/// The secrets in the environment; the password of the URL where that names none.
pub(super) fn from_environment(url: &MetaUrl, in_url: Option<String>) -> Result<VolumeSecrets> {
    let password = environment::meta_password(url.scheme())?.or(in_url);
    Ok(VolumeSecrets {
        metadata_password: password.map(Secret::new),
        key_passphrase: environment::rsa_passphrase().map(Secret::new),
        ..VolumeSecrets::default()
    })
}
