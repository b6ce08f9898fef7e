//! The drivers by the name that `--storage` and the setting give them.

use moorage_model::{Error, ErrorKind, Result, TierId};
use opendal::Operator;

use super::bucket::BucketUrl;
use super::failure::Secrets;
use super::{clouds, s3};
use crate::store::StoreConfig;

/// Every name of a storage that this build can open.
pub const KNOWN_STORAGES: &[&str] = &[
    "file", "mem", "s3", "minio", "b2", "eos", "gs", "ibmcos", "jss", "ks3", "obs", "oos", "oss", "cos",
    "qiniu", "scw", "sftp", "space", "wasabi", "wasb", "webdav",
];
/// Names of storages that the format has and this build does not, with what may be done instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("bos", "Use its S3 interface with --storage s3"),
    ("ceph", "Use its S3 gateway with --storage s3"),
    ("cifs", "Mount the share and use --storage file"),
    ("etcd", "Use a store made for large objects"),
    ("gluster", "Mount the volume and use --storage file"),
    ("hdfs", "Mount it through its NFS gateway and use --storage file"),
    ("mysql", "Use a store made for large objects"),
    ("nfs", "Mount the export and use --storage file"),
    ("postgres", "Use a store made for large objects"),
    ("qingstor", "Use its S3 interface with --storage s3"),
    ("redis", "Use a store made for large objects"),
    ("sqlite3", "Use --storage file"),
    ("swift", "Use its S3 interface with --storage s3"),
    ("tikv", "Use a store made for large objects"),
    ("tos", "Use its S3 interface with --storage s3"),
    ("ufile", "Use its S3 interface with --storage s3"),
];

/// One row of the table.
#[derive(Debug)]
pub(super) struct Driver {
    /// What people call the service.
    pub(super) name: &'static str,
    pub(super) open: fn(&StoreConfig, &Driver, &str) -> Result<Opened>,
    /// Names are folders: listings come one folder at a time, and deleting a folder deletes what is in it.
    pub(super) folders: bool,
}

/// A bucket ready for use.
#[derive(Debug)]
pub(super) struct Opened {
    /// The operator of tier 0 first; other tiers only where their storage class differs.
    pub(super) operators: Vec<(TierId, Operator)>,
    /// Where the objects are, in words and without secrets.
    pub(super) words: String,
    /// Write and check the checksum in the object's metadata (spec 60-objects section 6).
    pub(super) checksum: bool,
}

/// The driver of a storage name.
///
/// # Errors
/// `NotSupported` for a name that is not in the table; the error lists those that are.
pub(super) fn find(storage: &str) -> Result<Driver> {
    let s3_like = |name| Driver {
        name,
        open: s3::open,
        folders: false,
    };
    let cloud = |name, open| Driver {
        name,
        open,
        folders: false,
    };
    Ok(match storage {
        "s3" => s3_like("S3"),
        "minio" => s3_like("MinIO"),
        "b2" => s3_like("Backblaze B2"),
        "eos" => s3_like("ECloud"),
        "ibmcos" => s3_like("IBM Cloud"),
        "jss" => s3_like("JD Cloud"),
        "ks3" => s3_like("Kingsoft KS3"),
        "obs" => s3_like("Huawei OBS"),
        "oos" => s3_like("CTYun OOS"),
        "qiniu" => s3_like("Qiniu"),
        "scw" => s3_like("Scaleway"),
        "space" => s3_like("DigitalOcean Spaces"),
        "wasabi" => s3_like("Wasabi"),
        "gs" => cloud("Google Cloud Storage", clouds::open_google),
        "wasb" => cloud("Azure Blob Storage", clouds::open_azure),
        "oss" => cloud("Alibaba OSS", clouds::open_alibaba),
        "cos" => cloud("Tencent COS", clouds::open_tencent),
        "webdav" => Driver {
            name: "WebDAV",
            open: super::folders::open_webdav,
            folders: true,
        },
        #[cfg(unix)]
        "sftp" => Driver {
            name: "SFTP",
            open: super::folders::open_sftp,
            folders: true,
        },
        other => return Err(unknown(other)),
    })
}

fn unknown(storage: &str) -> Error {
    let known = KNOWN_STORAGES.join(", ");
    let instead = UNSUPPORTED
        .iter()
        .find(|(name, _)| *name == storage)
        .map_or("Use one of these", |(_, instead)| instead);
    Error::new(
        ErrorKind::NotSupported,
        format!("storage {storage:?} is not supported; supported are {known}"),
    )
    .with_advice(instead)
}

/// Whether the volume asks for unsigned requests, as it does by the access key `anonymous`.
pub(super) fn anonymous(config: &StoreConfig) -> bool {
    config.access_key == "anonymous"
}

impl Opened {
    /// Makes an operator for tier 0, and one for each tier with another storage class.
    pub(super) fn per_class(
        config: &StoreConfig,
        words: String,
        checksum: bool,
        make: impl Fn(Option<&str>) -> opendal::Result<Operator>,
    ) -> Result<Opened> {
        warn_of_tags(config, &words);
        // The operators find their transport in a place that is filled once for the process.
        opendal::install_default();
        let secrets = Secrets::new(config);
        let mut operators = Vec::new();
        let mut default_class = "";
        for tier in &config.tiers {
            let class = tier.storage_class.as_str();
            if tier.id == 0 {
                default_class = class;
            } else if class == default_class {
                continue;
            }
            let operator = make(Some(class).filter(|class| !class.is_empty()))
                .map_err(|e| secrets.error(&e, &format!("the object store ({words}) can not be opened")))?;
            operators.push((TierId(tier.id), operator));
        }
        Ok(Opened {
            operators,
            words,
            checksum,
        })
    }

    /// The same operator for all tiers, where the driver can not choose a storage class.
    pub(super) fn without_classes(
        config: &StoreConfig,
        words: String,
        make: impl Fn() -> opendal::Result<Operator>,
    ) -> Result<Opened> {
        if config.tiers.iter().any(|tier| !tier.storage_class.is_empty()) {
            tracing::warn!(
                store = words,
                "storage classes of tiers are not sent to this kind of store"
            );
        }
        warn_of_tags(config, &words);
        opendal::install_default();
        let operator = make().map_err(|e| {
            Secrets::new(config).error(&e, &format!("the object store ({words}) can not be opened"))
        })?;
        Ok(Opened {
            operators: vec![(TierId(0), operator)],
            words,
            checksum: false,
        })
    }
}

/// The drivers have no way to send a tag with an object.
fn warn_of_tags(config: &StoreConfig, words: &str) {
    if config.tiers.iter().any(|tier| !tier.tag.is_empty()) {
        tracing::warn!(store = words, "object tags of tiers are not sent");
    }
}

/// Says which options of a bucket nobody looks at; `known` are looked at by the driver.
pub(super) fn warn_of_options(url: &BucketUrl, known: &[&str]) {
    for (name, _) in &url.options {
        if !known.contains(&name.as_str()) {
            tracing::warn!(
                option = name,
                "an option of the bucket is not supported and has no effect"
            );
        }
    }
}
