//! Quotas that are set while several clients work, on a server that they share.

use std::sync::Arc;

use moorage_meta::{Context, Counting, Meta, QuotaLimits};
use moorage_model::{Ino, QuotaKey};

use crate::volume::{client, format, name};

async fn create(meta: &Meta, parent: Ino, file: &str) {
    meta.create(&Context::root(), parent, &name(file), 0o644, 0)
        .await
        .unwrap();
}

/// A heartbeat with the work that it leaves to the background.
async fn beat(meta: &Meta) {
    meta.refresh_session().await.unwrap();
    meta.recount_new_quotas().await.unwrap();
}

/// What each client did before it knew of the quota is counted, and what others had not written yet when it was counted
/// is not counted twice for good.
pub(crate) async fn gaps_of_several_clients_are_closed(url: &str) {
    format(url, 0).await;
    let (setter, one, two) = (client(url).await, client(url).await, client(url).await);
    let made = setter
        .mkdir(&Context::root(), Ino::ROOT, &name("d"), 0o755, 0)
        .await;
    let directory = made.unwrap().ino;
    let key = QuotaKey::Directory(directory);
    let limits = QuotaLimits {
        max_space: Some(1 << 30),
        max_inodes: None,
    };
    setter.set_quota(key, limits, Counting::Statistics).await.unwrap();
    for (client, file) in [(&one, "a"), (&two, "b"), (&setter, "c")] {
        create(client, directory, file).await;
    }
    beat(&one).await;
    for (client, file) in [(&one, "d"), (&two, "e"), (&setter, "f")] {
        create(client, directory, file).await;
    }
    beat(&two).await;
    create(&two, directory, "g").await;
    // What clients collect for a second is written.
    let write_out = async || {
        for client in [&setter, &one, &two] {
            client.engine().make_durable().await.unwrap();
        }
    };
    write_out().await;
    let all: [&Arc<Meta>; 2] = [&one, &two];
    for client in all.into_iter().chain(all) {
        beat(client).await;
        write_out().await;
    }
    let quota = client(url).await.get_quota(key).await.unwrap().unwrap();
    assert_eq!((quota.used_space, quota.used_inodes), (7 * 4096, 7));
}
