//! The bytes of requests and answers.

use moorage_meta::admin::ProgressCounts;
use moorage_model::{Error, ErrorKind, Ino, Result};

use super::own_requests::{FolderRequest, PinAction, PinRequest};

/// Bytes in front of a payload: command and length.
const HEADER_BYTES: usize = 8;
/// Longest payload: some ten thousand paths to warm up.
pub(super) const MAX_PAYLOAD_BYTES: usize = 16 << 20;
/// First byte of a progress frame.
pub(super) const PROGRESS: u8 = 0xFE;
/// First byte of a data frame.
pub(super) const DATA: u8 = 0xFF;

/// What to do with cached blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheAction {
    /// 0: fetch what is missing.
    Fill,
    /// 1: drop what is there.
    Evict,
    /// 2: count what is missing.
    Check,
}

/// A request. Inode numbers are those that the mount shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// 1002: remove an entry and everything below it.
    Remove {
        /// Folder of the entry.
        parent: Ino,
        /// Its name.
        name: Vec<u8>,
        /// Delete for good.
        skip_trash: bool,
        /// Folders at work at once.
        threads: usize,
    },
    /// 1004: fill, drop or check the cache for files and folders.
    WarmUp(WarmUpRequest),
    /// Keep files and folders on this computer, or no longer, or say what is kept.
    Pins(PinRequest),
    /// Entries of a folder, and where their content is.
    Folder(FolderRequest),
    /// 1005: what is known of a node.
    Info {
        /// The node.
        ino: Ino,
        /// Add up everything below a folder.
        recursive: bool,
        /// Slices instead of objects.
        raw: bool,
    },
    /// 1006: clone a node.
    Clone {
        /// The node.
        source: Ino,
        /// Folder of the copy.
        parent: Ino,
        /// Name of the copy.
        name: Vec<u8>,
        /// Bits that modes lose.
        umask: u16,
        /// Keep owner, mode and times.
        preserve: bool,
        /// Folders at work at once.
        threads: usize,
    },
    /// 1007: what the parts of a folder take.
    Summary {
        /// The folder.
        ino: Ino,
        /// Levels below it.
        depth: u8,
        /// Entries shown of each folder.
        entries: u8,
    },
    /// 1008: join the pieces of files.
    Compact {
        /// A file or folder.
        ino: Ino,
        /// Folders at work at once.
        threads: usize,
    },
}

/// What is to be done with the cache for which files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmUpRequest {
    /// Paths from the root of the mount.
    pub paths: Vec<Vec<u8>>,
    /// Files, and blocks of files, at work at once.
    pub threads: usize,
    /// Answer at once, and go on.
    pub background: bool,
    /// What to do.
    pub action: CacheAction,
    /// Name what failed and what did not stay in the cache, which JuiceFS's commands do not ask for.
    pub detailed: bool,
}

impl WarmUpRequest {
    /// The number of the command.
    pub const COMMAND: u32 = 1004;

    /// The payload.
    ///
    /// # Errors
    /// `InvalidArgument` when a path has a line break in it, or the payload would be too long.
    pub fn encode(&self) -> Result<Vec<u8>> {
        if self.paths.iter().any(|path| path.contains(&b'\n')) {
            return Err(
                invalid("a path has a line break in it").with_advice("Give the folder that it lies in.")
            );
        }
        let list = self.paths.join(&b'\n');
        let threads = u16::try_from(self.threads).unwrap_or(u16::MAX);
        let action = match self.action {
            CacheAction::Fill => 0,
            CacheAction::Evict => 1,
            CacheAction::Check => 2,
        };
        let length = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let mut payload = length.to_be_bytes().to_vec();
        payload.extend_from_slice(&list);
        payload.extend_from_slice(&threads.to_be_bytes());
        payload.extend_from_slice(&[u8::from(self.background), action]);
        if self.detailed {
            payload.push(1);
        }
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(invalid("there are too many paths for one request"));
        }
        Ok(payload)
    }
}

/// The fields of a payload, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or_else(too_short)?;
        self.0 = rest;
        Ok(head)
    }

    fn ino(&mut self) -> Result<Ino> {
        self.take().map(u64::from_be_bytes).map(Ino)
    }

    fn name(&mut self) -> Result<Vec<u8>> {
        let [len] = self.take()?;
        let name = self.bytes(usize::from(len))?;
        // Without this check a request with an empty name would mean the folder itself.
        if name.is_empty() {
            return Err(invalid("a command names nothing"));
        }
        Ok(name.to_vec())
    }

    /// A byte that older clients leave out.
    fn option(&mut self, default: u8) -> u8 {
        match self.take() {
            Ok([byte]) => byte,
            Err(_) => default,
        }
    }

    /// Bytes of a newer client may change what is meant, so they are not passed over.
    fn end(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(invalid(format!(
                "a command has {} bytes that mean nothing here",
                self.0.len()
            )))
        }
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

fn too_short() -> Error {
    invalid("a command ends too early")
}

/// At least one.
fn threads(number: impl Into<usize>) -> usize {
    number.into().max(1)
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// `NotSupported` for a command that is not part of this build; `InvalidArgument` for a payload that breaks off or
    /// has bytes too many.
    pub fn decode(command: u32, payload: &[u8]) -> Result<Request> {
        /// What older clients, which do not say, use.
        const REMOVE_THREADS: u8 = 50;
        const CLONE_THREADS: u8 = 4;
        /// Bit of the clone's mode: attributes are kept.
        const PRESERVE: u8 = 2;
        let mut fields = Fields(payload);
        let request = match command {
            1002 => Request::Remove {
                parent: fields.ino()?,
                name: fields.name()?,
                skip_trash: fields.option(0) != 0,
                threads: threads(fields.option(REMOVE_THREADS)),
            },
            WarmUpRequest::COMMAND => fields.warm_up()?,
            PinRequest::COMMAND => fields.pins()?,
            FolderRequest::COMMAND => fields.folder()?,
            1005 => {
                let request = Request::Info {
                    ino: fields.ino()?,
                    recursive: fields.option(0) != 0,
                    raw: fields.option(0) != 0,
                };
                // Sums are made from the entries themselves, whether that was asked for or not.
                let _strict = fields.option(0);
                request
            }
            1006 => {
                let source = fields.ino()?;
                let _parent_of_source = fields.ino()?;
                Request::Clone {
                    source,
                    parent: fields.ino()?,
                    name: fields.name()?,
                    umask: u16::from_be_bytes(fields.take()?),
                    preserve: fields.option(0) & PRESERVE != 0,
                    threads: threads(fields.option(CLONE_THREADS)),
                }
            }
            1007 => {
                let request = Request::Summary {
                    ino: fields.ino()?,
                    depth: fields.option(0),
                    entries: fields.option(0),
                };
                let _strict = fields.option(0);
                request
            }
            1008 => Request::Compact {
                ino: fields.ino()?,
                threads: threads(u16::from_be_bytes(fields.take()?)),
            },
            _ => {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    format!("command {command} is not part of this build"),
                ));
            }
        };
        fields.end()?;
        Ok(request)
    }
}

impl Fields<'_> {
    fn folder(&mut self) -> Result<Request> {
        let limit = usize::from(u16::from_be_bytes(self.take()?));
        let [length] = self.take()?;
        let after = self.bytes(usize::from(length))?.to_vec();
        let path = std::mem::take(&mut self.0).to_vec();
        Ok(Request::Folder(FolderRequest {
            path,
            after,
            limit: limit.clamp(1, FolderRequest::MOST),
        }))
    }

    fn pins(&mut self) -> Result<Request> {
        let [action] = self.take()?;
        let action = match action {
            0 => PinAction::Pin,
            1 => PinAction::Unpin,
            2 => PinAction::List,
            other => return Err(invalid(format!("{other} is nothing to do with pins"))),
        };
        let mut paths = Vec::new();
        while !self.0.is_empty() {
            let len = u32::from_be_bytes(self.take()?);
            paths.push(self.bytes(usize::try_from(len).unwrap_or(usize::MAX))?.to_vec());
        }
        Ok(Request::Pins(PinRequest { action, paths }))
    }

    fn warm_up(&mut self) -> Result<Request> {
        let len = u32::from_be_bytes(self.take()?);
        let list = self.bytes(usize::try_from(len).unwrap_or(usize::MAX))?;
        let threads = threads(u16::from_be_bytes(self.take()?));
        let background = self.option(0) != 0;
        let action = match self.option(0) {
            0 => CacheAction::Fill,
            1 => CacheAction::Evict,
            2 => CacheAction::Check,
            other => return Err(invalid(format!("{other} is nothing to do with a cache"))),
        };
        let detailed = self.option(0) != 0;
        let lines = list.split(|byte| *byte == b'\n');
        Ok(Request::WarmUp(WarmUpRequest {
            paths: lines
                .filter(|path| !path.is_empty())
                .map(<[u8]>::to_vec)
                .collect(),
            threads,
            background,
            action,
            detailed,
        }))
    }
}

/// Takes the first complete request out of the bytes written so far.
///
/// # Errors
/// `InvalidArgument` for a payload that is too long; everything written so far is forgotten then.
pub(super) fn take_request(bytes: &mut Vec<u8>) -> Result<Option<(u32, Vec<u8>)>> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let [a, b, c, d, e, f, g, h] = *head;
    let (command, length) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_PAYLOAD_BYTES {
        bytes.clear();
        return Err(invalid(format!(
            "a command's payload of {length} bytes is longer than {MAX_PAYLOAD_BYTES}"
        )));
    }
    let Some(payload) = rest.get(..length).map(<[u8]>::to_vec) else {
        return Ok(None);
    };
    bytes.drain(..HEADER_BYTES + length);
    Ok(Some((command, payload)))
}

/// What a command answers in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// JSON.
    Data(Vec<u8>),
    /// An error number; 0 is success.
    Status(u8),
}

impl Answer {
    /// Appends the frame.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Answer::Status(number) => out.push(*number),
            Answer::Data(json) => {
                let len = u32::try_from(json.len()).unwrap_or(u32::MAX);
                out.push(DATA);
                out.extend_from_slice(&len.to_be_bytes());
                out.extend_from_slice(json);
            }
        }
    }
}

/// Appends a progress frame: items done, and bytes or items known of.
pub(super) fn encode_progress(first: u64, second: u64, out: &mut Vec<u8>) {
    out.push(PROGRESS);
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&second.to_be_bytes());
}

/// The two numbers of a progress frame for this request.
pub(super) fn progress_of(request: &Request, counts: ProgressCounts) -> (u64, u64) {
    match request {
        Request::Clone { .. } | Request::Compact { .. } => (counts.done, counts.expected.max(counts.done)),
        _ => (counts.done, counts.bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_its_last_byte_is_there() {
        let mut bytes = vec![0, 0, 3, 0xEA, 0, 0, 0, 2, 7];
        assert_eq!(take_request(&mut bytes).unwrap(), None);
        bytes.push(8);
        bytes.push(9);
        assert_eq!(take_request(&mut bytes).unwrap(), Some((1002, vec![7, 8])));
        assert_eq!(bytes, [9]);
    }

    #[test]
    fn an_endless_payload_is_refused() {
        let mut bytes = vec![0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(take_request(&mut bytes).is_err());
        assert!(bytes.is_empty());
    }

    /// Payloads as `juicefs` 1.4.1 writes them.
    #[test]
    fn the_requests_of_juicefs_are_understood() {
        let remove = b"\0\0\0\0\0\0\0\x12\x05inner\x01\x32";
        assert_eq!(
            Request::decode(1002, remove).unwrap(),
            Request::Remove {
                parent: Ino(18),
                name: b"inner".to_vec(),
                skip_trash: true,
                threads: 50,
            }
        );
        let clone = b"\0\0\0\0\0\0\0\x13\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\x05acopy\0\x12\x02\x04";
        assert_eq!(
            Request::decode(1006, clone).unwrap(),
            Request::Clone {
                source: Ino(19),
                parent: Ino(2),
                name: b"acopy".to_vec(),
                umask: 0o22,
                preserve: true,
                threads: 4,
            }
        );
        let warm_up = b"\0\0\0\x0b/d/a\n/d/sub\0\x32\0\x02";
        assert_eq!(
            Request::decode(1004, warm_up).unwrap(),
            Request::WarmUp(WarmUpRequest {
                paths: vec![b"/d/a".to_vec(), b"/d/sub".to_vec()],
                threads: 50,
                background: false,
                action: CacheAction::Check,
                detailed: false,
            })
        );
        let info = b"\0\0\0\0\0\0\0\x04\x01\0\0";
        assert!(matches!(
            Request::decode(1005, info).unwrap(),
            Request::Info {
                ino: Ino(4),
                recursive: true,
                raw: false
            }
        ));
    }

    #[test]
    fn a_warm_up_is_read_as_it_was_written() {
        for detailed in [false, true] {
            let request = WarmUpRequest {
                paths: vec![b"/d/a".to_vec(), b"/".to_vec()],
                threads: 7,
                background: !detailed,
                action: CacheAction::Evict,
                detailed,
            };
            let payload = request.encode().unwrap();
            assert_eq!(
                Request::decode(WarmUpRequest::COMMAND, &payload).unwrap(),
                Request::WarmUp(request)
            );
        }
        let broken = WarmUpRequest {
            paths: vec![b"/a\nb".to_vec()],
            threads: 1,
            background: false,
            action: CacheAction::Fill,
            detailed: true,
        };
        assert_eq!(broken.encode().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_request_about_pins_is_read_as_it_was_written() {
        for action in [PinAction::Pin, PinAction::Unpin, PinAction::List] {
            for paths in [vec![], vec![b"/a\nb".to_vec(), b"/".to_vec(), Vec::new()]] {
                let request = PinRequest { action, paths };
                let payload = request.encode().unwrap();
                assert_eq!(
                    Request::decode(PinRequest::COMMAND, &payload).unwrap(),
                    Request::Pins(request)
                );
            }
        }
        for broken in [&[] as &[u8], &[3], &[0, 0, 0, 0, 2, b'/'], &[0, 0]] {
            let refused = Request::decode(PinRequest::COMMAND, broken).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn a_request_for_a_folder_is_read_as_it_was_written() {
        for after in [Vec::new(), b"a\n\xff".to_vec()] {
            let request = FolderRequest {
                path: b"/d/sub".to_vec(),
                after,
                limit: 200,
            };
            let payload = request.encode().unwrap();
            let read = Request::decode(FolderRequest::COMMAND, &payload).unwrap();
            assert_eq!(read, Request::Folder(request));
        }
        assert!(Request::decode(FolderRequest::COMMAND, &[0, 1, 9, b'x']).is_err());
    }

    #[test]
    fn requests_that_could_mean_something_else_are_refused() {
        let nameless = b"\0\0\0\0\0\0\0\x12\0\0\x32";
        let longer = b"\0\0\0\0\0\0\0\x12\x01a\0\x32\x01";
        for payload in [nameless.as_slice(), longer] {
            let refused = Request::decode(1002, payload).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        }
        assert_eq!(
            Request::decode(9, &[]).unwrap_err().kind(),
            ErrorKind::NotSupported
        );
    }
}
