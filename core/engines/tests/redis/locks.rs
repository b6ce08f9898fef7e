//! Locks of clients that are gone.

use moorage_meta::{Context, Wait};
use moorage_model::{ErrorKind, FileLockKind, Ino, LockOwner};
use redis::Value;

use crate::servers::Node;
use crate::volume::{client, format, name};

const EXCLUSIVE: Option<FileLockKind> = Some(FileLockKind::Exclusive);

#[tokio::test]
async fn a_shared_lock_that_juicefs_left_behind_keeps_nobody_waiting() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 0).await;
    let meta = client(&node.url()).await;
    let root = Context::root();
    let file = meta
        .create(&root, Ino::ROOT, &name("f"), 0o644, 0)
        .await
        .unwrap()
        .ino;
    node.ask(&format!("HSET lockf{file} 99_00000000000000AB R")).await;
    meta.flock(file, LockOwner(1), EXCLUSIVE, Wait::No).await.unwrap();
    let left = node.ask(&format!("HKEYS lockf{file}")).await;
    assert!(
        matches!(&left, Value::Array(fields) if fields.len() == 1),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_lock_of_a_killed_client_ends_when_its_session_has_expired_and_not_before() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 0).await;
    let (killed, meta) = (client(&node.url()).await, client(&node.url()).await);
    let root = Context::root();
    let file = meta
        .create(&root, Ino::ROOT, &name("f"), 0o644, 0)
        .await
        .unwrap()
        .ino;
    for kind in [FileLockKind::Shared, FileLockKind::Exclusive] {
        killed
            .flock(file, LockOwner(1), Some(kind), Wait::No)
            .await
            .unwrap();
        let refused = meta.flock(file, LockOwner(2), EXCLUSIVE, Wait::No).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::WouldBlock, "{kind:?}");
    }
    assert_eq!(meta.reap_sessions().await.unwrap(), 0, "it has not expired");
    let session = killed.session();
    node.ask(&format!("ZADD allSessions 1000 {session}")).await;
    assert_eq!(meta.reap_sessions().await.unwrap(), 1);
    meta.flock(file, LockOwner(2), EXCLUSIVE, Wait::No).await.unwrap();
    let left = node
        .ask(&format!("EXISTS locked{session} session{session}"))
        .await;
    assert_eq!(left, Value::Int(0));
}
