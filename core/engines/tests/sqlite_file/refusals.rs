//! Paths, files and URLs that can not be used.

use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Key, Meta, MetaOptions};
use moorage_model::{ErrorKind, Ino, SystemClock};

use super::folder::{Folder, add_node, setting};

#[tokio::test]
async fn a_database_of_another_program_is_not_taken_for_an_empty_one() {
    let folder = Folder::new();
    folder
        .raw()
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .unwrap();
    let engine = folder.engine();
    assert!(!engine.is_empty().await.unwrap());
    let error = Meta::format(&engine, &setting(), &SystemClock).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    assert!(error.advice().is_some(), "{error}");
    let error = Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFormatted, "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_by_name_and_kept() {
    let folder = Folder::new();
    let text = "This is a letter, not a database.".repeat(100);
    std::fs::write(folder.file(), &text).unwrap();
    let engine = folder.engine();
    for error in [
        engine.read(&[Key::Setting]).await.unwrap_err(),
        engine.prepare().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFormatted, "{error}");
        assert!(
            error.to_string().contains("meta.db") && error.advice().is_some(),
            "{error}"
        );
    }
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_page_is_reported_as_damage() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    for ino in 2..200 {
        add_node(engine.as_ref(), ino).await.unwrap();
    }
    engine.close().await.unwrap();
    let mut bytes = std::fs::read(folder.file()).unwrap();
    // Everything behind the schema's page.
    bytes[4096..].fill(0xA5);
    std::fs::write(folder.file(), bytes).unwrap();
    let error = folder.engine().read(&[Key::Node(Ino(5))]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(
        error.to_string().contains("meta.db") && error.advice().is_some(),
        "{error}"
    );
}

#[test]
fn impossible_paths_and_urls_say_what_is_wrong() {
    let folder = Folder::new();
    let cases = [
        (
            format!("sqlite3://{}/none/meta.db", folder.0.path().display()),
            ErrorKind::DatabaseMissing,
            "none",
        ),
        (
            format!("sqlite3://{}", folder.0.path().display()),
            ErrorKind::IsDirectory,
            "is a folder",
        ),
        (
            "sqlite3://".to_owned(),
            ErrorKind::InvalidArgument,
            "names no file",
        ),
        (
            "/srv/meta.db".to_owned(),
            ErrorKind::InvalidArgument,
            "no metadata URL",
        ),
        (
            "oracle://host/db".to_owned(),
            ErrorKind::InvalidArgument,
            "known are sqlite3",
        ),
        (
            "tikv://host:2379/p?verify-cn=a".to_owned(),
            ErrorKind::NotSupported,
            "verify-cn",
        ),
    ];
    for (url, kind, named) in cases {
        let error = open(&url, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        let text = error.to_string();
        assert!(text.contains(named) && !text.contains("secret"), "{url}: {text}");
        assert!(error.advice().is_some(), "{url}: {text}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_can_not_be_written_is_read_and_refuses_changes() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    add_node(engine.as_ref(), 5).await.unwrap();
    engine.close().await.unwrap();
    let allow = |file: u32, directory: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(file)).unwrap();
        std::fs::set_permissions(folder.0.path(), std::fs::Permissions::from_mode(directory)).unwrap();
    };
    allow(0o444, 0o555);
    if std::fs::OpenOptions::new()
        .write(true)
        .open(folder.file())
        .is_ok()
    {
        println!("skipped: this user may write everything");
        allow(0o644, 0o755);
        return;
    }
    let engine = folder.engine();
    assert!(
        engine
            .read(&[Key::Node(Ino(5))])
            .await
            .unwrap()
            .iter()
            .all(Option::is_some)
    );
    for error in [
        engine.prepare().await.unwrap_err(),
        add_node(engine.as_ref(), 6).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert!(
            error.to_string().contains("meta.db") && error.advice().is_some(),
            "{error}"
        );
    }
    engine.make_durable().await.unwrap();
    engine.close().await.unwrap();
    allow(0o644, 0o755);
}
