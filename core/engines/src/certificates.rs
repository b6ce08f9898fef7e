//! Files of certificates and keys that metadata URLs name.

use std::path::Path;

use moorage_model::{Error, ErrorKind, Result};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};

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

/// Has a client show a certificate (PEM) with its key (PEM) in TLS to `server`.
///
/// # Errors
/// As [`read`]; `InvalidArgument` for a file that holds something else, and for two that are no pair.
pub(crate) fn identity(
    server: &str,
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    certificate: &Path,
    key: &Path,
) -> Result<ClientConfig> {
    let no_use = |what: &str, file: &Path| {
        let text = format!(
            "the {what} for TLS to {server}, {}, holds none in PEM",
            file.display()
        );
        Error::new(ErrorKind::InvalidArgument, text)
    };
    let chain = CertificateDer::pem_slice_iter(&read(server, "certificate", certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| no_use("certificate", certificate).with_source(error))?;
    let secret = PrivateKeyDer::from_pem_slice(&read(server, "key", key)?)
        .map_err(|error| no_use("key", key).with_source(error))?;
    builder.with_client_auth_cert(chain, secret).map_err(|error| {
        let text = format!("{} and {} are no pair", certificate.display(), key.display());
        Error::new(ErrorKind::InvalidArgument, text).with_source(error)
    })
}
