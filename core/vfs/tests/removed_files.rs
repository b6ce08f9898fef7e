//! Files that lose their names while somebody opens them or has them open.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::MemoryStore;
use moorage_model::{ErrorKind, FileLockKind, Ino, LockOwner};
use moorage_vfs::{Caller, FallocateMode, LockWait, OpenFlags, RenameFlags, SeekTarget, SetAttrRequest, Vfs};
use volume::{READ, READ_WRITE, Volume, close, content, create};

const TRUNCATE: OpenFlags = OpenFlags {
    truncate: true,
    ..READ_WRITE
};
const APPEND: OpenFlags = OpenFlags {
    append: true,
    ..READ_WRITE
};

/// A volume that keeps what is removed for a day.
async fn with_trash() -> Volume {
    Volume::with(Arc::new(MemoryStore::new()), |setting| setting.trash_days = 1).await
}

/// The process of one system call.
fn process(pid: u32) -> Caller {
    Caller {
        pid,
        ..Caller::root()
    }
}

async fn find(vfs: &Vfs, caller: &Caller) -> Ino {
    vfs.lookup(caller, Ino::ROOT, b"name").await.unwrap().ino
}

/// Puts a new file of a content in the place of the one that has the name.
async fn replace(vfs: &Vfs, new: &[u8]) {
    let (_, made) = create(vfs, "new").await;
    vfs.write(made, 0, new).await.unwrap();
    close(vfs, made).await.unwrap();
    let (new, name) = ((Ino::ROOT, &b"new"[..]), (Ino::ROOT, &b"name"[..]));
    vfs.rename(&Caller::root(), new, name, RenameFlags::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_trash_too_who_looks_again_opens_what_it_found_however_often_the_file_is_replaced() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let caller = process(7);
    replace(&vfs, b"0").await;
    for flags in [READ, READ_WRITE, APPEND] {
        let first = find(&vfs, &caller).await;
        replace(&vfs, b"1").await;
        let refused = vfs.open(&caller, first, flags).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        // Linux asks whether the name still means what it knew, and then what it means.
        find(&vfs, &caller).await;
        replace(&vfs, b"1").await;
        let second = find(&vfs, &caller).await;
        replace(&vfs, b"2").await;
        let opened = vfs.open(&caller, second, flags).await.unwrap().handle;
        assert_eq!(content(&vfs, opened).await, b"1");
        close(&vfs, opened).await.unwrap();
        assert_eq!(vfs.meta().open_file_count(), 0);
    }
}

#[tokio::test]
async fn what_is_opened_later_is_no_second_half_of_an_open_that_was_refused() {
    let volume = with_trash().await;
    let (here, there) = (volume.client().await, volume.client().await);
    let caller = process(7);
    replace(&there, b"old").await;
    let (_, gone) = create(&there, "gone").await;
    close(&there, gone).await.unwrap();
    let gone = here.lookup(&caller, Ino::ROOT, b"gone").await.unwrap().ino;
    there.unlink(&Caller::root(), Ino::ROOT, b"gone").await.unwrap();
    let refused = here.open(&caller, gone, READ).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Stale);
    let missing = here.lookup(&caller, Ino::ROOT, b"gone").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let old = find(&here, &caller).await;
    replace(&there, b"new").await;
    for flags in [READ, READ_WRITE, APPEND] {
        let refused = here.open(&caller, old, flags).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale, "{flags:?}");
        here.lookup(&caller, Ino::ROOT, b"gone").await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_that_was_refused_is_forgotten_after_a_second() {
    let volume = with_trash().await;
    let vfs = volume.client().await;
    let caller = process(7);
    replace(&vfs, b"0").await;
    let first = find(&vfs, &caller).await;
    replace(&vfs, b"1").await;
    vfs.open(&caller, first, READ).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let second = find(&vfs, &caller).await;
    assert_eq!(vfs.meta().open_file_count(), 0, "nothing is kept");
    replace(&vfs, b"2").await;
    let refused = vfs.open(&caller, second, READ).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Stale);
}

#[tokio::test]
async fn a_change_by_its_name_of_a_file_that_was_replaced_while_others_have_it_open_is_made_anew() {
    let volume = with_trash().await;
    let vfs = volume.client().await;
    let caller = process(7);
    replace(&vfs, b"0").await;
    let known = find(&vfs, &caller).await;
    let _held = vfs.open(&process(8), known, READ).await.unwrap().handle;
    replace(&vfs, b"1").await;
    for change in [
        SetAttrRequest {
            size: Some(0),
            ..SetAttrRequest::default()
        },
        SetAttrRequest {
            mode: Some(0o600),
            ..SetAttrRequest::default()
        },
    ] {
        let refused = vfs.setattr(&caller, known, None, change).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale, "{change:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_found_again_and_not_opened_is_kept_for_a_second() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let caller = process(7);
    replace(&vfs, b"0").await;
    let first = find(&vfs, &caller).await;
    replace(&vfs, b"1").await;
    vfs.open(&caller, first, READ).await.unwrap_err();
    let second = find(&vfs, &caller).await;
    assert_eq!(vfs.meta().open_file_count(), 1);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(vfs.meta().open_file_count(), 0);
    replace(&vfs, b"2").await;
    let refused = vfs.open(&caller, second, READ).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn each_use_of_a_file_that_another_client_removed_says_that_the_handle_is_stale() {
    let volume = Volume::new().await;
    let (here, there) = (volume.client().await, volume.client().await);
    let (entry, written) = create(&here, "name").await;
    let caller = Caller::root();
    let reopened = |flags| {
        let (here, caller) = (&here, &caller);
        async move { here.open(caller, entry.ino, flags).await.unwrap().handle }
    };
    let (read, appended) = (reopened(READ).await, reopened(APPEND).await);
    here.write(written, 0, b"before").await.unwrap();
    here.fsync(written, false).await.unwrap();
    there.unlink(&caller, Ino::ROOT, b"name").await.unwrap();
    let stale = |what: &str, answer: moorage_model::Result<()>| {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Stale, "{what}");
    };
    stale("read", here.read(read, 0, &mut [0; 6]).await.map(drop));
    let punched = FallocateMode {
        keep_size: true,
        punch_hole: true,
        ..FallocateMode::default()
    };
    let punched = here.fallocate(&caller, written, punched, 0, 1);
    stale("fallocate", punched.await);
    let copied = here.copy_file_range(&caller, (read, 0), (written, 10), 1);
    stale("copy_file_range", copied.await.map(drop));
    stale("lseek", here.lseek(read, 0, SeekTarget::Data).await.map(drop));
    let locked = here.flock(read, LockOwner(1), Some(FileLockKind::Shared), LockWait::No);
    stale("flock", locked.await);
    // It may be taken over before anybody asks the database; whoever syncs hears of it.
    here.write(written, 0, b"later").await.unwrap();
    stale("fsync", here.fsync(written, false).await);
    stale("append", here.write(appended, 0, b"later").await.map(drop));
}

#[tokio::test]
async fn a_file_that_another_client_replaced_is_stale_also_when_it_lies_in_the_trash() {
    let volume = with_trash().await;
    let (a, b) = (volume.client().await, volume.client().await);
    let caller = Caller::root();
    let (old, made) = create(&a, "name").await;
    close(&a, made).await.unwrap();
    let known = find(&b, &caller).await;
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
    let volume = with_trash().await;
    let vfs = volume.client().await;
    let caller = process(7);
    let replace = || async {
        vfs.unlink(&Caller::root(), Ino::ROOT, b"name").await.unwrap();
        let (entry, made) = create(&vfs, "name").await;
        vfs.write(made, 0, b"new").await.unwrap();
        vfs.fsync(made, false).await.unwrap();
        entry.ino
    };
    let (first, _held) = create(&vfs, "name").await;
    for flags in [READ_WRITE, APPEND, TRUNCATE] {
        let known = find(&vfs, &caller).await;
        replace().await;
        let refused = vfs.open(&caller, known, flags).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale, "{flags:?}");
        let known = find(&vfs, &caller).await;
        replace().await;
        vfs.open(&caller, known, flags).await.unwrap();
        assert_ne!(known, first.ino);
    }
}

#[tokio::test]
async fn who_has_a_file_of_the_trash_open_opens_it_again_without_a_name() {
    let volume = with_trash().await;
    let vfs = volume.client().await;
    let caller = process(7);
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
    let volume = with_trash().await;
    let (writer, reader) = (volume.client().await, volume.client().await);
    let replace = || async {
        if writer.lookup(&Caller::root(), Ino::ROOT, b"name").await.is_ok() {
            writer.unlink(&Caller::root(), Ino::ROOT, b"name").await.unwrap();
        }
        let (_, made) = create(&writer, "name").await;
        close(&writer, made).await.unwrap();
    };
    let [caller, other] = [7, 8].map(process);
    replace().await;
    let first = find(&reader, &caller).await;
    replace().await;
    let refused = reader.open(&caller, first, READ).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Stale);
    let second = find(&reader, &caller).await;
    replace().await;
    let refused = reader.open(&other, second, READ).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::Stale,
        "another caller looks it up first"
    );
    reader.open(&caller, second, READ).await.unwrap();
    let third = find(&reader, &caller).await;
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
