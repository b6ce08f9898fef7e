//! Object stores with protocols of their own.

use moorage_model::{Error, ErrorKind, Result};
use opendal::Operator;
use opendal::services::{AzblobConfig, CosConfig, GcsConfig, OssConfig};

use super::bucket::BucketUrl;
use super::driver::{Driver, Opened, anonymous, warn_of_options};
use crate::store::StoreConfig;

/// Where Google's buckets are.
const GOOGLE: &str = "https://storage.googleapis.com";

fn token(config: &StoreConfig) -> Option<String> {
    Some(config.session_token.to_string()).filter(|token| !token.is_empty())
}

/// `gs://BUCKET`, `https://storage.googleapis.com/BUCKET` or just the name. Credentials come from the environment
/// (`GOOGLE_APPLICATION_CREDENTIALS`), the well-known file or the machine.
pub(in crate::store) fn open_google(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let url = BucketUrl::parse(bucket)?;
    warn_of_options(&url, &[]);
    // Another endpoint only where one is named with a path behind it, as emulators and proxies are.
    let (name, endpoint) = match url.path.as_slice() {
        [] => (url.host.split('.').next().unwrap_or_default(), None),
        _ => (url.path_bucket()?, Some(url.endpoint(&url.host))),
    };
    let words = format!("bucket {name} ({})", driver.service);
    Opened::per_class(config, words, false, |class| {
        let mut google = GcsConfig::default();
        google.bucket = name.to_owned();
        google.endpoint.clone_from(&endpoint);
        google.default_storage_class = class.map(str::to_owned);
        google.token = token(config);
        if anonymous(config) {
            google.skip_signature = true;
        }
        Operator::from_config(google)
    })
    .map(|opened| opened.at(endpoint.as_deref().unwrap_or(GOOGLE)))
}

/// `https://CONTAINER.core.windows.net` (or another cloud's suffix), or `http://HOST:PORT/ACCOUNT/CONTAINER` for
/// servers of one's own. The access key is the account's name.
pub(in crate::store) fn open_azure(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let url = BucketUrl::parse(bucket)?;
    warn_of_options(&url, &[]);
    let account = config.access_key.as_str();
    let (container, endpoint) = match url.path.as_slice() {
        [account, container] => (
            container.as_str(),
            format!("{}/{account}", url.endpoint(&url.host)),
        ),
        [] if !account.is_empty() => {
            let (container, suffix) = url.leading_bucket()?;
            (container, format!("{}://{account}.blob.{suffix}", url.scheme))
        }
        [] => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "Azure Blob Storage needs the name of the account",
            )
            .with_advice("Give it as access key, and the account's key as secret key"));
        }
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "the bucket has a path behind its host that names no account and container",
            ));
        }
    };
    let words = format!("container {container} at {endpoint} ({})", driver.service);
    Opened::without_classes(config, words, || {
        let mut azure = AzblobConfig {
            container: container.to_owned(),
            endpoint: Some(endpoint.clone()),
            ..AzblobConfig::default()
        };
        if !account.is_empty() {
            azure.account_name = Some(account.to_owned());
            azure.account_key = Some(config.secret_key.to_string()).filter(|key| !key.is_empty());
        }
        Operator::from_config(azure)
    })
    .map(|opened| opened.at(&endpoint))
}

/// `https://BUCKET.oss-REGION.aliyuncs.com`.
pub(in crate::store) fn open_alibaba(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let url = BucketUrl::parse(bucket)?;
    warn_of_options(&url, &["disable-checksum"]);
    let (name, host) = url.leading_bucket()?;
    let endpoint = url.endpoint(host);
    // Off unless the bucket asks for it (spec 60-objects section 6).
    let checksum = url.option("disable-checksum") == Some("false");
    let words = format!("bucket {name} at {endpoint} ({})", driver.service);
    let opened = Opened::without_classes(config, words, || {
        let mut oss = OssConfig::default();
        oss.bucket = name.to_owned();
        oss.endpoint = Some(endpoint.clone());
        if anonymous(config) {
            oss.skip_signature = true;
        } else if !config.access_key.is_empty() {
            oss.access_key_id = Some(config.access_key.clone());
            oss.access_key_secret = Some(config.secret_key.to_string());
            oss.security_token = token(config);
        }
        Operator::from_config(oss)
    })?;
    Ok(Opened { checksum, ..opened }.at(&endpoint))
}

/// `https://BUCKET-APPID.cos.REGION.myqcloud.com`.
pub(in crate::store) fn open_tencent(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let url = BucketUrl::parse(bucket)?;
    warn_of_options(&url, &["disable-checksum"]);
    let (name, host) = url.leading_bucket()?;
    let endpoint = url.endpoint(host);
    let checksum = url.option("disable-checksum") != Some("true");
    let words = format!("bucket {name} at {endpoint} ({})", driver.service);
    let opened = Opened::without_classes(config, words, || {
        let mut cos = CosConfig {
            bucket: Some(name.to_owned()),
            endpoint: Some(endpoint.clone()),
            ..CosConfig::default()
        };
        if !config.access_key.is_empty() {
            cos.secret_id = Some(config.access_key.clone());
            cos.secret_key = Some(config.secret_key.to_string());
            cos.security_token = token(config);
            cos.disable_config_load = true;
        }
        Operator::from_config(cos)
    })?;
    Ok(Opened { checksum, ..opened }.at(&endpoint))
}
