//! Names that are found by other letters, between clients of one volume.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_meta::MetaOptions;
use moorage_model::{ErrorKind, Ino};
use moorage_vfs::{Caller, RenameFlags, Vfs, VfsOptions};
use volume::{Volume, close, create, uncached};

/// A client to which letters do not count.
async fn client(volume: &Volume) -> Arc<Vfs> {
    let options = VfsOptions {
        ignore_case: true,
        ..uncached()
    };
    volume.client_with(options, MetaOptions::default()).await
}

async fn found(vfs: &Vfs, name: &str) -> Option<String> {
    match vfs.find_entry(&Caller::root(), Ino::ROOT, name.as_bytes()).await {
        Ok((name, _)) => Some(String::from_utf8(name.as_bytes().to_vec()).unwrap()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            None
        }
    }
}

async fn make(vfs: &Vfs, name: &str) {
    let (_, handle) = create(vfs, name).await;
    close(vfs, handle).await.unwrap();
}

#[tokio::test]
async fn letters_count_unless_the_options_say_otherwise() {
    let volume = Volume::new().await;
    let (strict, lax) = (volume.client().await, client(&volume).await);
    make(&strict, "Read Me").await;
    assert_eq!(found(&strict, "read me").await, None);
    assert_eq!(found(&strict, "Read Me").await.as_deref(), Some("Read Me"));
    assert_eq!(found(&lax, "read me").await.as_deref(), Some("Read Me"));
}

#[tokio::test]
async fn what_another_client_makes_renames_and_removes_is_found_by_other_letters_after_a_while() {
    let volume = Volume::new().await;
    let (other, vfs) = (volume.client().await, client(&volume).await);
    make(&vfs, "Own").await;
    assert_eq!(
        found(&vfs, "OWN").await.as_deref(),
        Some("Own"),
        "the folder was read"
    );
    make(&other, "Other").await;
    assert_eq!(
        found(&vfs, "Other").await.as_deref(),
        Some("Other"),
        "the same letters: at once"
    );
    make(&other, "Late").await;
    tokio::time::timeout(Duration::from_secs(10), async {
        while found(&vfs, "LATE").await.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let caller = Caller::root();
    let (from, to) = ((Ino::ROOT, &b"Late"[..]), (Ino::ROOT, &b"LaTe"[..]));
    other
        .rename(&caller, from, to, RenameFlags::default())
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while found(&vfs, "late").await.as_deref() != Some("LaTe") {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    other.unlink(&caller, Ino::ROOT, b"LaTe").await.unwrap();
    assert_eq!(
        found(&vfs, "late").await,
        None,
        "what is gone is found by no letters, at once"
    );
}

#[tokio::test]
async fn own_changes_are_seen_at_once_in_a_folder_of_any_size() {
    let volume = Volume::new().await;
    let vfs = client(&volume).await;
    for number in 0..50 {
        assert_eq!(found(&vfs, &format!("NAME {number}")).await, None);
        make(&vfs, &format!("name {number}")).await;
        assert_eq!(
            found(&vfs, &format!("NAME {number}")).await,
            Some(format!("name {number}"))
        );
    }
    let caller = Caller::root();
    vfs.unlink(&caller, Ino::ROOT, b"name 7").await.unwrap();
    assert_eq!(found(&vfs, "Name 7").await, None);
    let (from, to) = ((Ino::ROOT, &b"name 8"[..]), (Ino::ROOT, &b"moved"[..]));
    vfs.rename(&caller, from, to, RenameFlags::default())
        .await
        .unwrap();
    assert_eq!(found(&vfs, "Name 8").await, None);
    assert_eq!(found(&vfs, "MOVED").await.as_deref(), Some("moved"));
}
