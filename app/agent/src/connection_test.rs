//! Trying what a volume needs before it is added: `moorage probe`, with the secrets through a pipe.

use std::time::Duration;

use moorage_control::check::Checklist;
use moorage_control::message::Response;
use moorage_control::problem::Problem;
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::{AddVolume, MetadataUrl, VolumeFormat};

use crate::child;
use crate::format_command::{own_name, refuse_secrets_in};
use crate::mounts::MountTable;
use crate::service::Desk;

/// How long all steps together may take; each ends by itself long before.
const DEADLINE: Duration = Duration::from_secs(140);

impl<T: MountTable> Desk<T> {
    /// Tries the database and the object store of a volume that is not in the list yet.
    ///
    /// # Errors
    /// Why nothing could be tried. What failed of the steps stands in the list.
    pub(crate) async fn test_connection(&self, volume: AddVolume) -> Result<Response, Problem> {
        let (settings, format, secrets) = match volume {
            AddVolume::Join {
                settings, secrets, ..
            } => (settings, None, secrets),
            AddVolume::Create {
                settings,
                format,
                secrets,
            } => (settings, Some(format), secrets),
            AddVolume::Demo => {
                let (settings, format) = self.demo()?;
                (settings, Some(format), VolumeSecrets::default())
            }
        };
        if let Some(format) = &format {
            refuse_secrets_in(&format.bucket)?;
        }
        let arguments = arguments(&settings.name, &settings.metadata_url, format.as_ref());
        let task = format!("testing the connection of {}", settings.name);
        let program = &self.0.places.program;
        let checklist: Checklist = child::ask(program, arguments, &secrets, &task, DEADLINE).await?;
        Ok(Response::Checklist { checklist })
    }
}

fn arguments(name: &str, url: &MetadataUrl, format: Option<&VolumeFormat>) -> Vec<String> {
    let mut arguments = ["probe", "--json", "--secrets-from-stdin"]
        .map(str::to_owned)
        .to_vec();
    if let Some(format) = format {
        arguments.push(format!("--storage={}", format.storage));
        arguments.push(format!("--bucket={}", format.bucket));
    }
    arguments.push("--".to_owned());
    arguments.push(url.as_str().to_owned());
    if format.is_some() {
        arguments.push(own_name(name));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_that_exists_says_itself_where_its_objects_are() {
        let url = MetadataUrl::try_from("redis://host/1".to_owned()).expect("a URL");
        let expected = ["probe", "--json", "--secrets-from-stdin", "--", "redis://host/1"];
        assert_eq!(arguments("Photos", &url, None), expected);
    }

    #[test]
    fn a_volume_to_be_made_is_tried_where_it_would_be() {
        let url = MetadataUrl::try_from("redis://host/1".to_owned()).expect("a URL");
        let format = VolumeFormat {
            storage: "s3".to_owned(),
            bucket: "https://b.host".to_owned(),
            block_size: None,
            compression: None,
            trash_days: None,
            quota: None,
        };
        let arguments = arguments("My Photos", &url, Some(&format));
        let expected = [
            "--storage=s3",
            "--bucket=https://b.host",
            "--",
            "redis://host/1",
            "my-photos",
        ];
        assert!(arguments.ends_with(&expected.map(str::to_owned)), "{arguments:?}");
    }
}
