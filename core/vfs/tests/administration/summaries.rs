//! info, summary, status.

use moorage_meta::admin::{InfoOptions, Progress, SummaryOptions};
use moorage_model::{Ino, SessionId};
use moorage_vfs::volume_check::file_objects;

use crate::volume::{BLOCK, name, on_each_engine};

#[tokio::test]
async fn a_summary_shows_the_largest_and_sums_up_the_rest() {
    on_each_engine(
        |_| {},
        async |volume| {
            let top = volume.mkdir(Ino::ROOT, "top").await;
            let big = volume.mkdir(top, "big").await;
            volume.file(big, "file", 50_000).await;
            volume.file(top, "middle", 9000).await;
            volume.file(top, "small", 10).await;
            volume.file(top, "tiny", 1).await;
            let options = SummaryOptions {
                depth: 1,
                entries: 2,
                ..SummaryOptions::default()
            };
            let shown = volume
                .meta
                .summary(top, b"/top", options, &Progress::default())
                .await
                .unwrap();
            let children: Vec<(&[u8], u64)> = shown
                .children
                .iter()
                .map(|child| (child.name.as_slice(), child.usage.space))
                .collect();
            assert_eq!(
                children,
                [(b"big".as_slice(), 57_344), (b"middle", 12_288), (b"...", 8192)]
            );
            assert_eq!((shown.usage.files, shown.usage.directories), (4, 2));
            assert_eq!(shown.usage.length, 59_011);
            let tree = volume
                .meta
                .tree_usage(top, 4, &Progress::default())
                .await
                .unwrap();
            assert_eq!(tree, shown.usage);
        },
    )
    .await;
}

#[tokio::test]
async fn info_names_every_path_and_the_objects_of_the_bytes() {
    on_each_engine(
        |_| {},
        async |volume| {
            let directory = volume.mkdir(Ino::ROOT, "d").await;
            let file = volume.file(directory, "file", BLOCK + 10).await;
            volume.write(file, 5, 10, 1).await;
            volume
                .meta
                .link(&volume.root, file, Ino::ROOT, &name("other"))
                .await
                .unwrap();
            let mut info = volume
                .meta
                .info(file, InfoOptions::default(), &Progress::default())
                .await
                .unwrap();
            info.paths.sort();
            assert_eq!(info.paths, [b"/d/file".to_vec(), b"/other".to_vec()]);
            assert_eq!(info.usage.length, u64::from(BLOCK) + 10);
            let setting = volume.meta.setting();
            let (objects, hash_prefix) = (file_objects(&info, &setting), setting.hash_prefix);
            let shown: Vec<(u32, u32, u32)> = objects
                .iter()
                .map(|piece| (piece.pos, piece.off, piece.len))
                .collect();
            assert_eq!(
                shown,
                [(0, 0, 5), (5, 0, 10), (15, 15, BLOCK - 15), (BLOCK, 0, 10)]
            );
            let stored = volume.objects().await;
            assert!(
                objects
                    .iter()
                    .all(|piece| stored.contains(&piece.block.unwrap().key(hash_prefix)))
            );
            let whole = volume
                .meta
                .info(Ino::ROOT, InfoOptions::default(), &Progress::default())
                .await
                .unwrap();
            assert_eq!(
                (whole.usage.files, whole.usage.directories),
                (1, 2),
                "own entries only"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn status_lists_sessions_and_hides_secrets() {
    on_each_engine(
        |setting| setting.secret_key = "plain secret".to_owned(),
        async |volume| {
            let data = moorage_vfs::VolumeData::new(std::sync::Arc::clone(&volume.chunks));
            let session = volume
                .meta
                .start_session(std::sync::Arc::new(data))
                .await
                .unwrap();
            let status = volume.meta.volume_status().await.unwrap();
            assert_eq!(status.setting.secret_key, "removed");
            assert_eq!(
                status.sessions.iter().map(|one| one.id).collect::<Vec<_>>(),
                [session]
            );
            assert!(!status.sessions[0].expired);
            volume.meta.session_detail(session).await.unwrap();
            assert!(volume.meta.session_detail(SessionId(99)).await.is_err());
            volume.meta.close_session().await.unwrap();
            assert!(volume.meta.list_sessions().await.unwrap().is_empty());
        },
    )
    .await;
}
