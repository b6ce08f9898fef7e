//! The addresses that `sync` takes, in the forms of JuiceFS.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use moorage_chunk::{ObjectStore, Storage, open_store};
use moorage_model::{Error, ErrorKind, Result, Setting, redact, split_scheme};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{ObjectSide, RelativePath};

/// Schemes of metadata URLs.
const DATABASES: [&str; 9] = [
    "sqlite3",
    "sqlite",
    "redis",
    "rediss",
    "unix",
    "postgres",
    "postgresql",
    "mysql",
    "tikv",
];
/// Scheme of a volume whose metadata URL stands in an environment variable.
const VOLUME: &str = "jfs";
/// Storages whose servers are spoken to without TLS where nothing else is said.
const PLAIN: &str = "minio";
/// Storages whose whole path is a folder of a server: there is no bucket in it.
const FOLDERS: [&str; 2] = ["webdav", "sftp"];

const FORMS: &str = "Write a folder, file:///FOLDER, STORAGE://[ACCESS_KEY:SECRET_KEY@]BUCKET.ENDPOINT/PATH such as \
                     s3://photos.s3.eu-west-1.amazonaws.com/2024, a metadata URL such as sqlite3:///home/me/volume.db, or \
                     jfs://NAME/PATH with the metadata URL in the environment variable NAME.";

/// One end, as it was typed.
#[derive(Clone, Debug)]
pub enum Address {
    /// A folder of this computer.
    Folder(PathBuf),
    /// Objects of a store.
    Objects(Bucket),
    /// The root of the volume with this metadata URL.
    Database(String),
    /// A folder of the volume whose metadata URL stands in an environment variable.
    Volume {
        /// The variable.
        variable: String,
        /// The folder.
        path: RelativePath,
    },
}

/// A bucket and a path in it.
#[derive(Clone)]
pub struct Bucket {
    storage: &'static Storage,
    bucket: String,
    path: RelativePath,
    access_key: String,
    secret_key: Zeroizing<String>,
    session_token: Zeroizing<String>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("storage", &self.storage.name)
            .field("bucket", &redact(&self.bucket))
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Whether stores are reached by TLS where the address does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// As the storage usually is.
    Usual,
    /// Without TLS.
    Plain,
}

impl Address {
    /// Reads an address. What has no `://` is a folder.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown scheme or a store without a bucket; `NotSupported` for a storage that this build
    /// does not have. No text holds a secret.
    pub fn parse(text: &str, transport: Transport) -> Result<Address> {
        let Some((scheme, rest)) = split_scheme(text).filter(|_| text.contains("://")) else {
            return Ok(Address::Folder(text.into()));
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "file" => Ok(Address::Folder(without_slash_of_drive(rest).into())),
            VOLUME => volume(rest),
            database if DATABASES.contains(&database) => Ok(Address::Database(text.to_owned())),
            storage => {
                let storage = Storage::find(storage).map_err(|error| {
                    let unknown = format!("{} is no address", redact(text));
                    Error::new(error.kind(), unknown)
                        .with_source(error)
                        .with_advice(FORMS)
                })?;
                bucket(storage, rest, transport).map(Address::Objects)
            }
        }
    }
}

/// On Windows `file:///C:/folder` names a drive.
fn without_slash_of_drive(path: &str) -> &str {
    let drive = path.strip_prefix('/');
    let drive = drive.filter(|rest| cfg!(windows) && rest.get(1..2) == Some(":"));
    drive.unwrap_or(path)
}

fn relative(path: &str) -> Result<RelativePath> {
    RelativePath::new(path.trim_matches('/').as_bytes())
}

fn volume(rest: &str) -> Result<Address> {
    let (variable, path) = rest.split_once('/').unwrap_or((rest, ""));
    if variable.is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "jfs:// names no volume").with_advice(FORMS));
    }
    Ok(Address::Volume {
        variable: variable.to_owned(),
        path: relative(path)?,
    })
}

fn bucket(storage: &'static Storage, rest: &str, transport: Transport) -> Result<Bucket> {
    let (credentials, place) = match rest.split_once('/').unwrap_or((rest, "")).0.rfind('@') {
        Some(at) if storage.name != "sftp" => {
            let (credentials, place) = rest.split_at(at);
            (credentials, place.get(1..).unwrap_or_default())
        }
        _ => ("", rest),
    };
    let mut parts = credentials
        .splitn(3, ':')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned());
    let mut next = || parts.next().unwrap_or_default();
    let (access_key, secret_key, session_token) = (next(), Zeroizing::new(next()), Zeroizing::new(next()));
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    if host.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{}:// names no bucket", storage.name),
        )
        .with_advice(FORMS));
    }
    let http = transport == Transport::Plain || storage.name == PLAIN;
    let scheme = if http { "http" } else { "https" };
    let (bucket, path) = if storage.name == "sftp" {
        (place.to_owned(), "")
    } else if FOLDERS.contains(&storage.name) {
        (format!("{scheme}://{place}"), "")
    } else if has_bucket_in_path(storage, host) {
        let (bucket, path) = path.split_once('/').unwrap_or((path, ""));
        (format!("{scheme}://{host}/{bucket}"), path)
    } else if storage.name == "gs" {
        (format!("gs://{host}"), path)
    } else {
        (format!("{scheme}://{host}"), path)
    };
    Ok(Bucket {
        storage,
        bucket,
        path: relative(path)?,
        access_key,
        secret_key,
        session_token,
    })
}

/// Whether the host is a server and the bucket the first name of the path.
fn has_bucket_in_path(storage: &Storage, host: &str) -> bool {
    storage.name == PLAIN
        || host.contains(':')
        || host == "localhost"
        || host.parse::<std::net::Ipv4Addr>().is_ok()
}

impl Bucket {
    /// Opens the store. Nothing is sent yet. Keys that the address does not hold come from where the storage's own tools
    /// find them. Call it inside the runtime.
    ///
    /// # Errors
    /// `InvalidArgument` for a bucket that does not fit its storage.
    pub fn open(&self) -> Result<ObjectSide> {
        let setting = Setting {
            storage: self.storage.name.to_owned(),
            bucket: self.bucket.clone(),
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.to_string(),
            session_token: self.session_token.to_string(),
            ..Setting::default()
        };
        let store: Arc<dyn ObjectStore> = open_store(&setting, None)?;
        ObjectSide::new(store, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str) -> (String, String, String) {
        match Address::parse(text, Transport::Usual).unwrap() {
            Address::Objects(bucket) => (
                bucket.bucket,
                bucket.path.as_bytes().escape_ascii().to_string(),
                {
                    let keys = [&bucket.access_key, &*bucket.secret_key, &*bucket.session_token];
                    keys.map(String::as_str).join(" ").trim_end().to_owned()
                },
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_is_told_from_the_path_in_it_and_from_the_keys() {
        for (text, bucket, path, keys) in [
            (
                "s3://photos.s3.eu-west-1.amazonaws.com/2024/may/",
                "https://photos.s3.eu-west-1.amazonaws.com",
                "2024/may",
                "",
            ),
            ("s3://AK:S%2FK:T@photos/", "https://photos", "", "AK S/K T"),
            (
                "minio://a:b@127.0.0.1:9000/photos/x",
                "http://127.0.0.1:9000/photos",
                "x",
                "a b",
            ),
            (
                "s3://127.0.0.1:9000/photos/x/y",
                "https://127.0.0.1:9000/photos",
                "x/y",
                "",
            ),
            ("gs://photos/a", "gs://photos", "a", ""),
            (
                "webdav://u:p@cloud.example/dav/x",
                "https://cloud.example/dav/x",
                "",
                "u p",
            ),
            ("s3://photos/a@b", "https://photos", "a@b", ""),
        ] {
            let expected = (bucket.to_owned(), path.to_owned(), keys.to_owned());
            assert_eq!(objects(text), expected, "{text}");
        }
        let plain = Address::parse("s3://photos/x", Transport::Plain).unwrap();
        assert!(matches!(plain, Address::Objects(bucket) if bucket.bucket == "http://photos"));
    }

    #[test]
    fn folders_and_volumes_are_told_from_buckets() {
        let parse = |text| Address::parse(text, Transport::Usual).unwrap();
        assert!(matches!(parse("/a/b"), Address::Folder(path) if path.as_os_str() == "/a/b"));
        assert!(matches!(parse("a:b"), Address::Folder(_)));
        assert!(matches!(parse("file:///a"), Address::Folder(path) if path.as_os_str() == "/a"));
        assert!(matches!(parse("sqlite3:///a.db"), Address::Database(_)));
        match parse("jfs://myfs/a/b/") {
            Address::Volume { variable, path } => {
                assert_eq!((variable.as_str(), path.as_bytes()), ("myfs", b"a/b".as_slice()));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_address_says_so_without_its_secrets() {
        for text in ["ftp://me:hunter2@x/y", "s3:///x", "jfs:///x"] {
            let error = Address::parse(text, Transport::Usual).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(error.advice().is_some(), "{error}");
        }
    }
}
