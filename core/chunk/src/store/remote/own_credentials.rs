//! Credentials for S3 where the volume has none: those of the environment, of this user, or of the machine.

use std::fmt;
use std::time::Duration;

use reqsign_aws_v4::{Credential, DefaultCredentialProvider, IMDSv2CredentialProvider};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialChain, Result};

/// How long the metadata service may take to tell the role of the machine: it runs on the machine's host and answers
/// within milliseconds; elsewhere nobody answers, and somebody waits.
const MACHINE_DEADLINE: Duration = Duration::from_secs(2);

/// Looks where the tools of AWS look, in their order: `AWS_*` of the environment, the profiles in `~/.aws`, web identity,
/// a container's role, the role of an EC2 instance.
pub(super) fn own_credentials() -> ProvideCredentialChain<Credential> {
    let on_this_machine = DefaultCredentialProvider::builder().no_imds().build();
    ProvideCredentialChain::new()
        .push(on_this_machine)
        .push(MachineRole::default())
}

/// The role of an EC2 instance, asked for with a deadline.
#[derive(Default)]
struct MachineRole(IMDSv2CredentialProvider);

/// The service's token is a secret.
impl fmt::Debug for MachineRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineRole(..)")
    }
}

impl ProvideCredential for MachineRole {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        match tokio::time::timeout(MACHINE_DEADLINE, self.0.provide_credential(context)).await {
            Ok(Ok(credential)) => Ok(credential),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the machine tells no role");
                Ok(None)
            }
            Err(_) => {
                tracing::debug!("no metadata service answers on this machine");
                Ok(None)
            }
        }
    }
}
