//! The plain types of a volume and the bytes of its format.
//!
//! Everything here is engine-independent (spec 20-model, 10-setting): identifiers, attributes, directory
//! entries, slice records, locks, ACL rules, quotas, the volume setting and the error that every layer speaks.
//! No I/O, no clock, no randomness: those are injected by the layers above.

mod acl;
mod acl_xattr;
mod attr;
mod byte_size;
mod counter;
mod entry;
mod error;
mod ids;
mod limits;
mod lock;
mod redact;
mod secrets;
mod session;
mod setting;
mod slice;
mod time;
mod usage;
mod verdict;
mod version;

pub use acl::{ACL_UNSET, AclEntry, AclKind, AclRule};
pub use acl_xattr::{ACL_ACCESS_XATTR, ACL_DEFAULT_XATTR};
pub use attr::{Attr, Flags, NodeType, check_length};
pub use byte_size::ByteSize;
pub use counter::Counter;
pub use entry::{Entry, Name, NameFlaw};
pub use error::{Error, ErrorKind, Result};
pub use ids::{AclId, ChunkIndex, Gid, Ino, LockOwner, SessionId, SliceId, TierId, Uid};
pub use limits::*;
pub use lock::{FileLock, FileLockKind, RecordLock, RecordLockKind, RecordLocks};
pub use redact::{password_in, redact, replace_secrets, secrets_in, split_scheme};
pub use secrets::{REMOVED_SECRET, SECRET_NONCE_BYTES};
pub use session::SessionInfo;
pub use setting::{EncryptAlgo, SecretError, Setting, Tier};
pub use slice::{DelayedSlice, Segment, Slice, decode_slices, encode_slices, resolve};
pub use time::{Clock, SystemClock, Timestamp};
pub use usage::{DirStat, Quota, QuotaKey, align4k};
pub use verdict::Verdict;
pub use version::{VersionGate, compare_versions};
