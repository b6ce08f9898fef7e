//! What every driver of a remote store is, and what they have in common.

use moorage_model::{Result, TierId};
use opendal::Operator;

use super::bucket::BucketUrl;
use super::failure::Secrets;
use crate::store::{Endpoint, StoreConfig};

/// Opens a bucket, given as its text.
pub(in crate::store) type Open = fn(&StoreConfig, &Driver, &str) -> Result<Opened>;

/// How the buckets of a storage are opened.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Driver {
    /// What people call the service.
    pub(in crate::store) service: &'static str,
    pub(in crate::store) open: Open,
    /// Names are folders: listings come one folder at a time, and deleting a folder deletes what is in it.
    pub(in crate::store) folders: bool,
}

/// A bucket ready for use.
#[derive(Debug)]
pub(in crate::store) struct Opened {
    /// The operator of tier 0 first; other tiers only where their storage class differs.
    pub(super) operators: Vec<(TierId, Operator)>,
    /// Where the objects are, in words and without secrets.
    pub(super) words: String,
    /// Write and check the checksum in the object's metadata (spec 60-objects section 6).
    pub(super) checksum: bool,
    /// The server that requests go to, when its address is known.
    pub(super) endpoint: Option<Endpoint>,
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
            endpoint: None,
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
            endpoint: None,
        })
    }

    /// Says which server requests go to: an address with scheme and host.
    pub(super) fn at(self, address: &str) -> Opened {
        Opened {
            endpoint: Endpoint::parse(address),
            ..self
        }
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
