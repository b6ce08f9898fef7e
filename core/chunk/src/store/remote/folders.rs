//! Servers whose names are folders and files: WebDAV and SFTP.

use moorage_model::Result;
use opendal::Operator;
use opendal::services::WebdavConfig;

use super::bucket::BucketUrl;
use super::driver::{Driver, Opened, warn_of_options};
use crate::store::StoreConfig;

/// `https://HOST/FOLDER`; user and password are the access key and the secret key.
pub(in crate::store) fn open_webdav(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let url = BucketUrl::parse(bucket)?;
    warn_of_options(&url, &[]);
    let endpoint = url.endpoint(&url.host);
    let root = format!("/{}", url.path.join("/"));
    let words = format!("folder {root} at {endpoint} ({})", driver.service);
    Opened::without_classes(config, words, || {
        let mut webdav = WebdavConfig::default();
        webdav.endpoint = Some(endpoint.clone());
        webdav.root = Some(root.clone());
        if !config.access_key.is_empty() {
            webdav.username = Some(config.access_key.clone());
            webdav.password = Some(config.secret_key.to_string());
        }
        Operator::from_config(webdav)
    })
    .map(|opened| opened.at(&endpoint))
}

/// `[USER@]HOST:[PORT:]/FOLDER`. Logs in with the keys that the system's ssh finds.
#[cfg(unix)]
pub(in crate::store) fn open_sftp(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let place = SftpPlace::parse(bucket)?;
    if !config.secret_key.is_empty() {
        return Err(moorage_model::Error::new(
            moorage_model::ErrorKind::NotSupported,
            "SFTP with a password is not supported",
        )
        .with_advice("Set up an ssh key for the host and leave the secret key empty"));
    }
    let user = place
        .user
        .clone()
        .or_else(|| Some(config.access_key.clone()).filter(|user| !user.is_empty()));
    let words = format!("folder {} at {} ({})", place.folder, place.host, driver.service);
    let endpoint = match place.port {
        Some(port) => format!("ssh://{}:{port}", place.host),
        None => format!("ssh://{}", place.host),
    };
    Opened::without_classes(config, words, || {
        let mut sftp = opendal::services::SftpConfig::default();
        sftp.endpoint = Some(endpoint.clone());
        sftp.root = Some(place.folder.clone());
        sftp.user.clone_from(&user);
        sftp.key = std::env::var("SSH_PRIVATE_KEY_PATH").ok();
        Operator::from_config(sftp)
    })
    .map(|opened| opened.at(&endpoint))
}

/// The parts of an SFTP bucket.
#[cfg(unix)]
#[derive(Debug, PartialEq, Eq)]
struct SftpPlace {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    folder: String,
}

#[cfg(unix)]
impl SftpPlace {
    fn parse(bucket: &str) -> Result<SftpPlace> {
        let refuse = |why: &str| {
            moorage_model::Error::new(
                moorage_model::ErrorKind::InvalidArgument,
                format!("the bucket of the volume {why}"),
            )
            .with_advice("For SFTP a bucket is given like USER@HOST:/FOLDER or USER@HOST:PORT:/FOLDER")
        };
        let text = bucket.strip_prefix("sftp://").unwrap_or(bucket);
        let (user, rest) = match text.split_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (host, rest) = rest
            .split_once(':')
            .ok_or_else(|| refuse("names no folder behind its host"))?;
        let (port, folder) = match rest.split_once(':') {
            Some((port, folder)) => (
                Some(port.parse().map_err(|_| refuse("has an impossible port"))?),
                folder,
            ),
            None => (None, rest),
        };
        if host.is_empty() || !folder.starts_with('/') {
            // The driver knows no home folder, and guessing one would look for the volume in another place.
            return Err(refuse("names no absolute folder"));
        }
        Ok(SftpPlace {
            user,
            host: host.to_owned(),
            port,
            folder: folder.to_owned(),
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::SftpPlace;

    #[test]
    fn an_sftp_bucket_names_user_host_port_and_folder() {
        let place = SftpPlace::parse("ann@nas:2222:/volumes/photos/").unwrap();
        assert_eq!(
            (
                place.user.as_deref(),
                place.host.as_str(),
                place.port,
                place.folder.as_str()
            ),
            (Some("ann"), "nas", Some(2222), "/volumes/photos/")
        );
        assert_eq!(SftpPlace::parse("nas:/a").unwrap().port, None);
        for wrong in ["nas", "nas:relative/", "nas:x:/a", ":/a"] {
            assert!(SftpPlace::parse(wrong).is_err(), "{wrong}");
        }
    }
}
