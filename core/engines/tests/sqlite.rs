//! SQLite keeps the promises of every engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;

use conformance::{Fresh, conformance};
use moorage_engines::open;

async fn fresh() -> Option<Fresh> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite3://{}", folder.path().join("meta.db").display());
    let (engine, other) = (open(&url, None).unwrap(), open(&url, None).unwrap());
    engine.prepare().await.unwrap();
    Some(Fresh {
        engine,
        other,
        _keep: Box::new(folder),
    })
}

conformance!(fresh);
