//! A door with TLS before a server that speaks none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::tikv_server::Server;

/// Where the doors are: the server is at the same ports of 127.0.0.1.
pub(crate) const HOST: &str = "127.0.0.2";

/// The doors of the placement driver and of the store. What the server says of its own addresses is changed into those
/// of the doors on its way out, which have as many letters, so that clients come back through them.
pub(crate) struct Front {
    driver: Arc<Door>,
    store: Arc<Door>,
}

struct Door {
    address: String,
    behind: String,
    acceptor: TlsAcceptor,
    /// Who came in.
    greeted: AtomicUsize,
}

impl Front {
    /// Opens them for clients with a certificate of the authority in this folder (see [`crate::certificates::make`]).
    pub(crate) async fn before(server: &Server, folder: &Path) -> Front {
        let acceptor = TlsAcceptor::from(Arc::new(configuration(folder)));
        let addresses = [server.driver(), server.store()];
        let [driver, store] = addresses.clone().map(|behind| {
            let behind: SocketAddr = behind.parse().unwrap();
            Arc::new(Door {
                address: format!("{HOST}:{}", behind.port()),
                behind: behind.to_string(),
                acceptor: acceptor.clone(),
                greeted: AtomicUsize::new(0),
            })
        });
        let changes: Vec<(String, String)> = [&driver, &store]
            .map(|door| (door.behind.clone(), door.address.clone()))
            .into();
        for door in [&driver, &store] {
            let listener = TcpListener::bind(&door.address).await.unwrap();
            let (door, changes) = (Arc::clone(door), changes.clone());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (door, changes) = (Arc::clone(&door), changes.clone());
                    tokio::spawn(async move { door.pass(stream, &changes).await });
                }
            });
        }
        Front { driver, store }
    }

    /// URL of a volume behind the doors.
    pub(crate) fn url(&self) -> String {
        format!("tikv://{}/volume", self.driver.address)
    }

    /// How many connections came in, to the placement driver and to the store.
    pub(crate) fn greeted(&self) -> [usize; 2] {
        [&self.driver, &self.store].map(|door| door.greeted.load(Ordering::Relaxed))
    }
}

impl Door {
    /// Lets a connection through until either side ends it.
    async fn pass(&self, stream: TcpStream, changes: &[(String, String)]) -> std::io::Result<()> {
        let (client_reads, client_writes) = split(self.acceptor.accept(stream).await?);
        let (server_reads, server_writes) = split(TcpStream::connect(&self.behind).await?);
        self.greeted.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            ended = carry(client_reads, server_writes, &[]) => ended,
            ended = carry(server_reads, client_writes, changes) => ended,
        }
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    changes: &[(String, String)],
) -> std::io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        let said = &mut bytes[..length];
        for (own, door) in changes {
            for at in 0..said.len().saturating_sub(own.len() - 1) {
                if said[at..].starts_with(own.as_bytes()) {
                    said[at..at + door.len()].copy_from_slice(door.as_bytes());
                }
            }
        }
        to.write_all(said).await?;
        to.flush().await?;
    }
}

fn configuration(folder: &Path) -> ServerConfig {
    let file = |name: &str| folder.join(name);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(file("ca.pem")).unwrap())
        .unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .unwrap();
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let mut configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)
        .unwrap();
    configuration.alpn_protocols = vec![b"h2".to_vec()];
    configuration
}
