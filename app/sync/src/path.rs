//! Paths below the root of a side.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Result};

/// Bytes of a path at most. Object stores end at 1 KiB, kernels at 4 KiB for one call; deeper trees can be walked all the
/// same, and a hostile listing must not grow without end.
pub const LONGEST_PATH_BYTES: usize = 32 << 10;

/// A path below the root of a side: names in any encoding, joined by `/`, of which none is empty, `.` or `..` or holds
/// NUL. So it can not lead out of the root by itself. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(Arc<[u8]>);

impl RelativePath {
    /// The root itself.
    pub fn root() -> RelativePath {
        RelativePath(Arc::from([]))
    }

    /// Checks and takes a path; the empty one is the root.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty name, `.`, `..` or NUL; `NameTooLong` above [`LONGEST_PATH_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<RelativePath> {
        if bytes.is_empty() {
            return Ok(RelativePath::root());
        }
        if bytes.len() > LONGEST_PATH_BYTES {
            return Err(Error::new(
                ErrorKind::NameTooLong,
                format!("a path of {} bytes is too long", bytes.len()),
            ));
        }
        if bytes.split(|&byte| byte == b'/').all(is_sound) {
            Ok(RelativePath(bytes.into()))
        } else {
            Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{:?} is no path: a name in it is empty, . or .., or holds NUL",
                    String::from_utf8_lossy(bytes)
                ),
            ))
        }
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The names from the root down.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
    }

    /// The folder and the name in it; `None` for the root.
    pub fn split_last(&self) -> Option<(RelativePath, &[u8])> {
        if self.is_root() {
            return None;
        }
        Some(match self.0.iter().rposition(|&byte| byte == b'/') {
            Some(at) => {
                let (folder, name) = self.0.split_at(at);
                (RelativePath(folder.into()), name.get(1..).unwrap_or_default())
            }
            None => (RelativePath::root(), &self.0),
        })
    }

    /// The path of a name in this folder.
    ///
    /// # Errors
    /// As [`RelativePath::new`], also for a name with `/` at its ends.
    pub fn join(&self, name: &[u8]) -> Result<RelativePath> {
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.len());
        path.extend_from_slice(&self.0);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if name.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "an empty name is no name"));
        }
        RelativePath::new(&path)
    }

    /// Whether this is inside `folder`, at any depth; nothing is inside itself.
    pub fn is_below(&self, folder: &RelativePath) -> bool {
        match self.0.strip_prefix(&*folder.0) {
            Some(rest) if folder.is_root() => !rest.is_empty(),
            Some(rest) => rest.first() == Some(&b'/'),
            None => false,
        }
    }
}

fn is_sound(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&0)
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            f.write_str("the root")
        } else {
            f.write_str(&String::from_utf8_lossy(&self.0))
        }
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

/// Compares two places of listings: byte order, where the name of a folder ends with `/`. That is the order in which an
/// object store lists keys, and in it everything inside a folder follows the folder at once.
pub fn listing_order(one: (&RelativePath, bool), other: (&RelativePath, bool)) -> Ordering {
    fn key<'a>((path, folder): (&'a RelativePath, bool)) -> impl Iterator<Item = u8> + 'a {
        path.as_bytes().iter().copied().chain(folder.then_some(b'/'))
    }
    key(one).cmp(key(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelativePath {
        RelativePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_could_lead_out_of_the_root_is_no_path() {
        for text in ["/a", "a/", "a//b", "..", "a/../b", ".", "./a", "a\0b"] {
            assert!(RelativePath::new(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(path("a").join(b"../b").is_err());
        assert!(path("a").join(b"").is_err());
    }

    #[test]
    fn a_folder_is_followed_by_what_is_in_it() {
        let mut places = [
            (path("a"), true),
            (path("a-b"), false),
            (path("a/b"), false),
            (path("a.txt"), false),
            (path("a0"), false),
        ];
        places.sort_by(|one, other| listing_order((&one.0, one.1), (&other.0, other.1)));
        let sorted: Vec<String> = places.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(sorted, ["a-b", "a.txt", "a", "a/b", "a0"]);
    }

    #[test]
    fn below_is_inside_and_not_beside() {
        assert!(path("a/b").is_below(&path("a")));
        assert!(path("a").is_below(&RelativePath::root()));
        assert!(!path("ab").is_below(&path("a")));
        assert!(!path("a").is_below(&path("a")));
    }
}
