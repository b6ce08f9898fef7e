//! Open files that another client removed.

use moorage_model::{Error, ErrorKind, Verdict};

use super::OpenFile;

impl OpenFile {
    /// Makes "not found" in an answer of the database "stale": the file was removed by another client, which does not know
    /// that it is open here (spec 70-semantics section 4). Other errors stay.
    pub(crate) fn stale_when_gone(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::NotFound || error.verdict() != Verdict::Refused {
            return error;
        }
        let message = format!(
            "inode {}: another client removed the file while it is open here",
            self.ino
        );
        Error::new(ErrorKind::Stale, message).with_source(error)
    }
}
