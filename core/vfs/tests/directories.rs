//! Listings, internal nodes and sub-directory mounts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use moorage_meta::MetaOptions;
use moorage_model::{ErrorKind, Ino, NodeType};
use moorage_vfs::{Caller, FileHandle, RenameFlags, SetAttrRequest, Vfs, VfsOptions};
use volume::faults::FailingStore;
use volume::{FILE, READ, Volume, close, content, create, uncached};

/// Names listed from a cookie on, at most `limit`, and the cookie to go on from.
async fn page(vfs: &Vfs, handle: FileHandle, cookie: u64, limit: usize) -> (Vec<String>, u64) {
    let (mut names, mut next) = (Vec::new(), cookie);
    vfs.readdir(handle, cookie, true, &mut |item| {
        if names.len() == limit {
            return false;
        }
        names.push(String::from_utf8_lossy(item.name).into_owned());
        next = item.next_cookie;
        true
    })
    .await
    .unwrap();
    (names, next)
}

async fn open_root(vfs: &Vfs) -> FileHandle {
    vfs.opendir(&Caller::root(), Ino::ROOT).await.unwrap().handle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_in_pages_names_every_lasting_entry_once_while_others_come_and_go() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let caller = Caller::root();
    let lasting: BTreeSet<String> = (0..2500).map(|n| format!("lasting-{n:05}")).collect();
    for name in &lasting {
        vfs.mknod(&caller, Ino::ROOT, name.as_bytes(), FILE)
            .await
            .unwrap();
    }
    let handle = open_root(&vfs).await;
    let (mut seen, mut cookie, mut round) = (Vec::new(), 0, 0);
    loop {
        let (names, next) = page(&vfs, handle, cookie, 37).await;
        if names.is_empty() {
            break;
        }
        seen.extend(names);
        cookie = next;
        round += 1;
        let name = format!("passing-{}", round % 7);
        match round / 7 % 2 {
            0 => drop(vfs.mknod(&caller, Ino::ROOT, name.as_bytes(), FILE).await),
            _ => drop(vfs.unlink(&caller, Ino::ROOT, name.as_bytes()).await),
        }
    }
    let mut found: Vec<String> = seen
        .iter()
        .filter(|name| name.starts_with("lasting"))
        .cloned()
        .collect();
    found.sort();
    assert!(
        found.iter().eq(lasting.iter()),
        "{} of {}",
        found.len(),
        lasting.len()
    );
    for special in [".", "..", ".stats", ".config", ".accesslog", ".trash"] {
        assert_eq!(
            seen.iter().filter(|name| *name == special).count(),
            1,
            "{special}"
        );
    }
    assert!(!seen.contains(&".control".to_owned()));
    vfs.releasedir(handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewound_listing_sees_what_was_made_since_and_a_seek_finds_its_place() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let caller = Caller::root();
    for n in 0..3000 {
        vfs.mknod(&caller, Ino::ROOT, format!("f{n:04}").as_bytes(), FILE)
            .await
            .unwrap();
    }
    let handle = open_root(&vfs).await;
    let (head, middle) = page(&vfs, handle, 0, 500).await;
    let (after, _) = page(&vfs, handle, middle, 3).await;
    let (all, _) = page(&vfs, handle, 0, usize::MAX).await;
    assert_eq!(all[..500], head);
    assert_eq!(all[500..503], after);
    let (again, _) = page(&vfs, handle, middle, 3).await;
    assert_eq!(again, after, "back from the end");
    vfs.mknod(&caller, Ino::ROOT, b"a-new-one", FILE).await.unwrap();
    let (rewound, _) = page(&vfs, handle, 0, usize::MAX).await;
    assert!(rewound.contains(&"a-new-one".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internal_nodes_can_be_read_and_neither_made_nor_changed() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let caller = Caller::root();
    for (name, mode, expected) in [
        (b".stats".as_slice(), 0o444, "juicefs_uptime"),
        (b".config", 0o400, "\"Format\""),
    ] {
        let entry = vfs.lookup(&caller, Ino::ROOT, name).await.unwrap();
        assert_eq!(
            (entry.attr.mode, entry.attr.nlink, entry.attr.kind),
            (mode, 1, NodeType::File)
        );
        let opened = vfs.open(&caller, entry.ino, READ).await.unwrap();
        assert!(opened.direct_io);
        let text = String::from_utf8(content(&vfs, opened.handle).await).unwrap();
        assert!(text.contains(expected), "{text}");
        close(&vfs, opened.handle).await.unwrap();
        let changed = vfs.setattr(
            &caller,
            entry.ino,
            None,
            SetAttrRequest {
                mode: Some(0),
                ..Default::default()
            },
        );
        assert_eq!(changed.await.unwrap().attr.mode, mode);
        let made = vfs.mknod(&caller, Ino::ROOT, name, FILE).await.unwrap_err();
        assert_eq!(made.kind(), ErrorKind::Exists);
        let removed = vfs.unlink(&caller, Ino::ROOT, name).await.unwrap_err();
        assert_eq!(removed.kind(), ErrorKind::NotPermitted);
    }
    let trash = vfs
        .mkdir(&caller, Ino::ROOT, b".trash", 0o755, 0)
        .await
        .unwrap_err();
    assert_eq!(trash.kind(), ErrorKind::NotPermitted);
    let below = vfs.mkdir(&caller, Ino::ROOT, b"below", 0o755, 0).await.unwrap();
    vfs.mknod(&caller, below.ino, b".stats", FILE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_access_log_shows_operations_while_somebody_reads_it() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let caller = Caller::root();
    let entry = vfs.lookup(&caller, Ino::ROOT, b".accesslog").await.unwrap();
    let opened = vfs.open(&caller, entry.ino, READ).await.unwrap();
    vfs.mkdir(&caller, Ino::ROOT, b"seen", 0o755, 0).await.unwrap();
    let mut text = String::new();
    while !text.contains("mkdir") {
        let bytes = vfs.read_bytes(opened.handle, 0, 4096).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(
        text.contains("[uid:0,gid:0,pid:0] mkdir (1,seen,755,0): OK <0."),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_directory_mount_shows_that_directory_as_its_root() {
    let volume = Volume::new().await;
    let options = VfsOptions {
        subdir: Some("/team/one".into()),
        ..uncached()
    };
    let inner = volume.client_with(options, MetaOptions::default()).await;
    let outer = volume.client().await;
    let (made, handle) = create(&inner, "inside").await;
    close(&inner, handle).await.unwrap();
    assert_eq!(inner.getattr(Ino::ROOT).await.unwrap().ino, Ino::ROOT);
    let caller = Caller::root();
    let team = outer.lookup(&caller, Ino::ROOT, b"team").await.unwrap();
    assert_eq!(team.attr.mode, 0o777);
    let one = outer.lookup(&caller, team.ino, b"one").await.unwrap();
    let seen = outer.lookup(&caller, one.ino, b"inside").await.unwrap();
    assert_eq!(seen.ino, made.ino);
    let handle = open_root(&inner).await;
    let (names, _) = page(&inner, handle, 0, usize::MAX).await;
    assert!(names.contains(&"inside".to_owned()) && !names.contains(&".trash".to_owned()));
    let up = inner.lookup(&caller, Ino::ROOT, b"..").await.unwrap();
    assert_eq!(up.ino, Ino::ROOT);
    let trash = inner
        .mkdir(&caller, Ino::ROOT, b".trash", 0o755, 0)
        .await
        .unwrap_err();
    assert_eq!(trash.kind(), ErrorKind::NotPermitted);
}

#[tokio::test]
async fn a_sub_directory_leads_nowhere_else() {
    let volume = Volume::new().await;
    for path in ["..", "../x", "/team/./one"] {
        let options = VfsOptions {
            subdir: Some(path.into()),
            ..uncached()
        };
        let refused = volume.try_client_with(options, MetaOptions::default()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument, "{path}");
    }
    let outer = volume.client().await;
    let made = outer.lookup(&Caller::root(), Ino::ROOT, b"x").await;
    assert_eq!(made.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefixed_internal_nodes_leave_the_plain_names_free() {
    let volume = Volume::new().await;
    let options = VfsOptions {
        prefix_internal: true,
        ..uncached()
    };
    let vfs = volume.client_with(options, MetaOptions::default()).await;
    let caller = Caller::root();
    vfs.lookup(&caller, Ino::ROOT, b".jfs.stats").await.unwrap();
    vfs.mknod(&caller, Ino::ROOT, b".stats", FILE).await.unwrap();
    assert!(vfs.lookup(&caller, Ino::ROOT, b".stats").await.unwrap().ino < Ino::INTERNAL);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_synchronous_directories_a_change_is_answered_after_the_barrier_only() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as _).await;
    let options = VfsOptions {
        sync_directories: true,
        ..uncached()
    };
    let synchronous = volume.client_with(options, MetaOptions::default()).await;
    let other = volume.client().await;
    let caller = Caller::root();
    store.hangs.store(true, Ordering::SeqCst);
    let made = other.mkdir(&caller, Ino::ROOT, b"other", 0o755, 0).now_or_never();
    assert!(made.is_some_and(|made| made.is_ok()), "it waits for no barrier");
    let made = synchronous.mkdir(&caller, Ino::ROOT, b"kept", 0o755, 0);
    assert!(made.now_or_never().is_none(), "the barrier has not ended");
    for change in [
        synchronous.rmdir(&caller, Ino::ROOT, b"kept").now_or_never(),
        synchronous
            .rename(
                &caller,
                (Ino::ROOT, b"other"),
                (Ino::ROOT, b"moved"),
                RenameFlags::default(),
            )
            .now_or_never(),
    ] {
        assert!(change.is_none(), "the barrier has not ended");
    }
    store.hangs.store(false, Ordering::SeqCst);
    synchronous.rmdir(&caller, Ino::ROOT, b"moved").await.unwrap();
}
