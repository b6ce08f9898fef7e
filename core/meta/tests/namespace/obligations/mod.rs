//! What a writer owes the other clients of a volume: one test per line of spec 00-overview section 6, numbered like it.
//!
//! Lines 1 to 3 and 13 are about living beside other clients, 4 to 7 about content, 8 to 12 about the namespace. Line 4
//! is kept by the data path, whose tests say more about it.

mod beside_others;
mod content;
mod namespace;

use moorage_meta::{Key, Record, encode_setting, run};
use moorage_model::Setting;

use crate::check::broken_invariants;
use crate::fixture::Volume;

/// Stores a record as another client would.
pub(crate) async fn put(volume: &Volume, key: Key, record: Record) {
    run(volume.engine.as_ref(), "another client", move |txn| {
        txn.put(key.clone(), record.clone());
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
}

/// Removes one record as another client would.
pub(crate) async fn forget(volume: &Volume, key: Key) {
    run(volume.engine.as_ref(), "another client", move |txn| {
        txn.delete(key.clone());
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
}

async fn put_setting(volume: &Volume, setting: &Setting) {
    let text = encode_setting(setting).unwrap();
    put(volume, Key::Setting, Record::Setting(text)).await;
}

async fn sound(volume: &Volume) {
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}
