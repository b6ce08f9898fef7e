//! Files of certificates and keys that metadata URLs name.

use std::path::Path;

use moorage_model::{Error, ErrorKind, Result};

/// Has the TLS of every library done by one provider; one that the process has already will do.
pub(crate) fn use_one_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The content of a file that holds `what`, for TLS to `server`.
///
/// # Errors
/// `NotFound` or `AccessDenied` naming a file that can not be read.
pub(crate) fn read(server: &str, what: &str, file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
            _ => ErrorKind::NotFound,
        };
        Error::new(
            kind,
            format!(
                "the {what} for TLS to {server}, {}, can not be read",
                file.display()
            ),
        )
        .with_source(error)
        .with_advice("Correct the path in the metadata URL.")
    })
}
