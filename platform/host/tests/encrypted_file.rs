//! Secrets in an encrypted file.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use moorage_host::secrets::{EncryptedFile, KeySource, SecretErrorKind, SecretName, SecretStore};

const SECRET: &str = "hunter2-is-nowhere";

fn name(kind: &str) -> SecretName {
    SecretName::new("volume", kind)
}

fn place(folder: &Path) -> PathBuf {
    folder.join("config/secrets.enc")
}

fn store(folder: &Path, source: KeySource) -> EncryptedFile {
    EncryptedFile::new(place(folder), source)
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, moorage_host::secrets::SecretError>) -> SecretErrorKind {
    let error = outcome.expect_err("refused");
    assert!(!error.advice().is_empty(), "{error}");
    error.kind()
}

fn read(store: &EncryptedFile, kind: &str) -> Option<String> {
    let secret = store.read(&name(kind)).expect("read");
    secret.map(|secret| secret.as_str().to_owned())
}

#[test]
fn secrets_are_kept_under_a_passphrase_and_are_locked_until_it_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = store(folder.path(), KeySource::Passphrase);
    assert_eq!(kind(first.access()), SecretErrorKind::Locked);
    assert_eq!(
        kind(first.write(&name("password"), SECRET)),
        SecretErrorKind::Locked
    );
    first.unlock(Some("pass")).expect("made");
    first.write(&name("password"), SECRET).expect("kept");
    first.write(&name("token"), "other").expect("kept");

    let later = store(folder.path(), KeySource::Passphrase);
    assert_eq!(kind(later.read(&name("password"))), SecretErrorKind::Locked);
    assert_eq!(kind(later.unlock(Some("word"))), SecretErrorKind::Refused);
    assert_eq!(kind(later.unlock(None)), SecretErrorKind::Locked);
    assert_eq!(kind(later.access()), SecretErrorKind::Locked);
    later.unlock(Some("pass")).expect("opened");
    assert_eq!(read(&later, "password").as_deref(), Some(SECRET));
    later.remove(&name("password")).expect("removed");
    later.remove(&name("password")).expect("nothing to remove");
    assert_eq!(read(&later, "password"), None);
    assert_eq!(read(&later, "token").as_deref(), Some("other"));
}

#[test]
fn a_key_beside_the_file_needs_no_passphrase() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = store(folder.path(), KeySource::KeyFile);
    first.access().expect("open");
    assert!(!place(folder.path()).exists(), "a look writes nothing");
    first.write(&name("password"), SECRET).expect("kept");
    let later = store(folder.path(), KeySource::KeyFile);
    assert_eq!(read(&later, "password").as_deref(), Some(SECRET));

    let key = place(folder.path()).with_extension("key");
    for file in [&key, &place(folder.path())] {
        let bytes = fs::read(file).expect("read");
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
    }
    fs::remove_file(&key).expect("removed");
    let keyless = store(folder.path(), KeySource::KeyFile);
    assert_eq!(kind(keyless.read(&name("password"))), SecretErrorKind::Damaged);
}

#[cfg(unix)]
#[test]
fn a_key_beside_the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let first = store(folder.path(), KeySource::KeyFile);
    first.write(&name("password"), SECRET).expect("kept");
    let key = place(folder.path()).with_extension("key");
    for file in [&key, &place(folder.path())] {
        let mode = fs::metadata(file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("opened to others");
    let open = store(folder.path(), KeySource::KeyFile);
    assert_eq!(kind(open.read(&name("password"))), SecretErrorKind::Refused);
}

#[test]
fn a_damaged_file_is_said_to_be_and_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = store(folder.path(), KeySource::KeyFile);
    kept.write(&name("password"), SECRET).expect("kept");
    let mut bytes = fs::read(place(folder.path())).expect("read");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(place(folder.path()), &bytes).expect("damaged");
    let later = store(folder.path(), KeySource::KeyFile);
    assert_eq!(kind(later.read(&name("password"))), SecretErrorKind::Damaged);
    assert_eq!(kind(later.write(&name("token"), "new")), SecretErrorKind::Damaged);
    assert_eq!(kind(later.remove(&name("token"))), SecretErrorKind::Damaged);
    assert_eq!(fs::read(place(folder.path())).expect("read"), bytes);
}

#[test]
fn a_store_that_is_not_used_any_more_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = store(folder.path(), KeySource::KeyFile);
    kept.write(&name("password"), SECRET).expect("kept");
    kept.abandon().expect("removed");
    let left = fs::read_dir(folder.path().join("config")).expect("listed");
    assert_eq!(left.count(), 0);
}

#[test]
fn a_file_of_the_other_kind_of_key_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    store(folder.path(), KeySource::KeyFile)
        .write(&name("password"), SECRET)
        .expect("kept");
    let other = store(folder.path(), KeySource::Passphrase);
    assert_eq!(kind(other.unlock(Some("pass"))), SecretErrorKind::Refused);
}

#[test]
fn a_folder_that_can_not_be_written_is_a_refusal() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config"), "in the way").expect("written");
    let kept = store(folder.path(), KeySource::KeyFile);
    assert_eq!(
        kind(kept.write(&name("password"), SECRET)),
        SecretErrorKind::Refused
    );
}
