//! A volume as a file that another computer joins it by. It holds no secret, only which secrets are needed.

use serde::{Deserialize, Serialize};

use crate::problem::{Problem, ProblemCode};
use crate::volume::{MetadataUrl, MountOptions, is_name};

/// Most bytes of such a file: far more than the longest address, little enough to be handed around in a message.
pub const LONGEST: usize = 64 << 10;
/// What a name that a program suggests for such a file ends in.
pub const ENDING: &str = "moorage.json";
/// The version that this build writes. It grows when an old program would misread a new file; fields are added without.
const VERSION: u64 = 1;
/// Letters of a volume's identity: 32 digits and the dashes between them.
const IDENTITY_LETTERS: usize = 36;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeFile {
    /// What the person who gave it calls the volume.
    pub name: String,
    /// The identity of the volume, where the one who gave it had it mounted once.
    #[serde(default)]
    pub uuid: Option<String>,
    /// Where its metadata is.
    pub metadata_url: MetadataUrl,
    /// How it was mounted there, but for what belongs to that computer: the folder of the cache.
    #[serde(default)]
    pub options: MountOptions,
    /// What has to be given by itself.
    #[serde(default)]
    pub needs: SecretNeeds,
}

/// The secrets without which the volume can not be mounted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct SecretNeeds {
    /// Password of the metadata database.
    pub metadata_password: bool,
    /// Passphrase of the volume's private key.
    pub key_passphrase: bool,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'f> {
    moorage_volume: u64,
    #[serde(flatten)]
    file: &'f VolumeFile,
}

/// What tells the version; a file without it is none of these.
#[derive(Deserialize)]
struct Marked {
    moorage_volume: u64,
}

/// What is looked at by itself, to say what is wrong with it.
#[derive(Deserialize)]
struct Addressed {
    metadata_url: String,
}

impl VolumeFile {
    /// The text of the file.
    ///
    /// # Errors
    ///
    /// Never in practice: that it can not be put into JSON.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let written = Written {
            moorage_volume: VERSION,
            file: self,
        };
        Ok(serde_json::to_string_pretty(&written)? + "\n")
    }

    /// Reads what somebody gave; nothing in it is believed that a person would not see in a form.
    ///
    /// # Errors
    ///
    /// That it is no such file, is of a later version, or holds what no such file does: as a password.
    pub fn parse(text: &str) -> Result<VolumeFile, Problem> {
        if text.len() > LONGEST {
            return Err(refused(format!("it is longer than {LONGEST} bytes")));
        }
        let marked: Marked = serde_json::from_str(text).map_err(|error| refused(place(&error)))?;
        if marked.moorage_volume > VERSION {
            return Err(Problem {
                code: ProblemCode::VersionMismatch,
                message: format!(
                    "the volume file is of version {}, and this program knows versions up to {VERSION}",
                    marked.moorage_volume
                ),
                cause: None,
                advice: "Update Moorage, or have the file exported by an older version.".to_owned(),
                retryable: false,
            });
        }
        let addressed: Addressed = serde_json::from_str(text).map_err(|error| refused(place(&error)))?;
        MetadataUrl::try_from(addressed.metadata_url).map_err(|error| refused(error.to_string()))?;
        let mut file: VolumeFile = serde_json::from_str(text).map_err(|error| refused(place(&error)))?;
        if !is_name(&file.name) {
            return Err(refused("its name is no name of a volume".to_owned()));
        }
        if file.uuid.as_deref().is_some_and(|uuid| !is_identity(uuid)) {
            return Err(refused("its identity is none".to_owned()));
        }
        if file.metadata_url.as_str().chars().any(char::is_control) {
            return Err(refused("its address is none".to_owned()));
        }
        file.options.cache_folder = None;
        Ok(file)
    }
}

fn is_identity(text: &str) -> bool {
    text.len() == IDENTITY_LETTERS
        && text
            .chars()
            .all(|letter| letter.is_ascii_hexdigit() || letter == '-')
}

/// What is wrong, without the text of the file: what somebody took for one may hold secrets.
fn place(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            format!("something is missing or is of another kind (line {line}, column {column})")
        }
        _ => format!("it is no JSON (line {line}, column {column})"),
    }
}

fn refused(cause: String) -> Problem {
    Problem {
        code: ProblemCode::InvalidRequest,
        message: "this is no volume file, or a damaged one".to_owned(),
        cause: Some(cause),
        advice: "Take one that `moorage volume export` wrote, or the window.".to_owned(),
        retryable: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> VolumeFile {
        VolumeFile {
            name: "Photos".to_owned(),
            uuid: Some("0f2a9c1e-9d3b-4a57-8a10-5d4f3c2b1a00".to_owned()),
            metadata_url: MetadataUrl::try_from("redis://me@db.example.org/1".to_owned()).expect("a URL"),
            options: MountOptions {
                read_only: true,
                ..MountOptions::default()
            },
            needs: SecretNeeds {
                metadata_password: true,
                key_passphrase: false,
            },
        }
    }

    #[test]
    fn what_was_written_is_read_but_for_the_folder_of_the_cache() {
        let mut given = file();
        given.options.cache_folder = Some("/home/somebody/cache".to_owned());
        let text = given.text().expect("JSON");
        assert_eq!(VolumeFile::parse(&text).expect("read"), file());
    }

    /// A file of the first version, which every later program has to read.
    #[test]
    fn a_file_of_the_first_version_is_read() {
        let text = r#"{
            "moorage_volume": 1,
            "name": "Photos",
            "uuid": "0f2a9c1e-9d3b-4a57-8a10-5d4f3c2b1a00",
            "metadata_url": "redis://me@db.example.org/1",
            "options": {"mount_at_start": true, "read_only": true, "write_back": true, "cache_size": null,
                        "cache_folder": null, "upload_limit": null, "download_limit": null},
            "needs": {"metadata_password": true, "key_passphrase": false},
            "of a later program": {"more": 1}
        }"#;
        assert_eq!(VolumeFile::parse(text).expect("read"), file());
    }

    #[test]
    fn a_file_of_a_later_version_says_who_is_to_be_updated() {
        let later = VolumeFile::parse(r#"{"moorage_volume": 2, "place": "elsewhere"}"#).expect_err("later");
        assert_eq!(later.code, ProblemCode::VersionMismatch);
        assert!(later.advice.contains("Update Moorage"), "{}", later.advice);
    }

    #[test]
    fn what_is_no_volume_file_is_refused_and_not_repeated() {
        let good = file().text().expect("JSON");
        let deep = format!("{{\"moorage_volume\":1,\"x\":{}", "[".repeat(10_000));
        let long = format!("{good}{}", " ".repeat(LONGEST));
        for text in [
            "",
            "hunter2",
            "[]",
            r#"{"name": "hunter2", "metadata_url": "redis://host/1"}"#,
            r#"{"moorage_volume": -1}"#,
            r#"{"moorage_volume": 1, "metadata_url": "redis://host/1"}"#,
            &good.replace("redis://me@", "redis://me:hunter2@"),
            &good.replace("redis://", "redis:"),
            &good.replace("db.example.org", "db\\n.example.org"),
            &good.replace("Photos", "a\\nb"),
            &good.replace("Photos", "a\u{202e}b"),
            &good.replace("Photos", &"a".repeat(65)),
            &good.replace("0f2a9c1e", "../../.."),
            &good.replace("\"read_only\": true", "\"read_only\": \"yes\""),
            &deep,
            &long,
        ] {
            let refused = VolumeFile::parse(text).expect_err(text);
            assert_eq!(refused.code, ProblemCode::InvalidRequest, "{text}");
            assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
        }
        let held = VolumeFile::parse(&good.replace("me@", "me:hunter2@")).expect_err("a password");
        assert!(held.cause.expect("a cause").contains("holds a password"));
    }
}
