//! A volume in a private server, without objects.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moorage_engines::open;
use moorage_meta::{DataStore, Meta, MetaOptions};
use moorage_model::{Name, Result, Segment, Setting, SliceId, SystemClock, TierId};

/// A store whose objects nobody looks at.
#[derive(Debug)]
struct NoObjects;

#[async_trait]
impl DataStore for NoObjects {
    async fn remove(&self, _id: SliceId, _size: u32) -> Result<()> {
        Ok(())
    }

    async fn rewrite(&self, segments: &[Segment], _id: SliceId, _tier: TierId) -> Result<u32> {
        Ok(segments.iter().map(|segment| segment.len).sum())
    }

    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

/// Makes a volume.
pub(crate) async fn format(url: &str, trash_days: u64) {
    let setting = Setting {
        name: "test-volume".to_owned(),
        uuid: "3c2d9d4e-7b4f-4c65-9f29-0d2f3ad0a3a1".to_owned(),
        storage: "file".to_owned(),
        bucket: "/objects/".to_owned(),
        block_size: 4096,
        compression: "none".to_owned(),
        encrypt_algo: "aes256gcm-rsa".to_owned(),
        meta_version: 1,
        dir_stats: true,
        trash_days: trash_days.try_into().unwrap(),
        ..Setting::default()
    };
    let engine = open(url, None).unwrap();
    Meta::format(&engine, &setting, &SystemClock).await.unwrap();
}

/// A client with a session that does nothing by itself.
pub(crate) async fn client(url: &str) -> Arc<Meta> {
    let options = MetaOptions {
        background_jobs: false,
        heartbeat: Duration::ZERO,
        ..MetaOptions::default()
    };
    let meta = Meta::open(open(url, None).unwrap(), options, Arc::new(SystemClock))
        .await
        .unwrap();
    meta.start_session(Arc::new(NoObjects)).await.unwrap();
    meta
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}
