//! Making a volume: `moorage format`, with the secrets through a pipe.

use std::path::Path;
use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::{MetadataUrl, VolumeFormat};

use crate::child;
use crate::trouble::lasting;

/// How long it may take to try the object store and to make the database.
const DEADLINE: Duration = Duration::from_secs(120);
/// What a volume's own name may have in characters (spec 10-setting).
const NAME_LENGTHS: std::ops::RangeInclusive<usize> = 3..=63;

/// What is done about a volume that the database holds already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is refused.
    Refused,
    /// It is taken as it is.
    Taken,
}

/// Makes a volume that calls itself as `name` says, as far as volumes may.
///
/// # Errors
/// Why it could not be made; then the object store and the database are as they were.
pub(crate) async fn make(
    program: &Path,
    name: &str,
    url: &MetadataUrl,
    format: &VolumeFormat,
    secrets: &VolumeSecrets,
    existing: Existing,
) -> Result<(), Problem> {
    refuse_secrets_in(&format.bucket)?;
    let arguments = arguments(name, url, format, existing);
    child::run(program, arguments, secrets, &format!("making {name}"), DEADLINE).await
}

/// Arguments are shown to every user of the computer.
pub(crate) fn refuse_secrets_in(bucket: &str) -> Result<(), Problem> {
    let Some((_, address)) = bucket.split_once("://") else {
        return Ok(());
    };
    if !address.contains(['@', '?']) {
        return Ok(());
    }
    Err(lasting(
        ProblemCode::InvalidRequest,
        "the address of the bucket holds a user or a query, which may be a secret",
        "Give the address alone, and its keys by themselves.",
    ))
}

fn arguments(name: &str, url: &MetadataUrl, format: &VolumeFormat, existing: Existing) -> Vec<String> {
    let mut arguments = ["format", "--json", "--secrets-from-stdin"]
        .map(str::to_owned)
        .to_vec();
    arguments.push(match existing {
        Existing::Refused => "--new".to_owned(),
        Existing::Taken => "--no-update".to_owned(),
    });
    arguments.push(format!("--storage={}", format.storage));
    arguments.push(format!("--bucket={}", format.bucket));
    if let Some(bytes) = format.block_size {
        arguments.push(format!("--block-size={bytes}B"));
    }
    if let Some(compression) = &format.compression {
        arguments.push(format!("--compress={compression}"));
    }
    if let Some(days) = format.trash_days {
        arguments.push(format!("--trash-days={days}"));
    }
    if let Some(bytes) = format.quota {
        arguments.push(format!("--capacity={bytes}B"));
    }
    arguments.push("--".to_owned());
    arguments.push(url.as_str().to_owned());
    arguments.push(own_name(name));
    arguments
}

/// A name that a volume may have: lower-case letters, digits and single dashes between them.
pub(crate) fn own_name(name: &str) -> String {
    let words = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<&str>>().join("-").to_ascii_lowercase();
    let cut: String = joined.chars().take(*NAME_LENGTHS.end()).collect();
    let cut = cut.trim_end_matches('-');
    if NAME_LENGTHS.contains(&cut.len()) {
        cut.to_owned()
    } else {
        format!("volume-{cut}").trim_end_matches('-').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_one_that_a_volume_may_have() {
        for (name, own) in [
            ("My Photos (2026)", "my-photos-2026"),
            ("写真", "volume"),
            ("a", "volume-a"),
            ("--disk--", "disk"),
        ] {
            assert_eq!(own_name(name), own);
        }
        assert!(NAME_LENGTHS.contains(&own_name(&"ab ".repeat(64)).len()));
    }

    #[test]
    fn a_bucket_with_a_user_or_a_query_is_refused() {
        for bucket in ["https://key:secret@host/b", "https://host/b?sig=secret"] {
            assert!(refuse_secrets_in(bucket).is_err(), "{bucket}");
        }
        for bucket in ["https://b.host", "/home/me@work/objects/"] {
            assert_eq!(refuse_secrets_in(bucket), Ok(()));
        }
    }

    #[test]
    fn every_choice_becomes_a_flag() {
        let url = MetadataUrl::try_from("redis://host/1".to_owned()).expect("a URL");
        let format = VolumeFormat {
            storage: "s3".to_owned(),
            bucket: "https://b.host".to_owned(),
            block_size: Some(1 << 20),
            compression: Some("zstd".to_owned()),
            trash_days: Some(7),
            quota: Some(1 << 40),
        };
        let expected = [
            "format",
            "--json",
            "--secrets-from-stdin",
            "--new",
            "--storage=s3",
            "--bucket=https://b.host",
            "--block-size=1048576B",
            "--compress=zstd",
            "--trash-days=7",
            "--capacity=1099511627776B",
            "--",
            "redis://host/1",
            "photos",
        ];
        assert_eq!(arguments("Photos", &url, &format, Existing::Refused), expected);
    }
}
