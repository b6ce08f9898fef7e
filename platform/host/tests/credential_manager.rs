//! Secrets in the Credential Manager of Windows.
#![cfg(windows)]

use moorage_host::secrets::{Keyring, SecretErrorKind, SecretName, SecretStore as _};

/// Longer than an entry may be.
const TOO_LONG: usize = 3000;

/// Of this process alone, since the manager is the user's.
fn name(kind: &str) -> SecretName {
    SecretName::new(format!("test {}", std::process::id()), kind)
}

#[test]
fn a_secret_is_kept_replaced_and_removed() {
    let (keyring, name) = (Keyring::new(), name("password"));
    keyring.access().expect("open");
    assert!(keyring.read(&name).expect("read").is_none());
    for secret in ["first", "second, \u{e4}nother"] {
        keyring.write(&name, secret).expect("kept");
        let found = Keyring::new().read(&name).expect("read").expect("there");
        assert_eq!(found.as_str(), secret);
    }
    keyring.remove(&name).expect("removed");
    keyring.remove(&name).expect("nothing to remove");
    assert!(keyring.read(&name).expect("read").is_none());
}

#[test]
fn a_secret_that_is_too_long_is_refused_with_what_to_do() {
    let name = name("key");
    let refused = Keyring::new()
        .write(&name, &"x".repeat(TOO_LONG))
        .expect_err("too long");
    assert_eq!(refused.kind(), SecretErrorKind::Refused);
    assert!(refused.advice().contains("--store file"), "{refused}");
    assert!(Keyring::new().read(&name).expect("read").is_none());
}
