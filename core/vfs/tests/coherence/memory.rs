//! In memory, where the moments can be chosen.

use std::sync::Arc;
use std::time::Duration;

use moorage_engines::MemoryEngine;
use moorage_meta::{Meta, MetaOptions};
use moorage_model::{ErrorKind, Ino, SystemClock};
use moorage_vfs::{Caller, Vfs};

use crate::claims;
use crate::pair::{HOUR, Notice, Pair, chmod, pushed};
use crate::volume::{Volume, close, create};

async fn pair() -> (Arc<MemoryEngine>, Pair) {
    let engine = Arc::new(MemoryEngine::new());
    let pair = Pair::on(Arc::clone(&engine) as _, Arc::clone(&engine) as _).await;
    (engine, pair)
}

#[tokio::test]
async fn changes_by_another_client_are_pushed() {
    let (_, pair) = pair().await;
    claims::hold(&pair).await;
    pair.close().await;
}

#[tokio::test]
async fn while_changes_may_be_missed_nothing_is_kept_for_long() {
    let (engine, pair) = pair().await;
    let (known, made) = create(&pair.writer, "known").await;
    close(&pair.writer, made).await.unwrap();
    let find = async || {
        pair.reader
            .lookup(&Caller::root(), Ino::ROOT, b"known")
            .await
            .unwrap()
    };
    assert_eq!(find().await.entry_ttl, HOUR);
    pair.settled().await;
    pair.kernel.forget();
    engine.lose_watchers();
    pair.kernel.hears(Notice::Attributes(known.ino)).await;
    pair.kernel
        .hears(Notice::Entry(Ino::ROOT, "known".to_owned()))
        .await;
    let short = Duration::from_secs(1);
    let found = find().await;
    assert_eq!((found.attr_ttl, found.entry_ttl), (short, short));
    assert_eq!(pair.reader.getattr(known.ino).await.unwrap().ttl, short);
    engine.resume_watchers();
    assert_eq!(find().await.entry_ttl, HOUR);
    pair.close().await;
}

#[tokio::test]
async fn an_answer_that_may_be_older_than_its_notice_is_followed_by_another() {
    let (_, pair) = pair().await;
    let (file, made) = create(&pair.writer, "file").await;
    close(&pair.writer, made).await.unwrap();
    let asked = pair.reader.asked();
    assert!(asked.matters());
    // The answer is made and does not reach the kernel yet.
    pair.reader.getattr(file.ino).await.unwrap();
    chmod(&pair.writer, file.ino, 0o600).await;
    pair.kernel.hears(Notice::Attributes(file.ino)).await;
    // Meanwhile another request was faster.
    pair.reader.getattr(file.ino).await.unwrap();
    pair.reader.answered(asked);
    pair.kernel.hears(Notice::Attributes(file.ino)).await;
    pair.close().await;
}

#[tokio::test]
async fn without_the_option_requests_have_nothing_to_report() {
    let volume = Volume::new().await;
    assert!(!volume.client().await.asked().matters());
}

#[tokio::test]
async fn an_engine_that_tells_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite3://{}", folder.path().join("v.db").display());
    let engine = moorage_engines::open(&url, None).unwrap();
    let volume = Volume::new().await;
    let setting = volume.client().await.meta().setting();
    Meta::format(&engine, &setting, &SystemClock).await.unwrap();
    let chunks = Arc::clone(volume.client().await.chunks());
    let meta = Meta::open(Arc::clone(&engine), MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap();
    let refused = Vfs::open_volume(meta, chunks, pushed()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported);
    assert!(refused.to_string().contains("v.db"), "{refused}");
    engine.close().await.unwrap();
}
