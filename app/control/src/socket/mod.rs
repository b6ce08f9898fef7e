//! The socket of the agent: only its user reaches it, and both sides make sure of that.
//!
//! A Unix socket in a folder of that user, or a named pipe of Windows whose name is made out of such a path.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use self::unix::{Accepted, Connected, Listener, User, connect};
#[cfg(unix)]
pub(crate) use self::unix::{OCCUPIED_ADVICE, SYSTEM_ADVICE, USER_ADVICE};
#[cfg(windows)]
pub use self::windows::{Accepted, Connected, Listener, User, connect};
#[cfg(windows)]
pub(crate) use self::windows::{OCCUPIED_ADVICE, SYSTEM_ADVICE, USER_ADVICE};

/// Name of the socket in the folder of the user's sockets.
const NAME: &str = "agent.sock";

/// Where the agent of a user listens, of whose sockets this is the folder.
#[must_use]
pub fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Nothing listens there.
    #[error("no agent listens at {}", .path.display())]
    NobodyListens {
        /// The socket.
        path: PathBuf,
    },
    /// Somebody else owns the folder of the socket.
    #[error("the folder {} belongs to another user ({owner})", .folder.display())]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
        /// Its owner.
        owner: User,
    },
    /// Something else has its name.
    #[error("{} is in the way of the agent's socket", .path.display())]
    Occupied {
        /// What is in the way.
        path: PathBuf,
    },
    /// Somebody else is at the other end.
    #[error("at the other end of {} is another user ({user})", .path.display())]
    ForeignPeer {
        /// The socket.
        path: PathBuf,
        /// That user.
        user: User,
    },
    /// The system refuses.
    #[error("{}: {source}", .path.display())]
    System {
        /// The socket, or its folder.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

impl SocketError {
    fn system(path: &Path) -> impl FnOnce(io::Error) -> SocketError {
        let path = path.to_owned();
        move |source| SocketError::System { path, source }
    }
}
