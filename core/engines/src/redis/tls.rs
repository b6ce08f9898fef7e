//! What a client shows and asks for when a connection is encrypted.

use moorage_model::Result;
use redis::{ClientTlsConfig, TlsCertificates};

use super::options::TlsOptions;
use crate::certificates::{read, use_one_provider};

/// Reads the files that the options name.
///
/// # Errors
/// `NotFound` or `AccessDenied` naming a file that can not be read.
pub(super) fn certificates(options: &TlsOptions) -> Result<TlsCertificates> {
    use_one_provider();
    let client_tls = match &options.certificate {
        None => None,
        Some((certificate, key)) => Some(ClientTlsConfig {
            client_cert: read("Redis", "certificate", certificate)?,
            client_key: read("Redis", "key", key)?,
        }),
    };
    let root_cert = match &options.authorities {
        None => None,
        Some(file) => Some(read("Redis", "certificates of authorities", file)?),
    };
    Ok(TlsCertificates {
        client_tls,
        root_cert,
    })
}
