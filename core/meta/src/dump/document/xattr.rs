//! Members of `xattrs`.

use serde::{Deserialize, Serialize};

use crate::dump::text::escape;

/// An extended attribute.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::dump) struct XattrDocument {
    /// As it is: names of extended attributes are text.
    pub(in crate::dump) name: String,
    /// Escaped.
    pub(in crate::dump) value: String,
}

impl XattrDocument {
    pub(in crate::dump) fn new(name: &[u8], value: &[u8]) -> XattrDocument {
        XattrDocument {
            name: String::from_utf8_lossy(name).into_owned(),
            value: escape(value),
        }
    }
}
