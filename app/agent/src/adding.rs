//! How a volume comes into the list.

use moorage_control::message::{Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::{AddVolume, MetadataUrl, MountOptions, VolumeFormat, VolumeId, VolumeSettings};
use moorage_host::Folders;
use uuid::Uuid;

use crate::agent::Kept;
use crate::format_command::{self, Existing};
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::secret_kind::SecretKind;
use crate::service::{Desk, of_volume};
use crate::settings_file::Entry;
use crate::trouble::{caused, lasting, of_host};
use crate::validity::{checked, local_database};
use crate::volume_check;

/// What the demo volume is called, and its mount point below the home folder.
const DEMO: &str = "Moorage Demo";

impl<T: MountTable> Desk<T> {
    /// Adds a volume, made before where that is asked for. It waits for a person, or for the next start of the agent, to
    /// be mounted.
    ///
    /// # Errors
    /// Why it is not in the list. One that was made by then is not unmade.
    pub(crate) async fn add(&self, volume: AddVolume) -> Result<Response, Problem> {
        match volume {
            AddVolume::Join {
                settings,
                secrets,
                uuid,
            } => self.join(settings, secrets, uuid).await,
            AddVolume::Create {
                settings,
                format,
                secrets,
            } => self.create(settings, &format, secrets, Existing::Refused).await,
            AddVolume::Demo => {
                let (settings, format) = self.demo()?;
                let secrets = VolumeSecrets::default();
                self.create(settings, &format, secrets, Existing::Taken).await
            }
        }
    }

    async fn create(
        &self,
        settings: VolumeSettings,
        format: &VolumeFormat,
        secrets: VolumeSecrets,
        existing: Existing,
    ) -> Result<Response, Problem> {
        let others = self.0.state().content().volumes;
        let settings = checked(settings, None, &others)?;
        let (program, url) = (&self.0.places.program, &settings.metadata_url);
        format_command::make(program, &settings.name, url, format, &secrets, existing).await?;
        let secrets = VolumeSecrets {
            // The volume itself keeps those of its store.
            access_key: None,
            secret_key: None,
            session_token: None,
            ..secrets
        };
        self.enlist(settings, secrets, None).await
    }

    /// Takes a volume that exists into the list. Whether it is there is asked of a database that is a file: a server that
    /// is away now, or whose password comes later, is asked when the volume is mounted.
    async fn join(
        &self,
        settings: VolumeSettings,
        secrets: VolumeSecrets,
        uuid: Option<String>,
    ) -> Result<Response, Problem> {
        let others = self.0.state().content().volumes;
        let settings = checked(settings, None, &others)?;
        let (program, url) = (&self.0.places.program, &settings.metadata_url);
        let is_local = local_database(url).is_some();
        if is_local || uuid.is_some() {
            match volume_check::find(program, url, &secrets).await {
                Ok(found) => volume_check::is_the_one(&found, uuid.as_deref(), url)?,
                Err(problem) if is_local => return Err(problem),
                Err(problem) => tracing::info!("which volume is at {url:?} is not known yet: {problem}"),
            }
        }
        self.enlist(settings, secrets, uuid).await
    }

    async fn enlist(
        &self,
        settings: VolumeSettings,
        secrets: VolumeSecrets,
        uuid: Option<String>,
    ) -> Result<Response, Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = self.0.state().content();
        let settings = checked(settings, None, &content.volumes)?;
        let entry = Entry {
            id: VolumeId(Uuid::new_v4().to_string()),
            uuid,
            settings,
            secrets: SecretKind::of(&secrets),
            last_check: None,
        };
        content.volumes.push(entry.clone());
        // Before the secrets are stored: so none is ever in the store that the list does not know of.
        file.save(&content)?;
        let held = (!entry.secrets.is_empty()).then_some(secrets);
        let kept = Kept::new(entry, held, false);
        let volume = kept.volume(Moment::now());
        self.0.state().volumes.push(kept);
        drop(file);
        self.0.settle_secrets().await;
        self.0.changes.record(Topic::Volumes);
        self.0.wake.notify_one();
        Ok(of_volume(volume))
    }

    /// A volume in this user's data folder. One that was there before is found again with its files.
    pub(crate) fn demo(&self) -> Result<(VolumeSettings, VolumeFormat), Problem> {
        let places = &self.0.places;
        let folder = places.data.join("demo");
        Folders::make_private(&folder).map_err(|error| of_host(ProblemCode::PermissionDenied, &error))?;
        let url = format!("sqlite3://{}", folder.join("volume.db").display());
        let metadata_url = MetadataUrl::try_from(url).map_err(|error| {
            let what = format!("no volume can be made in {}", folder.display());
            let advice = "Set XDG_DATA_HOME to another folder.";
            caused(lasting(ProblemCode::Internal, what, advice), error)
        })?;
        let settings = VolumeSettings {
            name: DEMO.to_owned(),
            metadata_url,
            mount_point: match cfg!(windows) {
                // A drive is chosen.
                true => String::new(),
                false => places.home.join(DEMO).display().to_string(),
            },
            options: MountOptions {
                // Its objects are on this disk anyway.
                write_back: false,
                ..MountOptions::default()
            },
        };
        let format = VolumeFormat {
            storage: "file".to_owned(),
            bucket: folder.join("objects").display().to_string(),
            block_size: None,
            compression: None,
            trash_days: None,
            quota: None,
        };
        Ok((settings, format))
    }
}
