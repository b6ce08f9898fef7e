//! Directory entries (spec 20-model section 4).

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Ino, MAX_NAME_BYTES, NodeType, Result};

/// A valid entry name: 1 to 255 bytes, any encoding, without `/` and NUL. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<[u8]>);

impl Name {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// `InvalidArgument` when empty or holding `/` or NUL, `NameTooLong` above 255 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_NAME_BYTES {
            return Err(ErrorKind::NameTooLong.into());
        }
        if bytes.is_empty() || bytes.iter().any(|b| matches!(b, b'/' | 0)) {
            return Err(Error::from(ErrorKind::InvalidArgument));
        }
        Ok(Name(bytes.into()))
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
