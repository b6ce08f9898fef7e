//! How often each verb waits for the server, counted on the wire.

use moorage_meta::{Context, CreateNode, LockRequest, RenameFlags, SetAttr, UnlinkOptions, Wait, XattrMode};
use moorage_model::{
    ChunkIndex, ErrorKind, FileLockKind, Ino, LockOwner, NodeType, RecordLockKind, Slice, SliceId, Timestamp,
};

use crate::proxy::Proxy;
use crate::servers::Node;
use crate::volume::{client, format, name};

/// Counts the round trips of one call; those that are not as expected are noted.
macro_rules! trips {
    ($wrong:expr, $proxy:expr, $expected:expr, $what:expr, $call:expr) => {{
        let before = $proxy.trips();
        let answer = $call.await.unwrap();
        let counted = $proxy.trips() - before;
        if counted != $expected {
            $wrong.push(format!("{}: {counted}", $what));
        }
        answer
    }};
}

fn slice(id: u64) -> Slice {
    Slice {
        pos: 0,
        id: SliceId(id),
        size: 4096,
        off: 0,
        len: 4096,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_takes_two_round_trips_at_most_and_a_read_one() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 1).await;
    let proxy = Proxy::to(node.port).await;
    let meta = client(&proxy.url()).await;
    let (root, top) = (Context::root(), Ino::ROOT);
    let keep = UnlinkOptions::default();
    // The first of these takes a batch of inode numbers, and makes the trash directory of the hour.
    meta.create(&root, top, &name("first"), 0o644, 0).await.unwrap();
    meta.unlink(&root, top, &name("first"), keep).await.unwrap();

    let mut wrong: Vec<String> = Vec::new();
    let file = trips!(
        wrong,
        proxy,
        2,
        "create",
        meta.create(&root, top, &name("a"), 0o644, 0)
    )
    .ino;
    let directory = trips!(
        wrong,
        proxy,
        2,
        "mkdir",
        meta.mkdir(&root, top, &name("d"), 0o755, 0)
    )
    .ino;
    let link = CreateNode {
        kind: NodeType::Symlink,
        mode: 0,
        umask: 0,
        rdev: 0,
        symlink_target: Some(b"a".to_vec()),
    };
    trips!(
        wrong,
        proxy,
        2,
        "symlink",
        meta.mknod(&root, top, &name("s"), link)
    );
    trips!(wrong, proxy, 1, "lookup", meta.lookup(&root, top, &name("a")));
    trips!(wrong, proxy, 1, "getattr", meta.getattr(file));
    let mode = SetAttr {
        mode: Some(0o600),
        ..SetAttr::default()
    };
    trips!(wrong, proxy, 1, "setattr", meta.setattr(&root, file, mode));

    let (first, now) = (ChunkIndex(0), Timestamp::new(1_800_000_000, 0));
    trips!(
        wrong,
        proxy,
        2,
        "write",
        meta.write_slice(file, first, slice(11), now)
    );
    trips!(
        wrong,
        proxy,
        1,
        "second write",
        meta.write_slice(file, first, slice(12), now)
    );
    trips!(wrong, proxy, 1, "read", meta.read_slices(file, first));
    trips!(wrong, proxy, 1, "truncate", meta.truncate(&root, file, 100));

    trips!(
        wrong,
        proxy,
        2,
        "set xattr",
        meta.set_xattr(&root, file, b"user.a", b"1", XattrMode::Any)
    );
    trips!(
        wrong,
        proxy,
        1,
        "get xattr",
        meta.get_xattr(&root, file, b"user.a")
    );
    trips!(wrong, proxy, 2, "list xattrs", meta.list_xattrs(file));
    trips!(
        wrong,
        proxy,
        1,
        "remove xattr",
        meta.remove_xattr(&root, file, b"user.a")
    );

    let owner = LockOwner(5);
    let (exclusive, no) = (Some(FileLockKind::Exclusive), Wait::No);
    trips!(wrong, proxy, 2, "flock", meta.flock(file, owner, exclusive, no));
    trips!(
        wrong,
        proxy,
        1,
        "flock release",
        meta.flock(file, owner, None, no)
    );
    let range = |kind| LockRequest {
        kind,
        start: 0,
        end: 9,
        pid: 1,
    };
    let write = range(Some(RecordLockKind::Write));
    trips!(
        wrong,
        proxy,
        2,
        "fcntl lock",
        meta.record_lock_set(file, owner, write, no)
    );
    trips!(
        wrong,
        proxy,
        1,
        "fcntl unlock",
        meta.record_lock_set(file, owner, range(None), no)
    );

    trips!(
        wrong,
        proxy,
        2,
        "link",
        meta.link(&root, file, directory, &name("h"))
    );
    let (from, to) = (name("s"), name("t"));
    let plain = RenameFlags::default();
    trips!(
        wrong,
        proxy,
        2,
        "rename",
        meta.rename(&root, (top, &from), (directory, &to), plain)
    );
    meta.create(&root, top, &name("r"), 0o644, 0).await.unwrap();
    let (from, to) = (name("r"), name("t"));
    trips!(
        wrong,
        proxy,
        1,
        "rename that replaces",
        meta.rename(&root, (top, &from), (directory, &to), plain)
    );
    trips!(
        wrong,
        proxy,
        1,
        "readdir",
        meta.read_directory(&root, directory, None, 1000, false)
    );
    trips!(
        wrong,
        proxy,
        2,
        "readdir with attributes",
        meta.read_directory(&root, directory, None, 1000, true)
    );
    trips!(
        wrong,
        proxy,
        1,
        "unlink",
        meta.unlink(&root, directory, &name("t"), keep)
    );
    trips!(
        wrong,
        proxy,
        2,
        "unlink of a hard link",
        meta.unlink(&root, directory, &name("h"), keep)
    );
    trips!(wrong, proxy, 2, "rmdir", meta.rmdir(&root, top, &name("d"), keep));
    assert_eq!(wrong, [""; 0]);
}

/// What a kernel asks for when somebody works on files: it looks a name up before it has it made or removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_what_was_just_seen_takes_one_round_trip() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 1).await;
    let proxy = Proxy::to(node.port).await;
    let meta = client(&proxy.url()).await;
    let (root, top, keep) = (Context::root(), Ino::ROOT, UnlinkOptions::default());
    let (now, first) = (Timestamp::new(1_800_000_000, 0), ChunkIndex(0));
    let mut wrong: Vec<String> = Vec::new();
    for round in ["the first", "a", "b"] {
        let (file, directory, other) = (
            name(&format!("{round} file")),
            name(&format!("{round} directory")),
            name(&format!("{round} other")),
        );
        if round == "a" {
            // The first took a batch of inode numbers, and made the trash directory of the hour.
            wrong.clear();
        }
        for missing in [&file, &directory, &other] {
            meta.lookup(&root, top, missing).await.unwrap_err();
        }
        let made = trips!(
            wrong,
            proxy,
            1,
            "create",
            meta.create(&root, top, &file, 0o644, 0)
        );
        trips!(
            wrong,
            proxy,
            1,
            "mkdir",
            meta.mkdir(&root, top, &directory, 0o755, 0)
        );
        meta.read_slices(made.ino, first).await.unwrap();
        trips!(
            wrong,
            proxy,
            1,
            "write",
            meta.write_slice(made.ino, first, slice(21), now)
        );
        trips!(
            wrong,
            proxy,
            1,
            "rename",
            meta.rename(&root, (top, &file), (top, &other), RenameFlags::default())
        );
        trips!(wrong, proxy, 1, "unlink", meta.unlink(&root, top, &other, keep));
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_client_changed_is_never_decided_on() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 0).await;
    let (meta, other) = (client(&node.url()).await, client(&node.url()).await);
    let (root, top, keep) = (Context::root(), Ino::ROOT, UnlinkOptions::default());
    let kind = |error: moorage_model::Error| error.kind();
    for round in 0..20 {
        let file = name(&format!("file {round}"));
        meta.lookup(&root, top, &file).await.unwrap_err();
        let made = other.create(&root, top, &file, 0o644, 0).await.unwrap().ino;
        let refused = meta.create(&root, top, &file, 0o644, 0).await.unwrap_err();
        assert_eq!(kind(refused), ErrorKind::Exists);
        assert_eq!(meta.lookup(&root, top, &file).await.unwrap().0, made);
        other.unlink(&root, top, &file, keep).await.unwrap();
        let refused = meta.unlink(&root, top, &file, keep).await.unwrap_err();
        assert_eq!(kind(refused), ErrorKind::NotFound);
        let mode = SetAttr {
            mode: Some(0o600),
            ..SetAttr::default()
        };
        let refused = meta.setattr(&root, made, mode).await.unwrap_err();
        assert_eq!(kind(refused), ErrorKind::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_may_not_do_takes_one_round_trip() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 0).await;
    let proxy = Proxy::to(node.port).await;
    let meta = client(&proxy.url()).await;
    let (root, top) = (Context::root(), Ino::ROOT);
    meta.mkdir(&root, top, &name("d"), 0o755, 0).await.unwrap();
    let before = proxy.trips();
    meta.create(&root, top, &name("d"), 0o644, 0).await.unwrap_err();
    meta.unlink(&root, top, &name("d"), UnlinkOptions::default())
        .await
        .unwrap_err();
    meta.lookup(&root, top, &name("none")).await.unwrap_err();
    assert_eq!(proxy.trips() - before, 3);
}

/// How often the server ran a command since `CONFIG RESETSTAT`.
async fn calls(node: &Node, command: &str) -> u64 {
    let redis::Value::BulkString(text) = node.ask("INFO commandstats").await else {
        panic!("no text")
    };
    let text = String::from_utf8(text).unwrap();
    let start = format!("cmdstat_{command}:calls=");
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix(&start)?.split(',').next());
    count.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_of_a_deleted_file_is_found_without_a_look_at_the_others() {
    const FILES: u64 = 50;
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    format(&node.url(), 0).await;
    let meta = client(&node.url()).await;
    let (root, top) = (Context::root(), Ino::ROOT);
    let now = Timestamp::new(1_800_000_000, 0);
    for number in 1..=FILES {
        let file = name(&number.to_string());
        let made = meta.create(&root, top, &file, 0o644, 0).await.unwrap();
        meta.write_slice(made.ino, ChunkIndex(0), slice(number), now)
            .await
            .unwrap();
        meta.unlink(&root, top, &file, UnlinkOptions::default())
            .await
            .unwrap();
    }
    node.ask("CONFIG RESETSTAT").await;
    meta.flush_deletions().await.unwrap();
    assert_eq!(node.ask("ZCARD delfiles").await, redis::Value::Int(0));
    assert_eq!(calls(&node, "zrange").await, 0);
    // Found, seen by the transaction, and compared by its script.
    assert!(calls(&node, "lrange").await <= 3 * FILES);
}
