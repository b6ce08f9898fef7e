//! Encryption of connections, in the words of the server's own clients: `sslmode` and the files of certificates.

use std::path::PathBuf;
use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::certificates::{identity, read, use_one_provider};
use crate::verifier::{AnyHost, Anyone};

/// For messages.
const SERVER: &str = "PostgreSQL";

/// What `sslmode` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// No encryption.
    Disable,
    /// Encryption when the server refuses to do without.
    Allow,
    /// Encryption when the server can; its certificate is not looked at.
    #[default]
    Prefer,
    /// Encryption; the certificate counts only when authorities are named.
    Require,
    /// An authority vouches for the server.
    VerifyCa,
    /// And for its name.
    VerifyFull,
}

impl Mode {
    /// `None` for a word that is none of them.
    pub(super) fn named(text: &str) -> Option<Mode> {
        Some(match text {
            "disable" => Mode::Disable,
            "allow" => Mode::Allow,
            "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return None,
        })
    }
}

/// What the URL says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TlsOptions {
    pub(super) mode: Mode,
    /// Those who may vouch for the server (PEM); those of this computer when absent.
    pub(super) authorities: Option<PathBuf>,
    /// Certificate of this client (PEM).
    pub(super) certificate: Option<PathBuf>,
    /// Its key (PEM).
    pub(super) key: Option<PathBuf>,
}

/// How connections are made.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) connector: Option<MakeRustlsConnect>,
    /// How it is tried.
    pub(super) first: SslMode,
    /// How it is tried again when the server wants encryption.
    pub(super) second: Option<SslMode>,
}

impl Tls {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// `NotFound` or `AccessDenied` naming a file that can not be read, `InvalidArgument` for one that holds something
    /// else or half of a pair.
    pub(super) fn new(options: &TlsOptions) -> Result<Tls> {
        let (first, second) = match options.mode {
            Mode::Disable => (SslMode::Disable, None),
            Mode::Allow => (SslMode::Disable, Some(SslMode::Require)),
            Mode::Prefer => (SslMode::Prefer, None),
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => (SslMode::Require, None),
        };
        let connector = match options.mode {
            Mode::Disable => None,
            _ => Some(MakeRustlsConnect::new(configuration(options)?)),
        };
        Ok(Tls {
            connector,
            first,
            second,
        })
    }
}

fn configuration(options: &TlsOptions) -> Result<ClientConfig> {
    use_one_provider();
    let builder = ClientConfig::builder();
    let verifier: Arc<dyn ServerCertVerifier> = match options.mode {
        Mode::VerifyFull => authorities(options)?,
        Mode::VerifyCa => Arc::new(AnyHost(authorities(options)?)),
        // As the server's own clients do: authorities that are named are not named for nothing.
        Mode::Require if options.authorities.is_some() => Arc::new(AnyHost(authorities(options)?)),
        _ => Arc::new(Anyone(Arc::clone(builder.crypto_provider()))),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let (Some(certificate), Some(key)) = (&options.certificate, &options.key) else {
        if options.certificate.is_some() || options.key.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a client certificate for TLS to PostgreSQL needs sslcert and sslkey",
            ));
        }
        return Ok(builder.with_no_client_auth());
    };
    identity(SERVER, builder, certificate, key)
}

/// Checks certificates against the authorities.
fn authorities(options: &TlsOptions) -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    let source = match &options.authorities {
        Some(file) => {
            let found = read(SERVER, "certificates of authorities", file)?;
            roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&found).filter_map(Result::ok));
            file.display().to_string()
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            "this computer".to_owned()
        }
    };
    WebPkiServerVerifier::builder(Arc::new(roots))
        .build()
        .map_err(|error| {
            let text = format!("{source} has no certificate of an authority for TLS to PostgreSQL");
            Error::new(ErrorKind::InvalidArgument, text)
                .with_source(error)
                .with_advice("Name a file of them in PEM with sslrootcert in the metadata URL.")
        })
}
