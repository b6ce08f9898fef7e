//! A server that ends and comes back, and requests that come twice.

use nfs3_types::nfs3::*;
use nfs3_types::rpc::{auth_unix, call_body, msg_body, opaque_auth, rpc_msg};
use nfs3_types::xdr_codec::Pack;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::{Served, Volume, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_port_and_path_stay_good_and_the_verifier_does_not() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o644).await;
    let written = client
        .write(&file, 0, b"kept", stable_how::UNSTABLE)
        .await
        .unwrap();
    let (port, export) = (served.port, served.export.clone());
    served.end().await;
    let served = volume.serve().await;
    assert_eq!((served.port, &served.export), (port, &export));
    let mut client = served.client().await;
    assert_eq!(client.content(&file).await, b"kept");
    let committed = client.commit(&file).await.unwrap();
    assert_ne!(
        committed.verf, written.verf,
        "a client would not send again what was lost"
    );
    served.end().await;
}

/// Sends a request as it is, over a connection of its own, and returns the answer.
async fn send(served: &Served, message: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", served.port)).await.unwrap();
    let mark = message.len() as u32 | 0x8000_0000;
    stream.write_all(&mark.to_be_bytes()).await.unwrap();
    stream.write_all(message).await.unwrap();
    let mut mark = [0; 4];
    stream.read_exact(&mut mark).await.unwrap();
    let mut answer = vec![0; (u32::from_be_bytes(mark) & 0x7FFF_FFFF) as usize];
    stream.read_exact(&mut answer).await.unwrap();
    answer
}

fn removal(directory: &nfs_fh3, name: &str, xid: u32) -> Vec<u8> {
    let call = call_body {
        rpcvers: 2,
        prog: PROGRAM,
        vers: VERSION,
        proc: NFS_PROGRAM::NFSPROC3_REMOVE as u32,
        cred: opaque_auth::auth_unix(&auth_unix::default()),
        verf: opaque_auth::default(),
    };
    let message = rpc_msg {
        xid,
        body: msg_body::CALL(call),
    };
    let args = REMOVE3args {
        object: at(directory, name),
    };
    let mut out = Vec::new();
    message.pack(&mut out).unwrap();
    args.pack(&mut out).unwrap();
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_comes_again_has_the_answer_of_the_first_time() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    client.create(&root, "file", 0o644).await;
    let message = removal(&root, "file", 77);
    let (first, second) = tokio::join!(send(&served, &message), send(&served, &message));
    assert_eq!(first, second);
    let status = &first[first.len().min(24)..28];
    assert_eq!(status, [0, 0, 0, 0], "it was removed");
    let other = send(&served, &removal(&root, "file", 78)).await;
    assert_eq!(&other[24..28], [0, 0, 0, 2], "it is gone");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_ends_its_connection_alone() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    for noise in [
        b"GET / HTTP/1.1\r\n\r\n".as_slice(),
        &[0xFF; 64],
        &[0x80, 0, 0, 4, 1, 2, 3, 4],
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", served.port)).await.unwrap();
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // It may be reset, with bytes that nobody read.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
    }
    let root = client.root.clone();
    client.getattr(&root).await.unwrap();
    served.end().await;
}
