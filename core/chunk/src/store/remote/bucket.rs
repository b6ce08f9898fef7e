//! Bucket texts of the setting as the parts a driver needs (spec 10-setting section 2).

use moorage_model::{Error, ErrorKind, Result};
use url::Url;

/// A bucket text with an authority: `https://bucket.endpoint`, `https://endpoint/bucket`, `gs://bucket`, or just
/// the name of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketUrl {
    /// `https` when the text has no scheme.
    pub scheme: String,
    /// Host without port; for a bare bucket name that name.
    pub host: String,
    /// Port when the text gives one.
    pub port: Option<u16>,
    /// Parts of the path, none of them empty.
    pub path: Vec<String>,
    /// Options of the query, in order.
    pub options: Vec<(String, String)>,
}

/// Splits a text without ever repeating it whole in an error: it may hold a password.
fn refuse(why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("the bucket of the volume {why}"),
    )
    .with_advice("A bucket is given like https://BUCKET.ENDPOINT or http://HOST:PORT/BUCKET")
}

impl BucketUrl {
    /// Reads a bucket text.
    ///
    /// # Errors
    /// `InvalidArgument` when it is no address.
    pub fn parse(text: &str) -> Result<BucketUrl> {
        let text = text.trim();
        if text.is_empty() {
            return Err(refuse("is empty"));
        }
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&whole).map_err(|e| refuse(&format!("is no address ({e})")))?;
        let host = url.host_str().ok_or_else(|| refuse("names no host"))?;
        Ok(BucketUrl {
            scheme: url.scheme().to_owned(),
            host: host.to_owned(),
            port: url.port(),
            path: url
                .path_segments()
                .into_iter()
                .flatten()
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            options: url
                .query_pairs()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        })
    }

    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the host is a number, which no bucket name can stand in front of.
    pub(super) fn is_number(&self) -> bool {
        self.host.starts_with('[') || self.host.parse::<std::net::Ipv4Addr>().is_ok()
    }

    /// Scheme, the given host and the port.
    pub(super) fn endpoint(&self, host: &str) -> String {
        match self.port {
            Some(port) => format!("{}://{host}:{port}", self.scheme),
            None => format!("{}://{host}", self.scheme),
        }
    }

    /// Bucket and host where the bucket is the first label of the host.
    ///
    /// # Errors
    /// `InvalidArgument` when the host has one label only.
    pub(super) fn leading_bucket(&self) -> Result<(&str, &str)> {
        match self.host.split_once('.') {
            Some((bucket, host)) if !self.is_number() && !bucket.is_empty() => Ok((bucket, host)),
            _ => Err(refuse("names no bucket in front of its host")),
        }
    }

    /// The bucket in the path, which must hold nothing else.
    ///
    /// # Errors
    /// `InvalidArgument` when there is none or more.
    pub(super) fn path_bucket(&self) -> Result<&str> {
        match self.path.as_slice() {
            [bucket] => Ok(bucket),
            [] => Err(refuse("names no bucket behind its host")),
            _ => Err(refuse(
                "has a path behind its bucket, which volumes can not be put in",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BucketUrl;

    #[test]
    fn a_bucket_is_split_into_host_port_path_and_options() {
        let url = BucketUrl::parse("http://10.0.0.1:9000/photos?disable-checksum=true").unwrap();
        assert_eq!(
            (url.scheme.as_str(), url.host.as_str(), url.port),
            ("http", "10.0.0.1", Some(9000))
        );
        assert_eq!(url.path_bucket().unwrap(), "photos");
        assert_eq!(url.option("disable-checksum"), Some("true"));
        assert!(url.is_number() && url.leading_bucket().is_err());
    }

    #[test]
    fn a_bucket_without_a_scheme_is_reached_by_https() {
        let url = BucketUrl::parse("photos.s3.eu-west-1.amazonaws.com").unwrap();
        assert_eq!(url.scheme, "https");
        assert_eq!(
            url.leading_bucket().unwrap(),
            ("photos", "s3.eu-west-1.amazonaws.com")
        );
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        let error = BucketUrl::parse("http://user:hunter2@:/x").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
