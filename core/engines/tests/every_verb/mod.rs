//! Every verb, and how often each waits for the server.

use std::sync::Arc;

use moorage_meta::{
    Context, CreateNode, LockRequest, Meta, RenameFlags, SetAttr, UnlinkOptions, Wait, XattrMode,
};
use moorage_model::{
    ChunkIndex, FileLockKind, Ino, LockOwner, NodeType, RecordLockKind, Slice, SliceId, Timestamp,
};

use crate::volume::name;

/// Round trips of one call of a verb.
pub(crate) type Counts = Vec<(&'static str, u64)>;

struct Counter<'m, T> {
    meta: &'m Meta,
    trips: T,
    counts: Counts,
}

impl<T: Fn() -> u64> Counter<'_, T> {
    async fn count<A>(
        &mut self,
        verb: &'static str,
        call: impl Future<Output = moorage_model::Result<A>>,
    ) -> A {
        // Usage of earlier verbs would be written in between.
        self.meta.make_durable().await.unwrap();
        let before = (self.trips)();
        let answer = call.await.unwrap();
        self.counts.push((verb, (self.trips)() - before));
        answer
    }
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

/// Calls every verb in a directory of its own; `trips` tells the round trips so far.
pub(crate) async fn every_verb(meta: &Arc<Meta>, trips: impl Fn() -> u64, round: &str) -> Counts {
    let (root, keep) = (Context::root(), UnlinkOptions::default());
    let top = meta
        .mkdir(&root, Ino::ROOT, &name(round), 0o755, 0)
        .await
        .unwrap()
        .ino;
    let mut c = Counter {
        meta,
        trips,
        counts: Vec::new(),
    };
    let file = c
        .count("create", meta.create(&root, top, &name("a"), 0o644, 0))
        .await
        .ino;
    let made = c
        .count("mkdir", meta.mkdir(&root, top, &name("d"), 0o755, 0))
        .await;
    let directory = made.ino;
    let link = CreateNode {
        kind: NodeType::Symlink,
        mode: 0,
        umask: 0,
        rdev: 0,
        symlink_target: Some(b"a".to_vec()),
    };
    c.count("symlink", meta.mknod(&root, top, &name("s"), link)).await;
    c.count("lookup", meta.lookup(&root, top, &name("a"))).await;
    c.count("getattr", meta.getattr(file)).await;
    let mode = SetAttr {
        mode: Some(0o600),
        ..SetAttr::default()
    };
    c.count("setattr", meta.setattr(&root, file, mode)).await;
    let (first, now) = (ChunkIndex(0), Timestamp::new(1_800_000_000, 0));
    let id = meta.allocate_slice().await.unwrap().0;
    c.count("write", meta.write_slice(file, first, slice(id), now))
        .await;
    c.count("read", meta.read_slices(file, first)).await;
    c.count("truncate", meta.truncate(&root, file, 100)).await;
    let set = meta.set_xattr(&root, file, b"user.a", b"1", XattrMode::Any);
    c.count("setxattr", set).await;
    c.count("getxattr", meta.get_xattr(&root, file, b"user.a")).await;
    c.count("removexattr", meta.remove_xattr(&root, file, b"user.a"))
        .await;
    let (owner, no) = (LockOwner(5), Wait::No);
    c.count(
        "flock",
        meta.flock(file, owner, Some(FileLockKind::Exclusive), no),
    )
    .await;
    c.count("flock release", meta.flock(file, owner, None, no)).await;
    let write = LockRequest {
        kind: Some(RecordLockKind::Write),
        start: 0,
        end: 9,
        pid: 1,
    };
    c.count("fcntl lock", meta.record_lock_set(file, owner, write, no))
        .await;
    c.count("link", meta.link(&root, file, directory, &name("h")))
        .await;
    let plain = RenameFlags::default();
    let (from, to) = (name("s"), name("t"));
    c.count(
        "rename",
        meta.rename(&root, (top, &from), (directory, &to), plain),
    )
    .await;
    let (list, all) = (directory, 1000);
    c.count("readdir", meta.read_directory(&root, list, None, all, true))
        .await;
    c.count("unlink", meta.unlink(&root, directory, &name("t"), keep))
        .await;
    let gone = UnlinkOptions { skip_trash: true };
    c.count("unlink a link", meta.unlink(&root, directory, &name("h"), gone))
        .await;
    c.count("rmdir", meta.rmdir(&root, top, &name("d"), keep)).await;
    c.counts
}
