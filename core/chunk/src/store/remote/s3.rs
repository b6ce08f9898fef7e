//! Amazon S3 and the services that speak its protocol.

use moorage_model::{Error, ErrorKind, Result};
use opendal::services::S3Config;
use opendal::{Configurator as _, Operator};

use super::bucket::BucketUrl;
use super::driver::{Driver, Opened, anonymous};
use super::own_credentials::own_credentials;
use crate::store::StoreConfig;

/// Signing region where nothing tells another; servers of one's own take any.
const DEFAULT_REGION: &str = "us-east-1";

/// Where a bucket is and how it is addressed.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    endpoint: String,
    bucket: String,
    region: String,
    /// The bucket is part of the host name.
    virtual_host: bool,
}

/// Opens one bucket, an operator per tier with a storage class of its own.
pub(in crate::store) fn open(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<Opened> {
    let url = BucketUrl::parse(bucket)?;
    let place = locate(&config.storage, &url)?;
    let checksum = url.option("disable-checksum") != Some("true");
    let words = format!(
        "bucket {} at {} ({})",
        place.bucket, place.endpoint, driver.service
    );
    Opened::per_class(config, words, checksum, |class| {
        let mut s3 = S3Config::default();
        s3.bucket = place.bucket.clone();
        s3.endpoint = Some(place.endpoint.clone());
        s3.region = Some(place.region.clone());
        s3.enable_virtual_host_style = place.virtual_host;
        s3.default_storage_class = class.map(str::to_owned);
        if anonymous(config) {
            s3.skip_signature = true;
        } else if !config.access_key.is_empty() {
            s3.access_key_id = Some(config.access_key.clone());
            s3.secret_access_key = Some(config.secret_key.to_string());
            s3.session_token = Some(config.session_token.to_string()).filter(|token| !token.is_empty());
            // What the volume says is all there is to know: nothing of the environment mixes in.
            s3.disable_config_load = true;
            s3.disable_ec2_metadata = true;
        } else {
            return Operator::new(s3.into_builder().credential_provider_chain(own_credentials()));
        }
        Operator::from_config(s3)
    })
    .map(|opened| opened.at(&place.endpoint))
}

fn locate(storage: &str, url: &BucketUrl) -> Result<Place> {
    let region = |host: &str| {
        url.option("region")
            .map(str::to_owned)
            .or_else(|| region_of(host))
            .or_else(|| std::env::var("AWS_REGION").ok())
            .or_else(|| std::env::var("AWS_DEFAULT_REGION").ok())
            .unwrap_or_else(|| DEFAULT_REGION.to_owned())
    };
    if !url.path.is_empty() || storage == "minio" {
        return Ok(Place {
            endpoint: url.endpoint(&url.host),
            bucket: url.path_bucket()?.to_owned(),
            region: region(&url.host),
            virtual_host: false,
        });
    }
    if storage == "b2" && !url.host.contains(".s3.") {
        return Err(Error::new(
            ErrorKind::NotSupported,
            "Backblaze B2 is reached through its S3 interface, which this bucket does not name",
        )
        .with_advice("Use https://BUCKET.s3.REGION.backblazeb2.com with an application key"));
    }
    if !url.host.contains('.') && storage == "s3" {
        let region = region("");
        return Ok(Place {
            endpoint: format!("https://s3.{region}.amazonaws.com"),
            bucket: url.host.clone(),
            region,
            virtual_host: true,
        });
    }
    let (bucket, host) = split_host(url)?;
    Ok(Place {
        endpoint: url.endpoint(host),
        bucket: bucket.to_owned(),
        region: region(host),
        // Certificates cover one label in front of the endpoint.
        virtual_host: !bucket.contains('.'),
    })
}

/// Bucket and endpoint of a host; a bucket with dots ends where the `s3` of an endpoint begins.
fn split_host(url: &BucketUrl) -> Result<(&str, &str)> {
    let marks = [".s3.", ".s3-"];
    match marks.iter().filter_map(|mark| url.host.find(mark)).min() {
        Some(at) => Ok((
            url.host.get(..at).unwrap_or_default(),
            url.host.get(at + 1..).unwrap_or_default(),
        )),
        None => url.leading_bucket(),
    }
}

/// The region in an endpoint like `s3.eu-west-1.amazonaws.com`, `s3-eu-west-1.amazonaws.com` or
/// `ams3.digitaloceanspaces.com`.
fn region_of(host: &str) -> Option<String> {
    let mut labels = host.split('.');
    let first = labels.next()?;
    let region = match first.strip_prefix("s3") {
        Some("") => {
            let next = labels.next()?;
            if next == "dualstack" { labels.next()? } else { next }
        }
        Some(rest) => rest.strip_prefix('-')?,
        None if host.ends_with("digitaloceanspaces.com") => first,
        None if matches!(first, "obs" | "oos" | "eos") => labels.next()?,
        None => return None,
    };
    let known = ["amazonaws", "wasabisys"];
    (!known.contains(&region)).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(storage: &str, text: &str) -> (String, String, String, bool) {
        let place = locate(storage, &BucketUrl::parse(text).unwrap()).unwrap();
        (place.endpoint, place.bucket, place.region, place.virtual_host)
    }

    #[test]
    fn every_form_of_an_s3_bucket_names_endpoint_bucket_and_region() {
        for (storage, text, endpoint, bucket, region, virtual_host) in [
            (
                "s3",
                "https://photos.s3.eu-west-1.amazonaws.com",
                "https://s3.eu-west-1.amazonaws.com",
                "photos",
                "eu-west-1",
                true,
            ),
            (
                "s3",
                "my.photos.s3-eu-west-1.amazonaws.com",
                "https://s3-eu-west-1.amazonaws.com",
                "my.photos",
                "eu-west-1",
                false,
            ),
            (
                "s3",
                "https://s3.eu-west-1.amazonaws.com/photos",
                "https://s3.eu-west-1.amazonaws.com",
                "photos",
                "eu-west-1",
                false,
            ),
            (
                "minio",
                "http://127.0.0.1:9000/photos",
                "http://127.0.0.1:9000",
                "photos",
                "us-east-1",
                false,
            ),
            (
                "wasabi",
                "https://photos.s3.eu-central-1.wasabisys.com",
                "https://s3.eu-central-1.wasabisys.com",
                "photos",
                "eu-central-1",
                true,
            ),
            (
                "space",
                "https://photos.ams3.digitaloceanspaces.com",
                "https://ams3.digitaloceanspaces.com",
                "photos",
                "ams3",
                true,
            ),
            (
                "b2",
                "https://photos.s3.us-west-004.backblazeb2.com",
                "https://s3.us-west-004.backblazeb2.com",
                "photos",
                "us-west-004",
                true,
            ),
        ] {
            assert_eq!(
                place(storage, text),
                (
                    endpoint.to_owned(),
                    bucket.to_owned(),
                    region.to_owned(),
                    virtual_host
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn a_minio_bucket_without_a_path_is_refused() {
        let url = BucketUrl::parse("http://127.0.0.1:9000").unwrap();
        assert_eq!(
            locate("minio", &url).unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
}
