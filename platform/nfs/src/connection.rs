//! Connections of clients on this computer.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use nfs3_types::rpc::{accept_stat_data, fragment_header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::rpc::{self, MARK_BYTES};
use crate::server::Server;

/// Bytes of the longest request: a full write with names, handles and credentials.
const MOST_REQUEST_BYTES: usize = (1 << 20) + (64 << 10);
/// Requests of one connection that are carried out at the same time; the client waits with more.
const MOST_AT_ONCE: u32 = 64;
/// Connections at the same time; a client has one, or a few.
const MOST_CONNECTIONS: usize = 32;
/// How often files that nobody asked for are looked for.
const IDLE_ROUND: Duration = Duration::from_secs(10);

/// Serves connections until told to stop, then finishes the requests under way and closes all files.
pub(crate) async fn serve(server: Arc<Server>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let told = stop.clone();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut idle = tokio::time::interval(IDLE_ROUND);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        tracing::warn!(%peer, "a connection is refused: there are {MOST_CONNECTIONS} already");
                        continue;
                    };
                    let (server, stop) = (Arc::clone(&server), told.clone());
                    connections.spawn(async move {
                        let _place = place;
                        serve_one(server, stream, peer, stop).await;
                    });
                }
                // The client tries again.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = idle.tick() => {
                server.files.close_idle();
                server.listings.close_idle();
            }
            () = told_to_stop(&mut stop) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    server.files.close_all().await;
}

/// Returns when it is told to stop, or when whoever could tell is gone.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn serve_one(
    server: Arc<Server>,
    stream: TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    if !peer.ip().is_loopback() {
        tracing::warn!(%peer, "a connection from elsewhere is refused");
        return;
    }
    // Without it answers wait for others.
    let _ = stream.set_nodelay(true);
    let (mut reading, mut writing) = stream.into_split();
    let (answers, mut written) = mpsc::channel::<Bytes>(MOST_AT_ONCE as usize);
    let writer = tokio::spawn(async move {
        while let Some(answer) = written.recv().await {
            if writing.write_all(&answer).await.is_err() {
                break;
            }
        }
    });
    let turns = Arc::new(Semaphore::new(MOST_AT_ONCE as usize));
    loop {
        let message = tokio::select! {
            message = read_message(&mut reading) => message,
            () = told_to_stop(&mut stop) => break,
        };
        let Some(message) = message else { break };
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            break;
        };
        let (server, answers) = (Arc::clone(&server), answers.clone());
        tokio::spawn(async move {
            let _turn = turn;
            if let Some(answer) = answer(&server, &message).await {
                // A client that is gone asks again over another connection.
                let _ = answers.send(answer).await;
            }
        });
    }
    // All requests under way.
    let _ended = turns.acquire_many(MOST_AT_ONCE).await;
    drop(answers);
    let _ = writer.await;
}

/// The answer of a request; a defect in it must not leave the client waiting.
async fn answer(server: &Server, message: &[u8]) -> Option<Bytes> {
    match AssertUnwindSafe(server.answer(message)).catch_unwind().await {
        Ok(answer) => answer,
        Err(_) => {
            let xid = message.first_chunk().copied().map(u32::from_be_bytes)?;
            Some(rpc::refused(xid, accept_stat_data::SYSTEM_ERR))
        }
    }
}

/// A whole message, out of the fragments that it comes in; `None` at the end of the connection, or of what can be one.
async fn read_message(stream: &mut OwnedReadHalf) -> Option<BytesMut> {
    let mut message = BytesMut::new();
    loop {
        let mut mark = [0; MARK_BYTES];
        stream.read_exact(&mut mark).await.ok()?;
        let mark = fragment_header::from(mark);
        let length = usize::try_from(mark.fragment_length()).ok()?;
        let start = message.len();
        if length > MOST_REQUEST_BYTES - start || (length == 0 && !mark.eof()) {
            tracing::warn!(
                length,
                "a message is longer than requests are; the connection ends"
            );
            return None;
        }
        message.resize(start + length, 0);
        stream.read_exact(message.get_mut(start..)?).await.ok()?;
        if mark.eof() {
            return Some(message);
        }
    }
}
