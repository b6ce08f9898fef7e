//! Every storage that the format knows: the one table from which the names, their drivers, the help and the errors come.

use moorage_model::{Error, ErrorKind, Result};

#[cfg(unix)]
use super::remote::open_sftp;
use super::remote::{
    Driver, Open, open_alibaba, open_azure, open_google, open_s3, open_tencent, open_webdav,
};

/// A storage that this build can open.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    /// The name that `--storage` and the setting give it, in lower case.
    pub name: &'static str,
    /// A bucket in the form that it takes.
    pub example: &'static str,
    pub(super) kind: Kind,
}

/// What opens a bucket of a storage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A folder of this machine.
    Folder,
    /// The memory of this process.
    Memory,
    /// A driver of the library for remote stores.
    Remote(Driver),
}

/// The storages that this build can open, in the order in which people are shown them.
pub const STORAGES: &[Storage] = &[
    Storage {
        name: "file",
        example: "/srv/objects/",
        kind: Kind::Folder,
    },
    s3_like("s3", "S3", "https://photos.s3.eu-west-1.amazonaws.com"),
    s3_like("minio", "MinIO", "http://127.0.0.1:9000/photos"),
    remote("gs", "Google Cloud Storage", open_google, "gs://photos"),
    remote(
        "wasb",
        "Azure Blob Storage",
        open_azure,
        "https://photos.core.windows.net",
    ),
    remote(
        "oss",
        "Alibaba OSS",
        open_alibaba,
        "https://photos.oss-cn-hangzhou.aliyuncs.com",
    ),
    remote(
        "cos",
        "Tencent COS",
        open_tencent,
        "https://photos-1250000000.cos.ap-beijing.myqcloud.com",
    ),
    s3_like(
        "b2",
        "Backblaze B2",
        "https://photos.s3.us-west-004.backblazeb2.com",
    ),
    folders(
        "webdav",
        "WebDAV",
        open_webdav,
        "https://cloud.example/dav/photos",
    ),
    #[cfg(unix)]
    folders("sftp", "SFTP", open_sftp, "ann@nas:/photos"),
    s3_like("eos", "ECloud", "https://photos.eos-wuxi-1.cmecloud.cn"),
    s3_like(
        "ibmcos",
        "IBM Cloud",
        "https://photos.s3.eu-de.cloud-object-storage.appdomain.cloud",
    ),
    s3_like("jss", "JD Cloud", "https://photos.s3.cn-north-1.jdcloud-oss.com"),
    s3_like("ks3", "Kingsoft KS3", "https://photos.ks3-cn-beijing.ksyuncs.com"),
    s3_like(
        "obs",
        "Huawei OBS",
        "https://photos.obs.cn-east-1.myhuaweicloud.com",
    ),
    s3_like("oos", "CTYun OOS", "https://photos.oos-cn.ctyunapi.cn"),
    s3_like("qiniu", "Qiniu", "https://photos.s3-cn-east-1.qiniucs.com"),
    s3_like("scw", "Scaleway", "https://photos.s3.fr-par.scw.cloud"),
    s3_like(
        "space",
        "DigitalOcean Spaces",
        "https://photos.ams3.digitaloceanspaces.com",
    ),
    s3_like("wasabi", "Wasabi", "https://photos.s3.eu-central-1.wasabisys.com"),
    Storage {
        name: "mem",
        example: "",
        kind: Kind::Memory,
    },
];

const S3_INTERFACE: &str = "Use its S3 interface with --storage s3.";
const LARGE_OBJECTS: &str = "Use a store made for large objects.";

/// Names that the format has and this build does not, with what may be done instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("bos", S3_INTERFACE),
    ("ceph", "Use its S3 gateway with --storage s3."),
    ("cifs", "Mount the share and use --storage file."),
    ("etcd", LARGE_OBJECTS),
    ("gluster", "Mount the volume and use --storage file."),
    ("hdfs", "Mount it through its NFS gateway and use --storage file."),
    ("mysql", LARGE_OBJECTS),
    ("nfs", "Mount the export and use --storage file."),
    ("postgres", LARGE_OBJECTS),
    ("qingstor", S3_INTERFACE),
    ("redis", LARGE_OBJECTS),
    #[cfg(not(unix))]
    ("sftp", "Use --storage webdav, or a Linux or macOS computer."),
    ("sqlite3", "Use --storage file."),
    ("swift", S3_INTERFACE),
    ("tikv", LARGE_OBJECTS),
    ("tos", S3_INTERFACE),
    ("ufile", S3_INTERFACE),
];

const fn remote(name: &'static str, service: &'static str, open: Open, example: &'static str) -> Storage {
    let driver = Driver {
        service,
        open,
        folders: false,
    };
    Storage {
        name,
        example,
        kind: Kind::Remote(driver),
    }
}

/// A server whose names are folders and files.
const fn folders(name: &'static str, service: &'static str, open: Open, example: &'static str) -> Storage {
    let driver = Driver {
        service,
        open,
        folders: true,
    };
    Storage {
        name,
        example,
        kind: Kind::Remote(driver),
    }
}

const fn s3_like(name: &'static str, service: &'static str, example: &'static str) -> Storage {
    remote(name, service, open_s3, example)
}

impl Storage {
    /// The storage of a name in lower case.
    ///
    /// # Errors
    /// `NotSupported` for a name that is not in the table; the error lists those that are, and says what to use instead.
    pub fn find(name: &str) -> Result<&'static Storage> {
        let found = STORAGES.iter().find(|storage| storage.name == name);
        found.ok_or_else(|| {
            let instead = UNSUPPORTED
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("Use one of these.", |(_, instead)| instead);
            Error::new(
                ErrorKind::NotSupported,
                format!(
                    "storage {name:?} is not supported; supported are {}",
                    Storage::names()
                ),
            )
            .with_advice(instead)
        })
    }

    /// All names, separated by commas.
    pub fn names() -> String {
        let names: Vec<&str> = STORAGES.iter().map(|storage| storage.name).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_supported_or_not_and_stands_once() {
        let mut names: Vec<&str> = STORAGES.iter().map(|storage| storage.name).collect();
        names.extend(UNSUPPORTED.iter().map(|(name, _)| *name));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
