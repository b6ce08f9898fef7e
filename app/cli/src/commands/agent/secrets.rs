//! `moorage agent secrets`

use clap::{Args, ValueEnum};
use moorage_control::secret::Secret;
use moorage_control::settings::{SecretAccess, SecretStore, SecretStoreStatus};
use moorage_model::Result;

use crate::agent::{connect, error_of};
use crate::environment;
use crate::output::{self, OutputArguments};

/// Show where passwords and keys of volumes are kept, unlock that place, or choose another
///
/// They are in the keyring of the desktop unless another store is chosen, which is for computers without one. They are in no
/// settings file, and go to mount processes through a pipe.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Keep them in this store from now on; what the one in use holds is moved
    #[arg(long, value_enum, value_name = "STORE")]
    store: Option<Store>,

    /// With --store, leave behind what the store in use does not give, as one that is gone or whose passphrase is lost; its
    /// volumes ask for their passwords again
    #[arg(long, requires = "store")]
    forget: bool,

    /// Unlock the store in use: the desktop asks for the password of the keyring; the passphrase of the file comes from
    /// MOORAGE_SECRETS_PASSPHRASE
    #[arg(long, conflicts_with = "store")]
    unlock: bool,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Store {
    /// The keyring of the desktop (GNOME Keyring, KDE Wallet, KeePassXC), or the Credential Manager of Windows
    Keyring,
    /// A file encrypted with the passphrase in MOORAGE_SECRETS_PASSPHRASE, which the agent asks for after each start
    File,
    /// A file encrypted with a key that is in a file beside it: nobody is asked, and whoever reads both files of this user
    /// reads the secrets
    KeyFile,
}

impl From<Store> for SecretStore {
    fn from(store: Store) -> SecretStore {
        match store {
            Store::Keyring => SecretStore::Keyring,
            Store::File => SecretStore::EncryptedFile,
            Store::KeyFile => SecretStore::KeyFile,
        }
    }
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let passphrase = || environment::secrets_passphrase().map(Secret::new);
    let status = match arguments.store {
        Some(store) => {
            client
                .choose_secret_store(store.into(), passphrase(), arguments.forget)
                .await
        }
        None if arguments.unlock => client.unlock_secret_store(passphrase()).await,
        None => client.secret_store().await,
    };
    output::print(arguments.output, &status.map_err(error_of)?, shown)
}

fn shown(status: &SecretStoreStatus) -> String {
    let store = match status.store {
        SecretStore::Keyring => "the keyring of the desktop",
        SecretStore::EncryptedFile => "an encrypted file with a passphrase",
        SecretStore::KeyFile => "an encrypted file with its key beside it",
    };
    let access = match status.access {
        SecretAccess::Open => "open",
        SecretAccess::Locked => "locked",
        SecretAccess::Missing => "does not answer",
    };
    let mut text = output::fields(&[("store", store.to_owned()), ("access", access.to_owned())]);
    if let Some(problem) = &status.problem {
        let cause = problem.cause.as_ref().map(|cause| format!(": {cause}"));
        let said = format!("{problem}{}. {}", cause.unwrap_or_default(), problem.advice);
        text.push_str(&format!("{}\n", output::plain(&said)));
    }
    text
}
