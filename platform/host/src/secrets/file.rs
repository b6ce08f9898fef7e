//! An encrypted file of secrets, for sessions without a keyring.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::sealed::{Entries, Header, KEY_BYTES, Key, KeySource, Sealed, Unreadable, seal};
use super::{SecretError, SecretErrorKind, SecretName, SecretStore};
use crate::{Folders, replace_file};

/// Longest file that is read: ten thousand volumes with five long secrets each.
const LONGEST: u64 = 64 << 20;

/// A file of secrets, encrypted with AES-256-GCM and replaced whole, durably, with every change.
///
/// One process at a time writes it.
#[derive(Debug)]
pub struct EncryptedFile {
    path: PathBuf,
    source: KeySource,
    /// Once it is known. Held through each call, so changes come one after the other.
    key: Mutex<Option<Key>>,
}

/// The file as it is on disk.
struct Opened {
    header: Header,
    key: Key,
    entries: Entries,
}

impl EncryptedFile {
    /// The file at this path, whether or not it exists. With a passphrase it is locked until [`SecretStore::unlock`]; the
    /// first one makes it. A file with the key, beside it, is made with the first secret.
    #[must_use]
    pub fn new(path: PathBuf, source: KeySource) -> EncryptedFile {
        EncryptedFile {
            path,
            source,
            key: Mutex::new(None),
        }
    }

    fn key_path(&self) -> PathBuf {
        self.path.with_extension("key")
    }

    fn lock(&self) -> MutexGuard<'_, Option<Key>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file on disk; `None` when there is none.
    fn sealed(&self) -> Result<Option<Sealed>, SecretError> {
        let Some(bytes) = read(&self.path, LONGEST).map_err(|error| self.unreadable(error))? else {
            return Ok(None);
        };
        let sealed = Sealed::parse(&bytes).map_err(|why| self.unusable(why))?;
        if sealed.header.source == self.source {
            Ok(Some(sealed))
        } else {
            Err(self.error(
                SecretErrorKind::Refused,
                "has another kind of key than was chosen",
                "Choose the store again with `moorage agent secrets --store`.",
            ))
        }
    }

    /// The secrets, of which there are none before there is a file.
    fn open(&self, key: &mut Option<Key>) -> Result<Opened, SecretError> {
        let Some(sealed) = self.sealed()? else {
            return self.fresh(key);
        };
        let known = match (key.as_ref(), self.source) {
            (Some(known), _) => known.clone(),
            (None, KeySource::KeyFile) => self.key_of_file()?.ok_or_else(|| {
                self.error(
                    SecretErrorKind::Damaged,
                    "has lost its key, which was in a file beside it",
                    "Put the key back, or remove both files and give the secrets again.",
                )
            })?,
            (None, KeySource::Passphrase) => return Err(self.locked()),
        };
        let entries = sealed.open(&known).map_err(|why| self.unusable(why))?;
        *key = Some(known.clone());
        Ok(Opened {
            header: sealed.header,
            key: known,
            entries,
        })
    }

    fn fresh(&self, key: &mut Option<Key>) -> Result<Opened, SecretError> {
        let header = Header::fresh(self.source).map_err(|error| self.failed(error))?;
        let new = match (key.take(), self.source) {
            // The file was removed since: its key goes with it.
            (_, KeySource::Passphrase) => {
                return Err(self.error(
                    SecretErrorKind::Locked,
                    "has no passphrase yet",
                    "Give it one: `moorage agent secrets --unlock`, with MOORAGE_SECRETS_PASSPHRASE set.",
                ));
            }
            (_, KeySource::KeyFile) => match self.key_of_file()? {
                Some(known) => known,
                None => self.new_key_file()?,
            },
        };
        *key = Some(new.clone());
        Ok(Opened {
            header,
            key: new,
            entries: Entries::new(),
        })
    }

    fn key_of_file(&self) -> Result<Option<Key>, SecretError> {
        let path = self.key_path();
        let refused = |error| {
            SecretError::new(
                SecretErrorKind::Refused,
                format!("the key of the secrets, {}, can not be read", path.display()),
                "Make it readable for this user alone.",
            )
            .with_source(error)
        };
        let Some(bytes) = read(&path, KEY_BYTES as u64).map_err(refused)? else {
            return Ok(None);
        };
        if is_open_to_others(&path).map_err(refused)? {
            return Err(SecretError::new(
                SecretErrorKind::Refused,
                format!(
                    "the key of the secrets, {}, is open to other users",
                    path.display()
                ),
                format!("Close it with `chmod 600 {}`.", path.display()),
            ));
        }
        let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(
            bytes
                .as_slice()
                .try_into()
                .map_err(|_| self.unusable(Unreadable::Damaged))?,
        );
        Ok(Some(Key(bytes)))
    }

    /// Durable before anything is encrypted with it.
    fn new_key_file(&self) -> Result<Key, SecretError> {
        let key = Key::random().map_err(|error| self.failed(error))?;
        self.make_folder()?;
        replace_file(&self.key_path(), key.0.as_slice()).map_err(|error| self.unwritable(error))?;
        Ok(key)
    }

    fn save(&self, opened: &Opened) -> Result<(), SecretError> {
        let bytes = seal(&opened.header, &opened.key, &opened.entries).map_err(|error| self.failed(error))?;
        self.make_folder()?;
        replace_file(&self.path, &bytes).map_err(|error| self.unwritable(error))
    }

    fn make_folder(&self) -> Result<(), SecretError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        Folders::make_private(folder).map_err(|error| {
            self.error(
                SecretErrorKind::Refused,
                "can not be written",
                "Check that this user may write there and that the disk has space.",
            )
            .with_source(error)
        })
    }

    fn error(&self, kind: SecretErrorKind, what: &str, advice: &str) -> SecretError {
        let path = self.path.display();
        SecretError::new(kind, format!("the file of secrets, {path}, {what}"), advice)
    }

    fn locked(&self) -> SecretError {
        self.error(
            SecretErrorKind::Locked,
            "is locked",
            "Unlock it: `moorage agent secrets --unlock`, with its passphrase in MOORAGE_SECRETS_PASSPHRASE.",
        )
    }

    fn unreadable(&self, error: io::Error) -> SecretError {
        self.error(
            SecretErrorKind::Refused,
            "can not be read",
            "Make it readable for this user.",
        )
        .with_source(error)
    }

    fn unwritable(&self, error: io::Error) -> SecretError {
        self.error(
            SecretErrorKind::Refused,
            "can not be written",
            "Free space on its disk and check that this user may write there; nothing was changed.",
        )
        .with_source(error)
    }

    fn failed(&self, error: aws_lc_rs::error::Unspecified) -> SecretError {
        self.error(
            SecretErrorKind::Refused,
            "can not be encrypted",
            "Try again; nothing was changed.",
        )
        .with_source(error)
    }

    fn unusable(&self, why: Unreadable) -> SecretError {
        match why {
            Unreadable::Damaged => self.error(
                SecretErrorKind::Damaged,
                "is damaged",
                "Put a backup of it back, or move it away and give the secrets again.",
            ),
            Unreadable::Newer => self.error(
                SecretErrorKind::Refused,
                "was written by a later version",
                "Update Moorage, or move the file away and give the secrets again.",
            ),
            Unreadable::WrongKey if self.source == KeySource::KeyFile => self.error(
                SecretErrorKind::Damaged,
                "was not encrypted with the key beside it",
                "Put the right key back, or remove both files and give the secrets again.",
            ),
            Unreadable::WrongKey => self.error(
                SecretErrorKind::Refused,
                "has another passphrase",
                "Give the right one, or move the file away and give the secrets again.",
            ),
        }
    }
}

impl SecretStore for EncryptedFile {
    fn access(&self) -> Result<(), SecretError> {
        let mut key = self.lock();
        // Nothing is written for a look.
        if self.source == KeySource::KeyFile && self.sealed()?.is_none() {
            return Ok(());
        }
        self.open(&mut key).map(drop)
    }

    fn read(&self, name: &SecretName) -> Result<Option<Zeroizing<String>>, SecretError> {
        let mut opened = self.open(&mut self.lock())?;
        Ok(opened.entries.remove(&name.to_string()))
    }

    fn write(&self, name: &SecretName, secret: &str) -> Result<(), SecretError> {
        let mut key = self.lock();
        let mut opened = self.open(&mut key)?;
        let secret = Zeroizing::new(secret.to_owned());
        opened.entries.insert(name.to_string(), secret);
        self.save(&opened)
    }

    fn remove(&self, name: &SecretName) -> Result<(), SecretError> {
        let mut key = self.lock();
        if self.source == KeySource::KeyFile && self.sealed()?.is_none() {
            return Ok(());
        }
        let mut opened = self.open(&mut key)?;
        match opened.entries.remove(&name.to_string()) {
            Some(_) => self.save(&opened),
            None => Ok(()),
        }
    }

    fn unlock(&self, passphrase: Option<&str>) -> Result<(), SecretError> {
        let mut key = self.lock();
        if self.source == KeySource::KeyFile {
            return Ok(());
        }
        let given = passphrase.filter(|passphrase| !passphrase.is_empty());
        let given = given.ok_or_else(|| self.locked())?;
        if let Some(sealed) = self.sealed()? {
            let found = sealed.header.key(given);
            sealed.open(&found).map_err(|why| self.unusable(why))?;
            *key = Some(found);
            return Ok(());
        }
        let header = Header::fresh(self.source).map_err(|error| self.failed(error))?;
        let opened = Opened {
            key: header.key(given),
            header,
            entries: Entries::new(),
        };
        self.save(&opened)?;
        *key = Some(opened.key);
        Ok(())
    }

    fn abandon(&self) -> Result<(), SecretError> {
        let mut key = self.lock();
        // The key last: what it opens is gone by then.
        for path in [&self.path, &self.key_path()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.unwritable(error)),
                _ => {}
            }
        }
        *key = None;
        Ok(())
    }
}

/// Whether others than the owner may do anything with it.
#[cfg(unix)]
fn is_open_to_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o077;
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

/// Whether others may do anything with it: not asked for here. It has the rights of the user's profile, where it lies,
/// and who opens that to others has opened everything.
#[cfg(windows)]
fn is_open_to_others(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

/// At most so many bytes and one more; `None` when there is no such file.
fn read(path: &Path, longest: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(longest + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
