//! Encryption of connections: the words of JuiceFS's driver, and files of certificates, for which it has none.

use std::path::PathBuf;

use moorage_model::{Error, ErrorKind, Result};
use mysql_async::{ClientIdentity, Opts, OptsBuilder, SslOpts};

use crate::certificates::{read, use_one_provider};

/// For messages.
const SERVER: &str = "MySQL";

/// What `tls` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// No encryption.
    #[default]
    Off,
    /// Encryption when the server can; its certificate is not looked at.
    Preferred,
    /// Encryption; the certificate is not looked at.
    SkipVerify,
    /// An authority vouches for the server and its name.
    On,
}

impl Mode {
    /// `None` for a word that is none of them.
    pub(super) fn named(text: &str) -> Option<Mode> {
        // The words for truth of the original's language.
        Some(match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Mode::On,
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Mode::Off,
            "skip-verify" => Mode::SkipVerify,
            "preferred" => Mode::Preferred,
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
pub(super) struct Transport {
    /// How it is tried.
    pub(super) first: Opts,
    /// How it is tried again when the server can not encrypt.
    pub(super) second: Option<Opts>,
}

impl Transport {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// `NotFound` or `AccessDenied` naming a file that can not be read, `InvalidArgument` for half of a pair or when
    /// there is no authority.
    pub(super) fn new(plain: &Opts, options: &TlsOptions) -> Result<Transport> {
        // Sockets do not leave this computer.
        if options.mode == Mode::Off || plain.socket().is_some() {
            return Ok(Transport {
                first: plain.clone(),
                second: None,
            });
        }
        use_one_provider();
        let mut encryption = SslOpts::default().with_client_identity(identity(options)?);
        encryption = if options.mode == Mode::On {
            let authorities = authorities(options)?;
            encryption
                .with_disable_built_in_roots(true)
                .with_root_certs(authorities.into_iter().map(Into::into).collect())
        } else {
            encryption.with_danger_accept_invalid_certs(true)
        };
        let encrypted = OptsBuilder::from_opts(plain.clone()).ssl_opts(encryption);
        Ok(Transport {
            first: encrypted.into(),
            second: (options.mode == Mode::Preferred).then(|| plain.clone()),
        })
    }
}

fn identity(options: &TlsOptions) -> Result<Option<ClientIdentity>> {
    match (&options.certificate, &options.key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(ClientIdentity::new(
            read(SERVER, "certificate", certificate)?.into(),
            read(SERVER, "key", key)?.into(),
        ))),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            "a client certificate for TLS to MySQL needs tls-cert-file and tls-key-file",
        )),
    }
}

/// Certificates of authorities, in PEM or DER.
fn authorities(options: &TlsOptions) -> Result<Vec<Vec<u8>>> {
    let found = match &options.authorities {
        Some(file) => vec![read(SERVER, "certificates of authorities", file)?],
        None => {
            let own = rustls_native_certs::load_native_certs().certs;
            own.iter().map(|certificate| certificate.to_vec()).collect()
        }
    };
    if found.is_empty() {
        let text = "this computer has no certificate of an authority for TLS to MySQL";
        return Err(Error::new(ErrorKind::InvalidArgument, text)
            .with_advice("Name a file of them in PEM with tls-ca-cert-file in the metadata URL."));
    }
    Ok(found)
}
