//! A socket in a folder that only its user enters.

use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use tokio::net::{UnixListener, UnixStream};

use super::SocketError;

/// Only the user enters the folder of the socket: so nobody else gets as far as connecting.
const FOLDER_MODE: u32 = 0o700;
/// What a folder of others would allow.
const FOR_OTHERS: u32 = 0o077;
/// Only the user connects.
const SOCKET_MODE: u32 = 0o600;

pub(crate) const USER_ADVICE: &str =
    "Use the agent as the user who started it; XDG_RUNTIME_DIR names the folder that its socket is in.";
pub(crate) const OCCUPIED_ADVICE: &str = "Move it away, or name another folder with XDG_RUNTIME_DIR.";
pub(crate) const SYSTEM_ADVICE: &str =
    "Check the folder of the socket, which XDG_RUNTIME_DIR names; its path may have about 90 bytes.";

/// The agent's end of a connection.
pub type Accepted = UnixStream;
/// The client's end of a connection.
pub type Connected = UnixStream;

/// A user by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User(u32);

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "number {}", self.0)
    }
}

impl User {
    fn own() -> User {
        User(geteuid().as_raw())
    }
}

/// The agent's end. The socket vanishes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens at `path`, in a folder that is made or closed to others. A socket that is left there is taken away: the
    /// caller knows that no other agent runs.
    ///
    /// # Errors
    ///
    /// When the folder belongs to another user, something else has the name, or the system refuses, as for a path of
    /// more than about 100 bytes. Outside of a runtime of tokio it panics.
    pub fn bind(path: &Path) -> Result<Listener, SocketError> {
        if let Some(folder) = path.parent() {
            make_private(folder)?;
        }
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => {
                fs::remove_file(path).map_err(SocketError::system(path))?;
            }
            Ok(_) => {
                return Err(SocketError::Occupied {
                    path: path.to_owned(),
                });
            }
            Err(_) => {}
        }
        let socket = UnixListener::bind(path).map_err(SocketError::system(path))?;
        let listener = Listener {
            socket,
            path: path.to_owned(),
        };
        // Until here the folder alone keeps others away.
        fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE)).map_err(SocketError::system(path))?;
        Ok(listener)
    }

    /// The next connection of the same user.
    ///
    /// # Cancel safety
    ///
    /// Safe: no connection is lost.
    ///
    /// # Errors
    ///
    /// [`SocketError::ForeignPeer`] after a connection of somebody else, which is closed; what the system refuses.
    pub async fn accept(&self) -> Result<Accepted, SocketError> {
        let (stream, _) = self
            .socket
            .accept()
            .await
            .map_err(SocketError::system(&self.path))?;
        check_peer(&stream, &self.path, User::own())?;
        Ok(stream)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket of the agent is gone already");
        }
    }
}

/// Connects to the agent of this user.
///
/// # Errors
///
/// When nothing listens there, or somebody else does.
pub async fn connect(path: &Path) -> Result<Connected, SocketError> {
    let stream = UnixStream::connect(path)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => SocketError::NobodyListens {
                path: path.to_owned(),
            },
            _ => SocketError::system(path)(error),
        })?;
    check_peer(&stream, path, User::own())?;
    Ok(stream)
}

/// Makes the folder, or closes one of this user to others.
fn make_private(folder: &Path) -> Result<(), SocketError> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
        .map_err(SocketError::system(folder))?;
    let found = fs::symlink_metadata(folder).map_err(SocketError::system(folder))?;
    if found.uid() != User::own().0 {
        return Err(SocketError::ForeignFolder {
            folder: folder.to_owned(),
            owner: User(found.uid()),
        });
    }
    if !found.is_dir() {
        return Err(SocketError::Occupied {
            path: folder.to_owned(),
        });
    }
    if found.mode() & FOR_OTHERS != 0 {
        fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))
            .map_err(SocketError::system(folder))?;
    }
    Ok(())
}

/// Whether `user` is at the other end, as the kernel knows it from the moment of connecting (SO_PEERCRED, unix(7)).
fn check_peer(stream: &UnixStream, path: &Path, user: User) -> Result<(), SocketError> {
    let peer = stream.peer_cred().map_err(SocketError::system(path))?;
    let peer = User(peer.uid());
    if peer == user {
        Ok(())
    } else {
        Err(SocketError::ForeignPeer {
            path: path.to_owned(),
            user: peer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").mode() & 0o777
    }

    #[tokio::test]
    async fn only_the_user_enters_the_folder_and_the_socket() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("moorage");
        fs::create_dir(&folder).expect("made");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("opened to others");
        let path = folder.join("agent.sock");
        let listener = Listener::bind(&path).expect("bound");
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        let (connected, accepted) = tokio::join!(connect(&path), listener.accept());
        connected.expect("the agent is the same user");
        accepted.expect("the client is the same user");
    }

    #[tokio::test]
    async fn somebody_else_at_the_other_end_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        let _listener = Listener::bind(&path).expect("bound");
        let stream = connect(&path).await.expect("connected");
        let own = User::own();
        let refused = check_peer(&stream, &path, User(own.0 + 1)).expect_err("this user is not that one");
        assert!(
            matches!(refused, SocketError::ForeignPeer { user, .. } if user == own),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_socket_that_nobody_serves_is_no_agent_and_does_not_stop_the_next_one() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        let absent = connect(&path).await.expect_err("nothing is there");
        assert!(matches!(absent, SocketError::NobodyListens { .. }), "{absent:?}");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
        let stale = connect(&path).await.expect_err("nobody serves it");
        assert!(matches!(stale, SocketError::NobodyListens { .. }), "{stale:?}");
        let listener = Listener::bind(&path).expect("bound over it");
        connect(&path).await.expect("served now");
        drop(listener);
        assert!(!path.exists(), "it vanishes with the agent");
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        fs::write(&path, b"mine").expect("written");
        let refused = Listener::bind(&path).expect_err("in the way");
        assert!(matches!(refused, SocketError::Occupied { .. }), "{refused:?}");
        assert_eq!(fs::read(&path).expect("still there"), b"mine");
    }
}
