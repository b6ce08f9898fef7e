//! Encryption of connections: the files that the URL names, and what is wrong with it when no connection can be made,
//! which the client library tells its log alone.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::Address;
use crate::certificates::{identity, read, use_one_provider};
use crate::verifier::Anyone;

/// For messages.
const SERVER: &str = "TiKV";
const ADVICE: &str =
    "Check the files that ca, cert and key of the metadata URL name, and that the cluster uses TLS.";
/// Longest look at what is wrong.
const LOOK_LIMIT: Duration = Duration::from_secs(3);
/// The protocol that the servers speak, as TLS names it.
const PROTOCOL: &[u8] = b"h2";
/// What a client of that protocol says first, with no wishes of its own.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Files for TLS, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tls {
    /// Certificate of the authority that the servers' certificates come from.
    pub(super) ca: PathBuf,
    /// Certificate of this client.
    pub(super) certificate: PathBuf,
    /// Key to it.
    pub(super) key: PathBuf,
}

impl Tls {
    /// Reads the files. Blocks the thread.
    ///
    /// # Errors
    /// `NotFound` or `AccessDenied` naming a file that can not be read, `InvalidArgument` for one that holds something
    /// else and for a certificate and a key that are no pair.
    pub(super) fn configuration(&self) -> Result<ClientConfig> {
        use_one_provider();
        let mut roots = RootCertStore::empty();
        let found = read(SERVER, "certificates of authorities", &self.ca)?;
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&found).filter_map(Result::ok));
        if roots.is_empty() {
            let text = format!(
                "{} has no certificate of an authority for TLS to {SERVER}",
                self.ca.display()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, text)
                .with_advice("Name a file of them in PEM with ca in the metadata URL."));
        }
        let builder = ClientConfig::builder().with_root_certificates(roots);
        identity(SERVER, builder, &self.certificate, &self.key)
    }
}

/// Why no placement driver answered, where one listens and encryption is the reason.
pub(super) async fn reason(address: &Address) -> Option<Error> {
    let looks = address
        .drivers
        .iter()
        .map(|driver| look(driver, address.tls.as_ref()));
    let looks = futures_util::future::join_all(looks);
    let found = tokio::time::timeout(LOOK_LIMIT, looks).await.ok()?;
    found.into_iter().flatten().next()
}

async fn look(driver: &str, tls: Option<&Tls>) -> Option<Error> {
    let stream = TcpStream::connect(driver).await.ok()?;
    let Some(tls) = tls else {
        return match greet(stream, driver, of_anyone()).await {
            Err(error) if !refused_the_client(&error) => None,
            _ => Some(
                Error::new(
                    ErrorKind::Unauthenticated,
                    format!("the placement driver {driver} wants TLS"),
                )
                .with_advice("Add ca, cert and key to the metadata URL."),
            ),
        };
    };
    let error = match tls.configuration() {
        Err(error) => return Some(error),
        Ok(configuration) => greet(stream, driver, configuration).await.err()?,
    };
    let of_tls = is_of_tls(&error) || error.kind() == io::ErrorKind::UnexpectedEof;
    of_tls.then(|| {
        let text = format!("no TLS connection to the placement driver {driver}");
        Error::new(ErrorKind::Unauthenticated, text)
            .with_source(error)
            .with_advice(ADVICE)
    })
}

/// Greets as a client of the protocol does: some servers tell only then that they do not take the client's certificate.
async fn greet(stream: TcpStream, driver: &str, mut configuration: ClientConfig) -> io::Result<()> {
    configuration.alpn_protocols = vec![PROTOCOL.to_vec()];
    let host = driver.rsplit_once(':').map_or(driver, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(configuration));
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(GREETING).await?;
    stream.read_u8().await.map(drop)
}

/// Takes every server, to see whether one speaks TLS at all.
fn of_anyone() -> ClientConfig {
    use_one_provider();
    let builder = ClientConfig::builder();
    let anyone = Arc::new(Anyone(Arc::clone(builder.crypto_provider())));
    builder
        .dangerous()
        .with_custom_certificate_verifier(anyone)
        .with_no_client_auth()
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn is_of_tls(error: &io::Error) -> bool {
    tls_error(error).is_some()
}

/// Whether the other side spoke TLS, and ended it.
fn refused_the_client(error: &io::Error) -> bool {
    matches!(tls_error(error), Some(rustls::Error::AlertReceived(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_or_holds_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there");
        std::fs::write(&there, "no certificate").unwrap();
        let tls = |ca: &str| Tls {
            ca: folder.path().join(ca),
            certificate: there.clone(),
            key: there.clone(),
        };
        for (ca, kind) in [
            ("gone", ErrorKind::NotFound),
            ("there", ErrorKind::InvalidArgument),
        ] {
            let error = tls(ca).configuration().unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(ca), "{error}");
        }
    }
}
