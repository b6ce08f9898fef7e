//! fsck that reads what the objects hold.

use std::collections::HashSet;

use bytes::Bytes;
use moorage_chunk::ContentProof;
use moorage_meta::admin::{CheckReport, CheckScope, Defect, Progress};
use moorage_model::{Ino, Setting};
use moorage_vfs::volume_check::{ObjectCheckOptions, check_objects, verify_contents};

use crate::volume::{BLOCK, Volume, on_each_engine, on_memory};

async fn verify(volume: &Volume, scope: CheckScope) -> CheckReport {
    let options = ObjectCheckOptions {
        scope,
        ..ObjectCheckOptions::default()
    };
    verify_contents(&volume.meta, &volume.chunks, options, &Progress::default())
        .await
        .unwrap()
}

/// Replaces an object by what `change` makes of it.
async fn tamper(volume: &Volume, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut body = volume.store.get(key, None).await.unwrap().to_vec();
    change(&mut body);
    volume.store.put(key, Bytes::from(body)).await.unwrap();
}

/// The object of the file that was written last.
async fn object_of(volume: &Volume, name: &str) -> String {
    let before = volume.objects().await;
    volume.file(Ino::ROOT, name, 5000).await;
    let after = volume.objects().await;
    after.into_iter().find(|key| !before.contains(key)).unwrap()
}

fn messages(report: &CheckReport) -> Vec<String> {
    assert!(
        report
            .findings
            .iter()
            .all(|found| found.defect == Defect::DamagedObject)
    );
    report
        .findings
        .iter()
        .map(|found| found.message.clone())
        .collect()
}

fn compressed(setting: &mut Setting) {
    setting.compression = "zstd".to_owned();
}

pub(crate) fn encrypted(setting: &mut Setting) {
    let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    setting.encrypt_key = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
}

#[tokio::test]
async fn a_whole_volume_is_read_to_its_last_object() {
    on_each_engine(compressed, async |volume| {
        let folder = volume.mkdir(Ino::ROOT, "folder").await;
        volume.file(folder, "large", 3 * BLOCK + 1).await;
        volume.file(Ino::ROOT, "small", 10).await;
        for (scope, objects, bytes) in [
            (CheckScope::Volume, 5, 3 * BLOCK + 11),
            (CheckScope::Tree(folder), 4, 3 * BLOCK + 1),
        ] {
            let report = verify(volume, scope).await;
            assert_eq!(report.findings, []);
            assert_eq!(report.counts.verified_objects, objects);
            assert_eq!(report.counts.verified_bytes, u64::from(bytes));
        }
    })
    .await;
}

#[tokio::test]
async fn any_changed_byte_of_an_encrypted_object_is_found_and_its_file_named() {
    let (volume, _) = on_memory(encrypted).await;
    assert_eq!(volume.chunks.content_proof(), ContentProof::Authenticated);
    let key = object_of(&volume, "hurt").await;
    object_of(&volume, "sound").await;
    let stored = volume.store.get(&key, None).await.unwrap();
    for at in [0, 2, 300, stored.len() / 2, stored.len() - 1] {
        tamper(&volume, &key, |body| body[at] ^= 1).await;
        let found = messages(&verify(&volume, CheckScope::Volume).await);
        assert!(
            found.len() == 1 && found[0].contains("\"/hurt\"") && found[0].contains(&key),
            "byte {at}: {found:?}"
        );
        // What the plain check can not see.
        let options = ObjectCheckOptions::default();
        let sizes = check_objects(
            &volume.meta,
            volume.store.as_ref(),
            options,
            &HashSet::new,
            &Progress::default(),
        )
        .await
        .unwrap();
        assert_eq!(sizes.findings, []);
        volume.store.put(&key, stored.clone()).await.unwrap();
    }
    assert_eq!(verify(&volume, CheckScope::Volume).await.findings, []);
}

#[tokio::test]
async fn a_compressed_object_that_does_not_decompress_is_found() {
    let (volume, _) = on_memory(compressed).await;
    assert_eq!(volume.chunks.content_proof(), ContentProof::Decompressed);
    let key = object_of(&volume, "hurt").await;
    tamper(&volume, &key, |body| body.truncate(body.len() - 1)).await;
    let found = messages(&verify(&volume, CheckScope::Volume).await);
    assert!(found.len() == 1 && found[0].contains("\"/hurt\""), "{found:?}");
}

#[tokio::test]
async fn of_a_plain_object_only_another_length_can_be_found() {
    let (volume, _) = on_memory(|_| {}).await;
    assert_eq!(volume.chunks.content_proof(), ContentProof::Length);
    let key = object_of(&volume, "hurt").await;
    tamper(&volume, &key, |body| body[100] ^= 1).await;
    assert_eq!(verify(&volume, CheckScope::Volume).await.findings, []);
    tamper(&volume, &key, |body| body.push(0)).await;
    assert_eq!(found_by_both(&volume).await, [Defect::WrongObjectSize]);
}

/// What a check of the objects and one of their contents find together, as `fsck --verify-contents` does.
async fn found_by_both(volume: &Volume) -> Vec<Defect> {
    let options = ObjectCheckOptions::default();
    let mut report = check_objects(
        &volume.meta,
        volume.store.as_ref(),
        options,
        &HashSet::new,
        &Progress::default(),
    )
    .await
    .unwrap();
    report.merge(verify(volume, CheckScope::Volume).await);
    report.findings.iter().map(|found| found.defect).collect()
}

#[tokio::test]
async fn an_object_is_found_once_however_it_is_checked() {
    let plain: fn(&mut Setting) = |_| {};
    for edit in [plain, compressed, encrypted] {
        let (volume, _) = on_memory(edit).await;
        let key = object_of(&volume, "hurt").await;
        tamper(&volume, &key, Vec::clear).await;
        assert_eq!(found_by_both(&volume).await, [Defect::WrongObjectSize]);
    }
}

#[tokio::test]
async fn a_finding_says_what_is_wrong_and_leaves_what_to_do_to_its_advice() {
    let (volume, _) = on_memory(compressed).await;
    let key = object_of(&volume, "hurt").await;
    tamper(&volume, &key, |body| body.truncate(body.len() - 1)).await;
    let found = messages(&verify(&volume, CheckScope::Volume).await);
    assert!(found.iter().all(|message| !message.contains("fsck")), "{found:?}");
}

#[tokio::test]
async fn a_missing_object_is_left_to_the_check_that_lists_them() {
    let (volume, _) = on_memory(|_| {}).await;
    let key = object_of(&volume, "hurt").await;
    volume.store.delete(&key).await.unwrap();
    let report = verify(&volume, CheckScope::Volume).await;
    assert_eq!((report.findings.len(), report.counts.verified_objects), (0, 0));
}
