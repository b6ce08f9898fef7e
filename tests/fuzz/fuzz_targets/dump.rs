//! Dumps of either form: a volume, or an error that leaves the database empty.
#![no_main]

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use moorage_engines::MemoryEngine;
use moorage_meta::admin::Progress;
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::SystemClock;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
});

fuzz_target!(|bytes: &[u8]| {
    let dump = Cursor::new(bytes.to_vec());
    RUNTIME.block_on(async {
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        match Meta::load_dump(&engine, dump, &SystemClock, &Progress::default()).await {
            Ok(_) => {
                let options = MetaOptions {
                    read_only: true,
                    ..MetaOptions::default()
                };
                let opened = Meta::open(engine, options, Arc::new(SystemClock)).await;
                assert!(opened.is_ok(), "{:?}", opened.err());
            }
            Err(error) => {
                let empty = engine.is_empty().await;
                assert!(matches!(empty, Ok(true)), "after {error}");
            }
        }
    });
});
