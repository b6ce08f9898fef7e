//! Removal of trees below quotas: which of them count is found once for a directory, and stays right.

use std::sync::Arc;

use moorage_meta::admin::{Progress, RemoveTreeOptions};
use moorage_meta::{Context, Meta, RenameFlags};
use moorage_model::Ino;

use crate::fixture::{Volume, name};
use crate::new_quotas::{limit, usage, used};
use crate::server_engine::meddled;

async fn remove_tree(meta: &Meta, parent: Ino, tree: &str, skip_trash: bool) {
    let options = RemoveTreeOptions {
        skip_trash,
        concurrency: 1,
    };
    let progress = Progress::default();
    meta.remove_tree(&Context::root(), parent, &name(tree), options, &progress)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_quota_that_is_set_while_a_tree_is_removed_counts_what_goes_from_then_on() {
    let volume = Volume::new().await;
    let top = volume.directory(Ino::ROOT, "top").await;
    let tree = volume.directory(top, "tree").await;
    let sub = volume.directory(tree, "sub").await;
    volume.file(sub, "f").await;
    let (mount, engine) = meddled(&volume).await;
    let same = Arc::clone(&mount);
    engine.after_listing(Box::pin(async move { limit(&same, top).await }));
    remove_tree(&mount, top, "tree", true).await;
    assert_eq!(used(&volume, top).await, usage(0, 0));
}

#[tokio::test]
async fn what_is_removed_after_it_was_moved_to_another_quota_is_counted_there() {
    let volume = Volume::new().await;
    let (left, right) = (
        volume.directory(Ino::ROOT, "left").await,
        volume.directory(Ino::ROOT, "right").await,
    );
    let tree = volume.directory(left, "tree").await;
    let sub = volume.directory(tree, "sub").await;
    volume.file(sub, "f").await;
    let (mount, engine) = meddled(&volume).await;
    limit(&mount, left).await;
    limit(&mount, right).await;
    let same = Arc::clone(&mount);
    engine.after_listing(Box::pin(async move {
        let name = name("sub");
        same.rename(
            &Context::root(),
            (tree, &name),
            (right, &name),
            RenameFlags::default(),
        )
        .await
        .unwrap();
    }));
    remove_tree(&mount, left, "tree", true).await;
    assert_eq!(used(&volume, left).await, usage(0, 0));
    assert_eq!(used(&volume, right).await, usage(4096, 1), "the emptied folder");
}

#[tokio::test]
async fn a_tree_with_quotas_inside_is_counted_off_on_every_level() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let top = volume.directory(Ino::ROOT, "top").await;
    let tree = volume.directory(top, "tree").await;
    let sub = volume.directory(tree, "sub").await;
    volume.directory(sub, "deep").await;
    volume.file(sub, "f").await;
    limit(&volume.meta, top).await;
    limit(&volume.meta, sub).await;
    remove_tree(&volume.meta, top, "tree", false).await;
    assert_eq!(used(&volume, top).await, usage(0, 0));
}
