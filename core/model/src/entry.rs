//! Directory entries (spec 20-model section 4).

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Ino, MAX_NAME_BYTES, NodeType, Result};

/// An entry name: 1 to 255 bytes, any encoding, without `/` and NUL. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<[u8]>);

impl Name {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// `InvalidArgument` when empty or holding `/` or NUL, `NameTooLong` above 255 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        match NameFlaw::of(bytes) {
            None => Ok(Name(bytes.into())),
            Some(NameFlaw::TooLong) => Err(ErrorKind::NameTooLong.into()),
            Some(_) => Err(Error::from(ErrorKind::InvalidArgument)),
        }
    }

    /// A name as a database holds it, also one that [`Name::new`] refuses: it stands only in the keys of records that
    /// can not be read, so that such an entry can be told of and given another name.
    pub fn as_stored(bytes: &[u8]) -> Self {
        Name(bytes.into())
    }

    /// Why [`Name::new`] refuses these bytes; `None` for a valid name.
    pub fn flaw(&self) -> Option<NameFlaw> {
        NameFlaw::of(&self.0)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is `.` or `..`, which are never stored.
    pub fn is_dots(&self) -> bool {
        matches!(&*self.0, b"." | b"..")
    }
}

/// Why bytes can be no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFlaw {
    /// There are none.
    Empty,
    /// There are more than 255.
    TooLong,
    /// A `/` is among them.
    Slash,
    /// A NUL is among them.
    Nul,
}

impl NameFlaw {
    fn of(bytes: &[u8]) -> Option<NameFlaw> {
        if bytes.len() > MAX_NAME_BYTES {
            return Some(NameFlaw::TooLong);
        }
        if bytes.is_empty() {
            return Some(NameFlaw::Empty);
        }
        bytes.iter().find_map(|byte| match byte {
            b'/' => Some(NameFlaw::Slash),
            0 => Some(NameFlaw::Nul),
            _ => None,
        })
    }
}

impl fmt::Display for NameFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameFlaw::Empty => "it is empty",
            NameFlaw::TooLong => "it is longer than 255 bytes",
            NameFlaw::Slash => "it holds a slash",
            NameFlaw::Nul => "it holds a NUL",
        })
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// What an entry points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Kind of the child.
    pub kind: NodeType,
    /// Inode of the child.
    pub ino: Ino,
}

impl Entry {
    /// The nine bytes that Redis and TKV store.
    pub fn encode(self) -> [u8; 9] {
        let mut out = [0; 9];
        let (kind, ino) = out.split_at_mut(1);
        kind.fill(self.kind.code());
        ino.copy_from_slice(&self.ino.0.to_be_bytes());
        out
    }

    /// Reads an entry value.
    ///
    /// # Errors
    /// `Corrupt` unless it has nine bytes and a known type.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [kind, ino @ ..] if ino.len() == 8 => {
                let mut raw = [0; 8];
                raw.copy_from_slice(ino);
                Ok(Entry {
                    kind: NodeType::from_code(*kind)?,
                    ino: Ino(u64::from_be_bytes(raw)),
                })
            }
            _ => Err(Error::new(
                ErrorKind::Corrupt,
                format!("entry value of {} bytes, not 9", bytes.len()),
            )),
        }
    }
}
