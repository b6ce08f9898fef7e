//! Comparing contents.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use moorage_model::{Error, ErrorKind, Result};

use crate::{Entry, Links, RelativePath, Side};

/// What tells one content from another.
pub type Digest = [u8; SHA256_OUTPUT_LEN];

/// A digest that grows with what is read.
pub(crate) struct Digesting(Context);

impl Digesting {
    pub(crate) fn new() -> Digesting {
        Digesting(Context::new(&SHA256))
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let mut digest = [0; SHA256_OUTPUT_LEN];
        digest.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}

/// Reads a file for its digest.
///
/// # Errors
/// What reading answers; `Conflict` when it changes meanwhile.
pub(crate) async fn digest(side: &dyn Side, entry: &Entry, links: Links) -> Result<Digest> {
    let mut source = side.read(entry, links).await?;
    let mut digest = Digesting::new();
    while let Some(piece) = source.next().await? {
        digest.add(&piece);
    }
    if source.is_unchanged().await? {
        Ok(digest.finish())
    } else {
        Err(changing(&entry.path))
    }
}

/// The error of a file that does not hold still.
pub(crate) fn changing(path: &RelativePath) -> Error {
    Error::new(ErrorKind::Conflict, format!("{path} changes while it is read"))
        .with_advice("Run the command again when whoever writes to it has finished.")
}

/// The digest of bytes at hand.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let mut digest = Digesting::new();
    digest.add(bytes);
    digest.finish()
}
