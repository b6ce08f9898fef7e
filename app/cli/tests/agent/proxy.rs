//! A line to a server that can swallow what is sent, as a network does that is gone without a word.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The line. A connection that it once swallowed something of is never heard of again, also when the line is well later.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    swallows: Arc<watch::Sender<bool>>,
}

impl Proxy {
    /// Begins a line to `server` in the runtime of the caller.
    pub(crate) async fn start(server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let swallows = Arc::new(watch::Sender::new(false));
        let state = Arc::clone(&swallows);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server, state.subscribe()));
            }
        });
        Proxy { address, swallows }
    }

    /// Whether it swallows everything from now on.
    pub(crate) fn swallow(&self, everything: bool) {
        self.swallows.send_replace(everything);
    }
}

async fn connect(client: TcpStream, server: SocketAddr, swallows: watch::Receiver<bool>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pass(from_client, to_server, swallows.clone()),
        pass(from_server, to_client, swallows),
    );
}

/// Passes bytes on until they are swallowed; then the end of the stream is not passed on either.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallows: watch::Receiver<bool>) {
    let (mut bytes, mut dead) = (vec![0; 1 << 16], false);
    loop {
        match from.read(&mut bytes).await {
            Ok(0) | Err(_) if dead => std::future::pending().await,
            Ok(0) | Err(_) => return,
            Ok(count) => {
                dead |= *swallows.borrow();
                if !dead && to.write_all(&bytes[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
