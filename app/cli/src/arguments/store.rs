//! Where the objects of a volume are: the arguments that name a store, with its keys.

use clap::Args;
use moorage_chunk::Storage;
use moorage_model::{Error, ErrorKind, Result, Setting, redact};

use super::MetaUrl;
use crate::environment;

/// Where the objects are.
#[derive(Args, Debug)]
#[command(next_help_heading = "Object store")]
pub(crate) struct StoreArguments {
    // The help lists the storages that can be opened, so it comes from there.
    #[arg(long, help = format!("Kind of the object store: {} [default: file]", Storage::names()))]
    storage: Option<String>,

    /// Bucket URL, or a folder for file. With --shards a %d in it stands for the number of the bucket [default: a
    /// folder in the data directory of this user]
    #[arg(long)]
    bucket: Option<String>,

    /// Access key; for a new volume also from ACCESS_KEY or MOORAGE_ACCESS_KEY
    #[arg(long)]
    access_key: Option<String>,

    /// Secret key; for a new volume also from SECRET_KEY or MOORAGE_SECRET_KEY
    #[arg(long)]
    secret_key: Option<String>,

    /// Session token; for a new volume also from SESSION_TOKEN or MOORAGE_SESSION_TOKEN
    #[arg(long)]
    session_token: Option<String>,

    /// Storage class of new objects
    #[arg(long)]
    storage_class: Option<String>,
}

impl StoreArguments {
    /// Whether anything is.
    pub(crate) fn is_given(&self) -> bool {
        let texts = [
            &self.storage,
            &self.bucket,
            &self.access_key,
            &self.secret_key,
            &self.session_token,
            &self.storage_class,
        ];
        texts.iter().any(|text| text.is_some())
    }

    /// Puts what is given into a setting.
    ///
    /// # Errors
    /// `InvalidArgument` for a bucket that does not fit its storage.
    pub(crate) fn apply(&self, setting: &mut Setting) -> Result<()> {
        if let Some(storage) = &self.storage {
            setting.storage = storage.to_ascii_lowercase();
        }
        if let Some(bucket) = &self.bucket {
            setting.bucket = whole_bucket(&setting.storage, bucket)?;
        }
        for (given, member) in [
            (&self.access_key, &mut setting.access_key),
            (&self.secret_key, &mut setting.secret_key),
            (&self.session_token, &mut setting.session_token),
        ] {
            if let Some(given) = given {
                member.clone_from(given);
            }
        }
        if let Some(class) = &self.storage_class {
            let tiers = setting.tiers.get_or_insert_default();
            let tier = tiers.entry("0".to_owned()).or_default();
            tier.storage_class.clone_from(class);
        }
        Ok(())
    }

    /// The setting of a volume that would be made with this store, all else as it is by default and secrets in the open.
    ///
    /// # Errors
    /// As [`StoreArguments::apply`]; `InvalidArgument` where the storage needs a bucket.
    pub(crate) fn new_setting(&self, name: &str) -> Result<Setting> {
        let mut setting = Setting {
            name: name.to_owned(),
            uuid: uuid::Uuid::new_v4().to_string(),
            storage: "file".to_owned(),
            block_size: 4096,
            compression: "none".to_owned(),
            encrypt_algo: "aes256gcm-rsa".to_owned(),
            trash_days: 1,
            dir_stats: true,
            access_key: environment::access_key().unwrap_or_default(),
            secret_key: environment::secret_key().unwrap_or_default(),
            session_token: environment::session_token().unwrap_or_default(),
            ..Setting::default()
        };
        self.apply(&mut setting)?;
        if setting.bucket.is_empty() {
            setting.bucket = default_bucket(&setting.storage)?;
        }
        Ok(setting)
    }
}

/// A folder as every client has to find it: absolute, with a slash at its end (spec 10-setting section 2).
pub(crate) fn whole_bucket(storage: &str, bucket: &str) -> Result<String> {
    if storage != "file" {
        return Ok(bucket.to_owned());
    }
    if MetaUrl::looks_like(bucket) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{} is the address of a server, and storage file needs a folder",
                redact(bucket)
            ),
        )
        .with_advice("Name the kind of the store too, such as --storage s3, or give a folder."));
    }
    let absolute = std::path::absolute(bucket).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{:?} is no folder", redact(bucket)),
        )
        .with_source(error)
    })?;
    let text = absolute.to_str().ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the folder {} is not UTF-8", absolute.display()),
        )
    })?;
    Ok(format!(
        "{}/",
        text.trim_end_matches(['/', std::path::MAIN_SEPARATOR])
    ))
}

fn default_bucket(storage: &str) -> Result<String> {
    if storage != "file" {
        let example = Storage::find(storage)?.example;
        if example.is_empty() {
            return Ok(String::new());
        }
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("storage {storage} needs a bucket"),
        )
        .with_advice(format!("Give it with --bucket, for example --bucket {example}.")));
    }
    let folders = moorage_host::Folders::of_user().map_err(|error| {
        Error::new(ErrorKind::NotFound, "no folder for the objects is known")
            .with_source(error)
            .with_advice("Give one with --bucket.")
    })?;
    whole_bucket(storage, &folders.data.join("objects").to_string_lossy())
}
