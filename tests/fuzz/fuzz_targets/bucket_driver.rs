//! Bucket addresses as each driver of a remote store takes them: no text makes one fail but with an error, and no
//! error repeats a secret.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use moorage_chunk::{KNOWN_STORAGES, open_store};
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

// The first byte is the number of the driver.
fuzz_target!(|bytes: &[u8]| {
    let Some(([number], bucket)) = bytes.split_first_chunk::<1>() else {
        return;
    };
    let Ok(bucket) = std::str::from_utf8(bucket) else {
        return;
    };
    let Some(storage) = KNOWN_STORAGES.get(usize::from(*number)) else {
        return;
    };
    if LOCAL.contains(storage) || bucket.contains(SECRET) {
        return;
    }
    let setting = Setting {
        name: "volume".to_owned(),
        storage: (*storage).to_owned(),
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
