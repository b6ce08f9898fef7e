//! What a client shows and asks for when a connection is encrypted.

use std::path::Path;

use moorage_model::{Error, ErrorKind, Result};
use redis::{ClientTlsConfig, TlsCertificates};

use super::options::TlsOptions;

/// Reads the files that the options name.
///
/// # Errors
/// `NotFound` or `AccessDenied` naming a file that can not be read.
pub(super) fn certificates(options: &TlsOptions) -> Result<TlsCertificates> {
    // The library takes the provider of the process; one that is there already will do.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client_tls = match &options.certificate {
        None => None,
        Some((certificate, key)) => Some(ClientTlsConfig {
            client_cert: read("certificate", certificate)?,
            client_key: read("key", key)?,
        }),
    };
    let root_cert = match &options.authorities {
        None => None,
        Some(file) => Some(read("certificates of authorities", file)?),
    };
    Ok(TlsCertificates {
        client_tls,
        root_cert,
    })
}

fn read(what: &str, file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
            _ => ErrorKind::NotFound,
        };
        Error::new(
            kind,
            format!("the {what} for TLS to Redis, {}, can not be read", file.display()),
        )
        .with_source(error)
        .with_advice("Correct the path in the metadata URL.")
    })
}
