//! Every kind of end as source and as destination.

use bytes::Bytes;
use moorage_chunk::ObjectStore as _;
use moorage_sync::copy::CopyOptions;
use moorage_sync::{RelativePath, Side as _};

use crate::fixture::{Folders, copied, objects, options, set_time, tree, volume, volume_side, write};

fn filled() -> Folders {
    let folders = Folders::new();
    write(&folders.from("a/b/c"), "deep");
    write(&folders.from("a-b"), "between");
    write(&folders.from("empty"), "");
    write(&folders.from("large"), vec![b'x'; 9 << 20]);
    set_time(&folders.from("a-b"), 5);
    folders
}

#[tokio::test]
async fn a_tree_goes_through_objects_and_comes_back() {
    let folders = filled();
    let (store, side) = objects();
    let report = copied(&folders.source(), &side, &options()).await;
    assert_eq!(report.copied, 4);
    assert_eq!(
        store.get("below/a/b/c", None).await.unwrap(),
        Bytes::from_static(b"deep")
    );
    assert_eq!(copied(&folders.source(), &side, &options()).await.copied, 0);
    copied(&side, &folders.destination(), &options()).await;
    assert_eq!(folders.tree(), tree(&folders.from("")));
}

#[tokio::test]
async fn a_tree_goes_through_a_volume_and_comes_back() {
    let folders = filled();
    let vfs = volume().await;
    let side = volume_side(&vfs, "some/folder").await;
    let all = CopyOptions {
        folders: true,
        ..options()
    };
    copied(&folders.source(), &side, &all).await;
    let between = side
        .look(&RelativePath::new(b"a-b").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(between.modified().seconds, 1_000_000_005);
    assert_eq!(copied(&folders.source(), &side, &all).await.copied, 0);
    copied(&side, &folders.destination(), &all).await;
    assert_eq!(folders.tree(), tree(&folders.from("")));

    // Only what a copy makes is in the volume.
    let root = volume_side(&vfs, "").await;
    let there = copied(&root, &folders.destination(), &all).await;
    assert_eq!(there.found, 2 + 6);
    vfs.shutdown().await.unwrap();
}

#[tokio::test]
async fn extra_files_of_a_volume_and_of_a_store_go() {
    let folders = filled();
    let mut deleting = CopyOptions {
        folders: true,
        ..options()
    };
    deleting.deletions.destination = true;
    let vfs = volume().await;
    let side = volume_side(&vfs, "").await;
    let (store, bucket) = objects();
    copied(&folders.source(), &side, &deleting).await;
    copied(&folders.source(), &bucket, &deleting).await;
    std::fs::remove_dir_all(folders.from("a")).unwrap();
    let report = copied(&folders.source(), &side, &deleting).await;
    assert_eq!(report.deleted_destination, 3);
    assert!(
        side.look(&RelativePath::new(b"a").unwrap())
            .await
            .unwrap()
            .is_none()
    );
    copied(&folders.source(), &bucket, &deleting).await;
    let left = store.list("below/a/", None, 10).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    vfs.shutdown().await.unwrap();
}
