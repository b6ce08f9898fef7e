//! Requests of commands that JuiceFS does not have.

use moorage_model::Result;

use super::codec::{MAX_PAYLOAD_BYTES, invalid};

/// What to do about pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinAction {
    /// 0: keep on this computer.
    Pin,
    /// 1: no longer.
    Unpin,
    /// 2: say what is kept.
    List,
}

/// What is to be kept on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRequest {
    /// What to do.
    pub action: PinAction,
    /// Paths from the root of the mount; none lists everything.
    pub paths: Vec<Vec<u8>>,
}

impl PinRequest {
    /// The number of the command: far from those that JuiceFS counts up.
    pub const COMMAND: u32 = 0x4D4F_0001;

    /// The payload: the action, and each path behind its length.
    ///
    /// # Errors
    /// `InvalidArgument` when it would be too long.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut payload = vec![match self.action {
            PinAction::Pin => 0,
            PinAction::Unpin => 1,
            PinAction::List => 2,
        }];
        for path in &self.paths {
            payload.extend_from_slice(&u32::try_from(path.len()).unwrap_or(u32::MAX).to_be_bytes());
            payload.extend_from_slice(path);
        }
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(invalid("there are too many paths for one request"));
        }
        Ok(payload)
    }
}

/// Which part of a folder is to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderRequest {
    /// Path of the folder from the root of the mount.
    pub path: Vec<u8>,
    /// The name behind which the part begins; empty at the beginning.
    pub after: Vec<u8>,
    /// Entries at most, at least one.
    pub limit: usize,
}

impl FolderRequest {
    /// The number of the command, as of [`PinRequest`].
    pub const COMMAND: u32 = 0x4D4F_0002;
    /// Most entries of one part: each file of them is looked into.
    pub const MOST: usize = 1000;

    /// The payload: the limit, the name behind its length, and the path.
    ///
    /// # Errors
    /// `InvalidArgument` for a name of more than 255 bytes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let length = u8::try_from(self.after.len()).map_err(|_| invalid("a name is too long"))?;
        let limit = u16::try_from(self.limit.clamp(1, Self::MOST)).unwrap_or(u16::MAX);
        let mut payload = limit.to_be_bytes().to_vec();
        payload.push(length);
        payload.extend_from_slice(&self.after);
        payload.extend_from_slice(&self.path);
        Ok(payload)
    }
}
