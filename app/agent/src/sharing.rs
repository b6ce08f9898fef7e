//! A volume of the list as a file for another computer.

use moorage_control::message::Response;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume::{MountOptions, VolumeId};
use moorage_control::volume_file::{SecretNeeds, VolumeFile};

use crate::mounts::MountTable;
use crate::secret_kind::SecretKind;
use crate::service::Desk;
use crate::settings_file::Entry;
use crate::trouble::{caused, lasting};

impl<T: MountTable> Desk<T> {
    pub(crate) fn export(&self, id: &VolumeId) -> Result<Response, Problem> {
        let file = file_of(&self.0.state().find(id)?.entry);
        shared(&file)
    }
}

/// A volume file as an answer.
pub(crate) fn shared(file: &VolumeFile) -> Result<Response, Problem> {
    let text = file.text().map_err(|error| {
        let what = "the volume file can not be written as text";
        caused(
            lasting(ProblemCode::Internal, what, "Report this with the cause."),
            error,
        )
    })?;
    Ok(Response::VolumeFile {
        file: Box::new(file.clone()),
        text,
    })
}

fn file_of(entry: &Entry) -> VolumeFile {
    VolumeFile {
        name: entry.settings.name.clone(),
        uuid: entry.uuid.clone(),
        metadata_url: entry.settings.metadata_url.clone(),
        options: MountOptions {
            // A folder of this computer.
            cache_folder: None,
            ..entry.settings.options.clone()
        },
        needs: SecretNeeds {
            metadata_password: entry.secrets.contains(&SecretKind::MetadataPassword),
            key_passphrase: entry.secrets.contains(&SecretKind::KeyPassphrase),
        },
    }
}
