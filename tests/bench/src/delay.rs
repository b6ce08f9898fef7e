//! A wire that makes each round trip longer, as the network between a client and its database does. It delays and does
//! not throttle: what is sent later does not wait for what was sent before.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Bytes passed on at once.
const PIECE: usize = 1 << 16;

/// Listens on a free port of the loopback interface, until the program ends, and passes on to `server`; every way takes
/// half of `round_trip` longer.
///
/// # Errors
/// No port is free.
pub(crate) fn wire(server: u16, round_trip: Duration) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening for the delayed wire")?;
    let port = listener.local_addr()?.port();
    let way = round_trip / 2;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client whose server does not answer sees its connection closed.
            let _ = connect(client, server, way);
        }
    });
    Ok(port)
}

fn connect(client: TcpStream, server: u16, way: Duration) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", server))?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    carry(client.try_clone()?, server.try_clone()?, way);
    carry(server, client, way);
    Ok(())
}

/// Passes on in one direction, in threads of its own.
fn carry(mut from: TcpStream, to: TcpStream, way: Duration) {
    let (sender, receiver) = channel();
    thread::spawn(move || deliver(&receiver, to));
    thread::spawn(move || {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let bytes = piece.get(..length).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + way, bytes)).is_err() {
                break;
            }
        }
    });
}

fn deliver(pieces: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    // SAFETY: this option takes a plain number and concerns the calling thread only. Without it the system wakes a thread
    // up to 50 microseconds late.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
    for (due, bytes) in pieces {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
