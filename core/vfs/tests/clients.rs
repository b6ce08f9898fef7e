//! Two clients of one volume whose caches promise the kernel a second.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::MemoryStore;
use moorage_meta::admin::SettingChange;
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::{ErrorKind, Ino, SystemClock};
use moorage_vfs::{Caller, OpenFlags, SetAttrRequest, Vfs};
use volume::{BLOCK, READ, READ_WRITE, Volume, cached, close, content, create, pattern};

const TRUNCATE: OpenFlags = OpenFlags {
    truncate: true,
    ..READ_WRITE
};
const APPEND: OpenFlags = OpenFlags {
    append: true,
    ..READ_WRITE
};

#[tokio::test]
async fn an_append_goes_behind_what_another_client_has_synced() {
    let volume = Volume::new().await;
    let a = volume.client_with(cached(), MetaOptions::default()).await;
    let b = volume.client_with(cached(), MetaOptions::default()).await;
    let (entry, made) = create(&a, "log").await;
    close(&a, made).await.unwrap();
    let on_a = a.open(&Caller::root(), entry.ino, APPEND).await.unwrap().handle;
    let on_b = b.open(&Caller::root(), entry.ino, APPEND).await.unwrap().handle;
    for (vfs, handle, record) in [
        (&a, on_a, b"a1\n"),
        (&b, on_b, b"b1\n"),
        (&b, on_b, b"b2\n"),
        (&a, on_a, b"a2\n"),
        (&b, on_b, b"b3\n"),
    ] {
        vfs.write(handle, 0, record).await.unwrap();
        vfs.fsync(handle, false).await.unwrap();
    }
    close(&a, on_a).await.unwrap();
    close(&b, on_b).await.unwrap();
    let reader = volume.client().await;
    let read = reader
        .open(&Caller::root(), entry.ino, READ)
        .await
        .unwrap()
        .handle;
    assert_eq!(content(&reader, read).await, b"a1\nb1\nb2\na2\nb3\n");
}

#[tokio::test]
async fn a_file_that_another_client_replaced_is_stale_also_when_it_lies_in_the_trash() {
    let store = Arc::new(MemoryStore::new());
    let volume = Volume::with(store, |setting| setting.trash_days = 1).await;
    let (a, b) = (volume.client().await, volume.client().await);
    let caller = Caller::root();
    let (old, made) = create(&a, "name").await;
    close(&a, made).await.unwrap();
    let known = b.lookup(&caller, Ino::ROOT, b"name").await.unwrap().ino;
    let held = b.open(&caller, known, READ).await.unwrap().handle;
    a.unlink(&caller, Ino::ROOT, b"name").await.unwrap();
    let (_, made) = create(&a, "name").await;
    close(&a, made).await.unwrap();
    b.open(&caller, known, READ).await.unwrap();
    let size = SetAttrRequest {
        size: Some(1),
        ..SetAttrRequest::default()
    };
    let late = volume.client().await;
    for flags in [READ, READ_WRITE, APPEND] {
        assert_eq!(
            late.open(&caller, known, flags).await.unwrap_err().kind(),
            ErrorKind::Stale
        );
    }
    let cut = late.setattr(&caller, known, None, size).await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::Stale);
    let now = late.lookup(&caller, Ino::ROOT, b"name").await.unwrap();
    assert_ne!(now.ino, old.ino);
    close(&b, held).await.unwrap();

    let trash = late.lookup(&caller, Ino::ROOT, b".trash").await.unwrap().ino;
    let hour = only_entry(&late, trash).await;
    let hour = late.lookup(&caller, trash, &hour).await.unwrap().ino;
    let thrown = only_entry(&late, hour).await;
    let thrown = late.lookup(&caller, hour, &thrown).await.unwrap().ino;
    assert_eq!(thrown, known);
    late.open(&caller, thrown, READ).await.unwrap();
    let refused = late.open(&caller, thrown, READ_WRITE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotPermitted);
}

#[tokio::test]
async fn a_file_that_was_replaced_here_while_it_is_open_is_opened_for_writing_by_its_name() {
    let volume = Volume::with(Arc::new(MemoryStore::new()), |setting| setting.trash_days = 1).await;
    let vfs = volume.client().await;
    let caller = Caller {
        pid: 7,
        ..Caller::root()
    };
    let replace = || async {
        vfs.unlink(&Caller::root(), Ino::ROOT, b"name").await.unwrap();
        let (entry, made) = create(&vfs, "name").await;
        vfs.write(made, 0, b"new").await.unwrap();
        vfs.fsync(made, false).await.unwrap();
        entry.ino
    };
    let (first, _held) = create(&vfs, "name").await;
    for flags in [READ_WRITE, APPEND, TRUNCATE] {
        let known = vfs.lookup(&caller, Ino::ROOT, b"name").await.unwrap().ino;
        replace().await;
        let refused = vfs.open(&caller, known, flags).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale, "{flags:?}");
        let known = vfs.lookup(&caller, Ino::ROOT, b"name").await.unwrap().ino;
        replace().await;
        vfs.open(&caller, known, flags).await.unwrap();
        assert_ne!(known, first.ino);
    }
}

#[tokio::test]
async fn who_has_a_file_of_the_trash_open_opens_it_again_without_a_name() {
    let volume = Volume::with(Arc::new(MemoryStore::new()), |setting| setting.trash_days = 1).await;
    let vfs = volume.client().await;
    let caller = Caller {
        pid: 7,
        ..Caller::root()
    };
    let (entry, held) = create(&vfs, "name").await;
    vfs.unlink(&Caller::root(), Ino::ROOT, b"name").await.unwrap();
    for flags in [READ_WRITE, APPEND, TRUNCATE] {
        let refused = vfs.open(&caller, entry.ino, flags).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale, "a name is looked up first");
        let again = vfs.open(&caller, entry.ino, flags).await.unwrap().handle;
        vfs.write(again, 0, b"content").await.unwrap();
        close(&vfs, again).await.unwrap();
    }
    close(&vfs, held).await.unwrap();
    for _ in 0..2 {
        let refused = vfs.open(&caller, entry.ino, READ_WRITE).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale, "nobody has it open");
    }
}

#[tokio::test]
async fn a_reader_that_looks_again_opens_what_it_found_however_fast_the_file_is_replaced() {
    let volume = Volume::with(Arc::new(MemoryStore::new()), |setting| setting.trash_days = 1).await;
    let (writer, reader) = (volume.client().await, volume.client().await);
    let replace = || async {
        if writer.lookup(&Caller::root(), Ino::ROOT, b"name").await.is_ok() {
            writer.unlink(&Caller::root(), Ino::ROOT, b"name").await.unwrap();
        }
        let (_, made) = create(&writer, "name").await;
        close(&writer, made).await.unwrap();
    };
    let find = |caller: Caller| {
        let reader = &reader;
        async move { reader.lookup(&caller, Ino::ROOT, b"name").await.unwrap().ino }
    };
    let [caller, other] = [7, 8].map(|pid| Caller {
        pid,
        ..Caller::root()
    });
    replace().await;
    let first = find(caller.clone()).await;
    replace().await;
    let refused = reader.open(&caller, first, READ).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Stale);
    let second = find(caller.clone()).await;
    replace().await;
    let refused = reader.open(&other, second, READ).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::Stale,
        "another caller looks it up first"
    );
    reader.open(&caller, second, READ).await.unwrap();
    let third = find(caller.clone()).await;
    replace().await;
    let refused = reader.open(&caller, third, READ).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::Stale,
        "the next system call begins anew"
    );
}

/// Name of the one entry of a directory.
async fn only_entry(vfs: &Vfs, directory: Ino) -> Vec<u8> {
    let handle = vfs.opendir(&Caller::root(), directory).await.unwrap().handle;
    let mut names = Vec::new();
    vfs.readdir(handle, 0, false, &mut |item| {
        names.push(item.name.to_vec());
        true
    })
    .await
    .unwrap();
    vfs.releasedir(handle).await.unwrap();
    names.retain(|name| name != b"." && name != b"..");
    assert_eq!(names.len(), 1);
    names.remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_changed_bandwidth_limit_reaches_a_running_client() {
    let volume = Volume::on(Arc::new(MemoryStore::new())).await;
    let vfs = volume.client().await;
    // 125,000 bytes per second.
    let limit = SettingChange {
        upload_limit: Some(1),
        ..SettingChange::default()
    };
    let engine: Arc<dyn Engine> = Arc::clone(&volume.engine) as _;
    Meta::change_setting(&engine, &SystemClock, move |setting| limit.apply(setting))
        .await
        .unwrap();
    vfs.meta().refresh_session().await.unwrap();
    // The follower runs beside the heartbeat.
    tokio::task::yield_now().await;
    let (_, handle) = create(&vfs, "a").await;
    let start = tokio::time::Instant::now();
    vfs.write(handle, 0, &pattern(20 * BLOCK, 1)).await.unwrap();
    close(&vfs, handle).await.unwrap();
    // 19 spans of 65,536 bytes at that rate, and no earlier than the saved-up time allows.
    assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
}

/// Sub-directories of a directory as a client shows them.
async fn subdirectories(vfs: &Vfs, ino: Ino) -> u32 {
    vfs.getattr(ino).await.unwrap().attr.nlink - 2
}

async fn make_directory(vfs: &Vfs, parent: Ino, name: &str) -> Ino {
    let made = vfs
        .mkdir(&Caller::root(), parent, name.as_bytes(), 0o755, 0)
        .await;
    made.unwrap().ino
}

#[tokio::test]
async fn a_directory_that_a_client_changed_is_known_to_it_for_as_long_as_attributes_may_be_cached() {
    let volume = Volume::new().await;
    let a = volume.client_with(cached(), MetaOptions::default()).await;
    let (b, uncached) = (volume.client().await, volume.client().await);
    let shared = make_directory(&a, Ino::ROOT, "shared").await;
    make_directory(&a, shared, "1").await;
    make_directory(&b, shared, "2").await;
    assert_eq!(subdirectories(&a, shared).await, 1, "it need not be read again");
    assert!(a.getattr(shared).await.unwrap().ttl < cached().attr_ttl);
    assert_eq!(subdirectories(&uncached, shared).await, 2);
    make_directory(&a, shared, "3").await;
    assert_eq!(
        subdirectories(&a, shared).await,
        3,
        "its own change saw the other one"
    );
    make_directory(&b, shared, "4").await;
    assert_eq!(
        subdirectories(&b, shared).await,
        4,
        "nothing may be cached for it"
    );
    a.lookup(&Caller::root(), Ino::ROOT, b"shared").await.unwrap();
    assert_eq!(subdirectories(&a, shared).await, 4, "time does not go back");
}

#[tokio::test]
async fn a_directory_that_a_client_removed_is_gone_for_it() {
    let volume = Volume::new().await;
    let a = volume.client_with(cached(), MetaOptions::default()).await;
    let gone = make_directory(&a, Ino::ROOT, "gone").await;
    a.rmdir(&Caller::root(), Ino::ROOT, b"gone").await.unwrap();
    let error = a.getattr(gone).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
