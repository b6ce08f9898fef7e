//! The one file that the agent keeps: the application's settings and the list of volumes. It holds no secret, only which
//! secrets there are.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use moorage_control::health::EndedCheck;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::Settings;
use moorage_control::volume::{VolumeId, VolumeSettings};
use moorage_host::{Folders, replace_file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::document::{self, Outdated, STEPS, VERSION};
use crate::moment::Moment;
use crate::pairs::PairEntry;
use crate::secret_kind::{Leftover, SecretKind};
use crate::trouble::{caused, lasting, of_host};

/// Longest settings file that is read: ten thousand volumes with long paths.
const LONGEST: u64 = 16 << 20;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// What holds for all volumes.
    #[serde(default)]
    pub(crate) settings: Settings,
    /// The volumes, in the person's order.
    #[serde(default)]
    pub(crate) volumes: Vec<Entry>,
    /// The sync pairs, in the order in which they were added.
    #[serde(default)]
    pub(crate) sync_pairs: Vec<PairEntry>,
    /// What is to be removed from the store of secrets when it is open.
    #[serde(default)]
    pub(crate) leftover: Vec<Leftover>,
}

/// A volume of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its name in the list.
    pub(crate) id: VolumeId,
    /// Its identity, once a mount of it was seen.
    #[serde(default)]
    pub(crate) uuid: Option<String>,
    /// How it is mounted.
    pub(crate) settings: VolumeSettings,
    /// The secrets that it has; they themselves are in the store of secrets.
    #[serde(default)]
    pub(crate) secrets: BTreeSet<SecretKind>,
    /// What the last check of it found, in numbers. One that this version can not read is as none.
    #[serde(default, deserialize_with = "if_readable")]
    pub(crate) last_check: Option<EndedCheck>,
}

impl Entry {
    /// Gives it other settings; tells whether they name another database, of which nothing is known that was known of
    /// the one before.
    pub(crate) fn change(&mut self, settings: VolumeSettings) -> bool {
        let is_another = self.settings.metadata_url != settings.metadata_url;
        if is_another {
            self.last_check = None;
        }
        self.settings = settings;
        is_another
    }
}

fn if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

/// The file.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    /// As it was read, with what this version does not know.
    document: Map<String, Value>,
}

/// What was found when the agent started.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) file: SettingsFile,
    pub(crate) content: Content,
    /// The file was damaged and is set aside.
    pub(crate) damaged: Option<Problem>,
}

impl SettingsFile {
    /// Reads the file; one that is damaged is set aside, and all is as in the beginning.
    ///
    /// # Errors
    /// When it can not be read or set aside, or a later version wrote it: then nothing may be written over it.
    pub(crate) fn load(path: &Path, now: Moment) -> Result<Loaded, Problem> {
        let mut file = SettingsFile {
            path: path.to_owned(),
            document: Map::new(),
        };
        let bytes = match read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(file.fresh(None)),
            Err(error) => {
                let what = format!("the settings file {} can not be read", path.display());
                let advice = "Make it readable for this user, or move it away to start with an empty list.";
                return Err(caused(lasting(ProblemCode::Internal, what, advice), error));
            }
        };
        match parse(&bytes) {
            Ok((document, content)) => {
                file.document = document;
                Ok(Loaded {
                    file,
                    content,
                    damaged: None,
                })
            }
            Err(Unusable::Newer { version }) => Err(lasting(
                ProblemCode::VersionMismatch,
                format!(
                    "the settings file {} is of version {version}, and this program knows versions up to {}",
                    path.display(),
                    document::current(STEPS)
                ),
                "Update Moorage, or move the file away to start with an empty list.",
            )),
            Err(Unusable::Damaged(cause)) => {
                let problem = set_aside(path, &cause, now)?;
                Ok(file.fresh(Some(problem)))
            }
        }
    }

    fn fresh(self, damaged: Option<Problem>) -> Loaded {
        Loaded {
            file: self,
            content: Content::default(),
            damaged,
        }
    }

    /// Writes the file in one step, and durably.
    ///
    /// # Errors
    /// When the disk refuses; then the old file is still there.
    pub(crate) fn save(&mut self, content: &Content) -> Result<(), Problem> {
        let mut document = Value::Object(self.document.clone());
        let written = serde_json::to_value(content)
            .map_err(io::Error::other)
            .and_then(|known| {
                document::overlay(&mut document, known);
                if let Some(members) = document.as_object_mut() {
                    members.insert(VERSION.to_owned(), document::current(STEPS).into());
                }
                let mut text = serde_json::to_vec_pretty(&document)?;
                text.push(b'\n');
                Ok(text)
            });
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        Folders::make_private(folder).map_err(|error| of_host(ProblemCode::Internal, &error))?;
        written
            .and_then(|text| replace_file(&self.path, &text))
            .map_err(|error| {
                let code = match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ProblemCode::DiskFull,
                    io::ErrorKind::PermissionDenied => ProblemCode::PermissionDenied,
                    _ => ProblemCode::Internal,
                };
                let what = format!("the settings file {} can not be written", self.path.display());
                let advice =
                    "Free space on its disk and check that this user may write there; nothing was changed.";
                caused(lasting(code, what, advice), error)
            })?;
        if let Value::Object(document) = document {
            self.document = document;
        }
        Ok(())
    }
}

/// `None` when there is no such file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    // One byte more, so that a longer file is no JSON.
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Why a file can not be used.
#[derive(Debug, PartialEq, Eq)]
enum Unusable {
    Damaged(String),
    Newer { version: u64 },
}

fn parse(bytes: &[u8]) -> Result<(Map<String, Value>, Content), Unusable> {
    let damaged = |what: &dyn std::fmt::Display| Unusable::Damaged(what.to_string());
    if bytes.len() as u64 > LONGEST {
        return Err(damaged(&format_args!("it is longer than {LONGEST} bytes")));
    }
    let mut document: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
    document::migrate(&mut document, STEPS).map_err(|outdated| match outdated {
        Outdated::Newer { version } => Unusable::Newer { version },
        Outdated::NoVersion => damaged(&"it names no version"),
    })?;
    let content: Content =
        serde_json::from_value(Value::Object(document.clone())).map_err(|error| damaged(&error))?;
    let mut ids = HashSet::new();
    if let Some(twice) = content.volumes.iter().find(|entry| !ids.insert(&entry.id)) {
        return Err(damaged(&format_args!("the volume {} is in it twice", twice.id.0)));
    }
    let mut ids = HashSet::new();
    if let Some(twice) = content.sync_pairs.iter().find(|pair| !ids.insert(&pair.id)) {
        return Err(damaged(&format_args!(
            "the sync pair {} is in it twice",
            twice.id.0
        )));
    }
    Ok((document, content))
}

/// Moves the file away under a name of its own.
fn set_aside(path: &Path, cause: &str, now: Moment) -> Result<Problem, Problem> {
    let mut aside = path.to_owned().into_os_string();
    aside.push(format!(".damaged-{}", now.wall.0));
    let aside = PathBuf::from(aside);
    let advice = format!(
        "It is kept as {}: mend it and put it back while no agent runs, or add the volumes again.",
        aside.display()
    );
    let what = format!(
        "the settings file {} is damaged; the list of volumes begins empty",
        path.display()
    );
    let problem = caused(lasting(ProblemCode::Internal, what, advice), cause);
    fs::rename(path, &aside).map_err(|error| {
        let what = format!(
            "the settings file {} is damaged and can not be moved away",
            path.display()
        );
        let advice = "Move it away by hand; nothing was written over it.";
        caused(lasting(ProblemCode::Internal, what, advice), error)
    })?;
    Ok(problem)
}

#[cfg(test)]
mod tests {
    use moorage_control::sync::{SyncGuard, SyncMode, SyncPairId, SyncPairSettings};
    use moorage_control::volume::{MetadataUrl, MountOptions};
    use serde_json::json;

    use super::*;

    fn content(name: &str) -> Content {
        let metadata_url = MetadataUrl::try_from("redis://host/1".to_owned()).expect("a URL");
        let entry = Entry {
            id: VolumeId("1".to_owned()),
            uuid: None,
            settings: VolumeSettings {
                name: name.to_owned(),
                metadata_url,
                mount_point: "/mnt/a".to_owned(),
                options: MountOptions::default(),
            },
            secrets: BTreeSet::from([SecretKind::MetadataPassword]),
            last_check: None,
        };
        let pair = PairEntry {
            id: SyncPairId("3".to_owned()),
            settings: SyncPairSettings {
                local_folder: "/home/me/a".to_owned(),
                volume: VolumeId("1".to_owned()),
                volume_folder: "a".to_owned(),
                mode: SyncMode::TwoWay,
                ignore: vec!["*.part".to_owned()],
                left_out: vec!["raw".to_owned()],
                guard: SyncGuard::default(),
            },
            paused: true,
        };
        let leftover = Leftover {
            id: VolumeId("2".to_owned()),
            secrets: BTreeSet::from([SecretKind::KeyPassphrase]),
        };
        Content {
            settings: Settings::default(),
            volumes: vec![entry],
            sync_pairs: vec![pair],
            leftover: vec![leftover],
        }
    }

    fn load(path: &Path) -> Loaded {
        SettingsFile::load(path, Moment::now()).expect("loaded")
    }

    #[test]
    fn what_was_saved_is_loaded_and_what_is_unknown_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config/agent.json");
        load(&path).file.save(&content("one")).expect("saved");
        let mut text: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        text["volumes"][0]["settings"]["options"]["future"] = json!([1]);
        text["sync_pairs"][0]["settings"]["future"] = json!(true);
        text["future"] = json!("kept");
        fs::write(&path, text.to_string()).expect("written");
        let mut loaded = load(&path);
        assert_eq!((&loaded.content, &loaded.damaged), (&content("one"), &None));
        loaded.file.save(&content("two")).expect("saved again");
        let text: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        assert_eq!(text["future"], "kept");
        assert_eq!(text["sync_pairs"][0]["settings"]["future"], true);
        assert_eq!(text["volumes"][0]["settings"]["options"]["future"], json!([1]));
        assert_eq!(load(&path).content, content("two"));
    }

    #[test]
    fn a_check_that_can_not_be_read_costs_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.json");
        load(&path).file.save(&content("one")).expect("saved");
        let mut text: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        text["volumes"][0]["last_check"] = json!({"of": "another version"});
        fs::write(&path, text.to_string()).expect("written");
        let loaded = load(&path);
        assert_eq!((loaded.content, loaded.damaged), (content("one"), None));
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.json");
        for damaged in [
            "{\"version\": 1, \"volumes\": [",
            "{}",
            "{\"version\": 1, \"volumes\": 7}",
        ] {
            fs::write(&path, damaged).expect("written");
            let loaded = load(&path);
            assert_eq!(loaded.content, Content::default());
            let problem = loaded.damaged.expect("said");
            let kept = fs::read_dir(folder.path()).expect("listed").map(|entry| {
                let entry = entry.expect("an entry");
                (entry.path(), fs::read_to_string(entry.path()).expect("read"))
            });
            let kept: Vec<_> = kept.filter(|(_, text)| text == damaged).collect();
            let [(aside, _)] = kept.as_slice() else {
                panic!("{kept:?}");
            };
            assert!(
                problem.advice.contains(&aside.display().to_string()),
                "{problem:?}"
            );
            fs::remove_file(aside).expect("removed");
        }
    }

    #[test]
    fn a_file_of_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.json");
        fs::write(&path, "{\"version\": 99}").expect("written");
        let refused = SettingsFile::load(&path, Moment::now()).expect_err("refused");
        assert_eq!(refused.code, ProblemCode::VersionMismatch);
        assert_eq!(
            fs::read_to_string(&path).expect("still there"),
            "{\"version\": 99}"
        );
    }
}
