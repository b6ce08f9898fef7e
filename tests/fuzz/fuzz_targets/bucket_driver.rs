//! Bucket addresses as each driver of a remote store takes them: no text makes one fail but with an error, and no
//! error repeats a secret.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use moorage_chunk::{Storage, open_store};
use moorage_model::Setting;
use tokio::runtime::{Builder, Runtime};

/// Stands for a secret; an input that holds it itself says nothing.
const SECRET: &str = "XYZZY-secret";
/// Storages of this machine, which would make the folder that an input names.
const LOCAL: [&str; 2] = ["file", "mem"];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
});

// The first line is the name of the storage.
fuzz_target!(|text: &str| {
    let Some((name, bucket)) = text.split_once('\n') else {
        return;
    };
    let Ok(storage) = Storage::find(name) else {
        return;
    };
    if LOCAL.contains(&storage.name) || bucket.contains(SECRET) {
        return;
    }
    let setting = Setting {
        name: "volume".to_owned(),
        storage: storage.name.to_owned(),
        bucket: bucket.to_owned(),
        access_key: "key".to_owned(),
        secret_key: SECRET.to_owned(),
        ..Setting::default()
    };
    let _runtime = RUNTIME.enter();
    match open_store(&setting, None) {
        Ok(store) => assert!(!store.describe().contains(SECRET)),
        Err(error) => assert!(!error.to_string().contains(SECRET)),
    }
});
