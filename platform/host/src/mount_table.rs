//! What is mounted where, from `/proc/self/mountinfo` (proc(5)).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use crate::HostError;
use crate::mount_entry::MountEntry;

const TABLE: &str = "/proc/self/mountinfo";

/// All mounts that this process sees, later ones cover earlier ones.
///
/// # Errors
/// When the table cannot be read.
pub fn mounts() -> Result<Vec<MountEntry>, HostError> {
    let table =
        fs::read(TABLE).map_err(|error| HostError::new(format!("reading {TABLE}")).with_source(error))?;
    Ok(table.split(|byte| *byte == b'\n').filter_map(parse).collect())
}

/// `36 35 98:0 /root /point options shared:1 - type source super-options`
fn parse(line: &[u8]) -> Option<MountEntry> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = fields.nth(4)?;
    let of_mount = String::from_utf8_lossy(fields.next()?).into_owned();
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = String::from_utf8_lossy(rest.next()?).into_owned();
    let source = String::from_utf8_lossy(&unescape(rest.next()?)).into_owned();
    let options = String::from_utf8_lossy(rest.next().unwrap_or_default()).into_owned();
    let owner = options
        .split(',')
        .find_map(|option| option.strip_prefix("user_id=")?.parse().ok());
    Some(MountEntry {
        point: PathBuf::from(OsString::from_vec(unescape(point))),
        kind,
        source,
        owner,
        read_only: of_mount
            .split(',')
            .chain(options.split(','))
            .any(|option| option == "ro"),
    })
}

/// Space, tab, newline and backslash are written as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_point_with_a_space_and_optional_fields_is_read() {
        let line =
            br"36 35 0:52 / /mnt/my\040disk rw,nosuid shared:1 master:2 - fuse.moorage disk rw,user_id=1000";
        let entry = parse(line).expect("a mount");
        assert_eq!(entry.point.to_str(), Some("/mnt/my disk"));
        assert_eq!(
            (entry.kind.as_str(), entry.source.as_str()),
            ("fuse.moorage", "disk")
        );
        assert_eq!(entry.owner, Some(1000));
        assert!(entry.is_fuse() && !entry.read_only);
    }

    #[test]
    fn a_mount_is_read_only_by_itself_or_with_all_that_it_shows() {
        for (mount, shown) in [("ro,nosuid", "rw"), ("rw", "ro,user_id=0")] {
            let line = format!("36 35 0:52 / /mnt {mount} - fuse.moorage disk {shown}");
            assert!(parse(line.as_bytes()).expect("a mount").read_only, "{line}");
        }
        let line = b"36 35 0:52 / /mnt rw,relatime - fuse.moorage ro rw,errors=remount-ro";
        assert!(!parse(line).expect("a mount").read_only);
    }

    #[test]
    fn a_line_without_a_separator_is_skipped() {
        assert_eq!(parse(b"36 35 0:52 / /mnt rw"), None);
        assert_eq!(parse(b""), None);
    }
}
