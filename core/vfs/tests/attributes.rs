//! Attributes that are set while content waits to be stored.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moorage_engines::CommitFault;
use moorage_meta::MetaOptions;
use moorage_model::{ErrorKind, Gid, Result, Timestamp, Uid};
use moorage_vfs::{Caller, SetAttrRequest, SetTime, VfsOptions};
use volume::{Volume, close, content, create, uncached};

const THEN: Timestamp = Timestamp {
    seconds: 1_000_000,
    nanoseconds: 7,
};

fn at(time: Timestamp) -> SetAttrRequest {
    SetAttrRequest {
        mtime: Some(SetTime::At(time)),
        atime: Some(SetTime::At(time)),
        ..SetAttrRequest::default()
    }
}

/// Counts the commits of what clients do to files.
#[derive(Debug)]
struct Counter(Arc<AtomicUsize>);

impl CommitFault for Counter {
    fn before_commit(&self, _verb: &'static str) -> Result<()> {
        Ok(())
    }

    fn after_commit(&self, verb: &'static str) -> Result<()> {
        if ["write", "setattr"].contains(&verb) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_set_while_content_waits_is_committed_with_it_and_stays() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"content").await.unwrap();
    let commits = Arc::new(AtomicUsize::new(0));
    volume
        .engine
        .set_fault(Some(Box::new(Counter(Arc::clone(&commits)))));
    let reply = vfs
        .setattr(&Caller::root(), entry.ino, Some(handle), at(THEN))
        .await
        .unwrap();
    assert_eq!(commits.load(Ordering::SeqCst), 1);
    assert_eq!((reply.attr.mtime, reply.attr.length), (THEN, 7));
    close(&vfs, handle).await.unwrap();
    let elsewhere = volume.client().await;
    let seen = elsewhere.getattr(entry.ino).await.unwrap().attr;
    assert_eq!((seen.mtime, seen.atime, seen.length), (THEN, THEN, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_change_does_not_cost_the_content_that_waits() {
    let volume = Volume::new().await;
    let options = VfsOptions {
        check_permissions: true,
        ..uncached()
    };
    let vfs = volume.client_with(options, MetaOptions::default()).await;
    let (entry, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"content").await.unwrap();
    let stranger = Caller {
        uid: Uid(1000),
        gid: Gid(1000),
        ..Caller::root()
    };
    let refused = vfs.setattr(&stranger, entry.ino, Some(handle), at(THEN)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotPermitted);
    assert_eq!(content(&vfs, handle).await, b"content");
    close(&vfs, handle).await.unwrap();
    let elsewhere = volume.client().await;
    let seen = elsewhere.getattr(entry.ino).await.unwrap().attr;
    assert_eq!(seen.length, 7);
    assert_ne!(seen.mtime, THEN);
}
