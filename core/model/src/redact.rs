//! Addresses of databases and buckets, shown without the secrets that they may hold.

use std::ops::Range;

/// What stands in the place of a secret.
const MASK: &str = "****";
/// Schemes whose rest is a path of this computer, which holds no secret.
const LOCAL_SCHEMES: [&str; 3] = ["sqlite3", "sqlite", "file"];
/// Query options whose value is a secret: those whose name holds one of these, in any case.
const SECRET_OPTIONS: [&str; 7] = [
    "secret",
    "passw",
    "token",
    "signature",
    "credential",
    "access",
    "apikey",
];
/// The signature of a shared access address of Azure.
const SHARED_SIGNATURE: &str = "sig";

/// The address with its secrets replaced, for everything that is shown: output, logs, errors, internal files. Takes
/// metadata URLs, bucket URLs and folders; what holds no secret stays as it is.
///
/// The password of `scheme://user:password@host` is replaced, also without a scheme, and the values of options such
/// as `?secret-key=`. User names stay: they tell which account is meant.
pub fn redact(address: &str) -> String {
    replace_secrets(address, MASK)
}

/// The address with `word` in the place of each of the secrets that [`secrets_in`] finds.
pub fn replace_secrets(address: &str, word: &str) -> String {
    let mut shown = String::with_capacity(address.len());
    let mut from = 0;
    for secret in secrets_in(address) {
        shown.push_str(address.get(from..secret.start).unwrap_or_default());
        shown.push_str(word);
        from = secret.end;
    }
    shown.push_str(address.get(from..).unwrap_or_default());
    shown
}

/// Where the secrets of an address are, in bytes, in order and apart from each other.
pub fn secrets_in(address: &str) -> Vec<Range<usize>> {
    let mut secrets: Vec<Range<usize>> = password_in(address).into_iter().collect();
    let behind = secrets.last().map_or(0, |password| password.end);
    let query = address.get(behind..).and_then(|rest| rest.find('?'));
    if let Some(at) = query {
        let mut start = behind + at + 1;
        for option in address.get(start..).unwrap_or_default().split(['&', ';']) {
            if let Some((name, value)) = option.split_once('=')
                && !value.is_empty()
                && is_secret(name)
            {
                let value_start = start + name.len() + 1;
                secrets.push(value_start..value_start + value.len());
            }
            start += option.len() + 1;
        }
    }
    secrets
}

/// Where the password of an address is, in bytes.
pub fn password_in(address: &str) -> Option<Range<usize>> {
    let start = match split_scheme(address) {
        Some((scheme, _)) if is_local(scheme) => return None,
        Some((scheme, _)) => scheme.len() + "://".len(),
        None if is_path(address) => return None,
        None => 0,
    };
    let rest = address.get(start..)?;
    // A password may hold any character: the last @ before the options ends it, or the last of all when the only
    // one stands behind a question mark, which then belongs to the password.
    let before_query = rest.split('?').next().unwrap_or_default();
    let at = before_query.rfind('@').or_else(|| rest.rfind('@'))?;
    let colon = rest.get(..at)?.find(':')?;
    let password = start + colon + 1..start + at;
    (!password.is_empty()).then_some(password)
}

/// The scheme of an address and what follows its `://`; `None` when what stands there is no scheme: it may hold a
/// password.
pub fn split_scheme(address: &str) -> Option<(&str, &str)> {
    let in_scheme = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    address
        .split_once("://")
        .filter(|(scheme, _)| scheme.bytes().all(in_scheme))
}

fn is_local(scheme: &str) -> bool {
    LOCAL_SCHEMES
        .iter()
        .any(|local| scheme.eq_ignore_ascii_case(local))
}

fn is_secret(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    option == SHARED_SIGNATURE || SECRET_OPTIONS.iter().any(|part| option.contains(part))
}

/// Whether a text without a scheme is a path of this computer, such as `/srv/a:b@c`, `./a` or `C:\a`.
fn is_path(text: &str) -> bool {
    let drive = text
        .as_bytes()
        .get(1..3)
        .is_some_and(|two| matches!(two, b":\\" | b":/"));
    drive || text.starts_with(['/', '.', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_replaced_and_the_rest_stays() {
        for (address, shown) in [
            ("redis://me:pw@host:1/2", "redis://me:****@host:1/2"),
            ("redis://:pw@host", "redis://:****@host"),
            (
                "mysql://me:p@/:w@(host:1)/db?x=y@z",
                "mysql://me:****@(host:1)/db?x=y@z",
            ),
            ("https://me:pw@dav.example/a/b", "https://me:****@dav.example/a/b"),
            ("https://me:p?w@dav.example/a", "https://me:****@dav.example/a"),
            ("me:pw@nas:/folder", "me:****@nas:/folder"),
            ("me:pw@nas?to=http://x", "me:****@nas?to=http://x"),
        ] {
            assert_eq!(redact(address), shown);
        }
    }

    #[test]
    fn secret_options_are_replaced() {
        assert_eq!(
            redact("https://b.example/c?region=eu&Secret-Key=pw&sig=a%2Fb&x=1"),
            "https://b.example/c?region=eu&Secret-Key=****&sig=****&x=1"
        );
        assert_eq!(redact("etcd://u:p@h/x?token=t"), "etcd://u:****@h/x?token=****");
    }

    #[test]
    fn what_holds_no_secret_stays() {
        for address in [
            "sqlite3:///home/a:b@c/volume.db",
            "/srv/a:b@c/",
            "C:/a@b",
            "ann@nas:2222:/volumes",
            "https://bucket.s3.eu-west-1.amazonaws.com?region=eu",
            "redis://me@host/1",
            "redis://me:@host/1",
            "photos",
            "",
        ] {
            assert_eq!(redact(address), address);
        }
    }
}
