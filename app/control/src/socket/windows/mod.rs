//! A named pipe that only its user may open.
//!
//! The path of a socket is no file here: the name of the pipe is made out of it, so that every path has a pipe of its own.
//! The pipe's list of rights admits the user alone, other machines are refused, and both sides look who the process at the
//! other end runs as.

mod user;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};
use tokio::sync::Mutex;
use tokio::time::sleep;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA, ERROR_PIPE_BUSY,
};

use super::SocketError;
pub use user::User;
use user::{OwnRights, client_of, server_of};

pub(crate) const USER_ADVICE: &str = "Use the agent as the user who started it.";
pub(crate) const OCCUPIED_ADVICE: &str = "End the program that has the name of the agent's pipe: another agent of this user, or one that is in its way.";
pub(crate) const SYSTEM_ADVICE: &str =
    "Log out and in again, which ends every program that has a hold on the pipe.";

/// The agent's end of a connection.
pub type Accepted = NamedPipeServer;
/// The client's end of a connection.
pub type Connected = NamedPipeClient;

/// Pause before asking again for a pipe whose next instance is not made yet: the agent makes it as it takes a client.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// The agent's end. The pipe vanishes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    pipe: String,
    path: PathBuf,
    rights: OwnRights,
    user: User,
    /// The instance that the next client connects to.
    waiting: Mutex<NamedPipeServer>,
}

impl Listener {
    /// Listens under the name of `path`.
    ///
    /// # Errors
    ///
    /// When something else has the name, or the system refuses. Outside of a runtime of tokio it panics.
    pub fn bind(path: &Path) -> Result<Listener, SocketError> {
        let refused = |error: io::Error| {
            if is(&error, ERROR_ACCESS_DENIED) {
                SocketError::Occupied {
                    path: path.to_owned(),
                }
            } else {
                SocketError::system(path)(error)
            }
        };
        let user = User::own().map_err(SocketError::system(path))?;
        let rights = OwnRights::of(&user).map_err(SocketError::system(path))?;
        let pipe = pipe_of(path, &user).map_err(SocketError::system(path))?;
        let waiting = rights.make_pipe(&pipe, ServerOptions::new().first_pipe_instance(true));
        Ok(Listener {
            waiting: Mutex::new(waiting.map_err(refused)?),
            pipe,
            path: path.to_owned(),
            rights,
            user,
        })
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
        let mut waiting = self.waiting.lock().await;
        while let Err(error) = waiting.connect().await {
            // One came and went again before it was looked at.
            if !is(&error, ERROR_NO_DATA) {
                return Err(SocketError::system(&self.path)(error));
            }
            waiting.disconnect().map_err(SocketError::system(&self.path))?;
        }
        // Until there is a next instance, the client stays with this one and is found again.
        let next = self.rights.make_pipe(&self.pipe, &ServerOptions::new());
        let next = next.map_err(SocketError::system(&self.path))?;
        let stream = std::mem::replace(&mut *waiting, next);
        drop(waiting);
        let peer = client_of(&stream).map_err(SocketError::system(&self.path))?;
        check_peer(peer, &self.path, &self.user)?;
        Ok(stream)
    }
}

/// Connects to the agent of this user. Waits while the agent is taking another client.
///
/// # Errors
///
/// When nothing listens there, or somebody else does.
pub async fn connect(path: &Path) -> Result<Connected, SocketError> {
    let user = User::own().map_err(SocketError::system(path))?;
    let pipe = pipe_of(path, &user).map_err(SocketError::system(path))?;
    let stream = loop {
        // The server may only learn who this is, not act in its name: the default of tokio.
        match ClientOptions::new().open(&pipe) {
            Ok(stream) => break stream,
            Err(error) if is(&error, ERROR_PIPE_BUSY) => sleep(BUSY_PAUSE).await,
            Err(error) if is(&error, ERROR_FILE_NOT_FOUND) => {
                return Err(SocketError::NobodyListens {
                    path: path.to_owned(),
                });
            }
            Err(error) => return Err(SocketError::system(path)(error)),
        }
    };
    let peer = server_of(&stream).map_err(SocketError::system(path))?;
    check_peer(peer, path, &user)?;
    Ok(stream)
}

fn check_peer(peer: User, path: &Path, user: &User) -> Result<(), SocketError> {
    if peer == *user {
        Ok(())
    } else {
        Err(SocketError::ForeignPeer {
            path: path.to_owned(),
            user: peer,
        })
    }
}

/// The name of the pipe of a path: the user, so that no two of them meet, what the path ends in, for a person, and the
/// whole path in short, without regard to case, as the system names files.
fn pipe_of(path: &Path, user: &User) -> io::Result<String> {
    let path = std::path::absolute(path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let whole = path.to_string_lossy().to_lowercase().replace('/', "\\");
    Ok(format!(
        r"\\.\pipe\moorage-{user}-{name}-{:016x}",
        fnv(whole.as_bytes())
    ))
}

/// FNV-1a, 64 bits: the same in every version of this program. It keeps paths of one user apart, and is no secret.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(code)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn only_the_user_may_open_the_pipe_and_is_known_at_both_ends() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        let listener = Listener::bind(&path).expect("bound");
        let own = User::own().expect("this user");
        let (connected, accepted) = tokio::join!(connect(&path), listener.accept());
        let connected = connected.expect("the agent is the same user");
        let accepted = accepted.expect("the client is the same user");
        assert_eq!(server_of(&connected).expect("known"), own);
        assert_eq!(client_of(&accepted).expect("known"), own);
        let rights = user::rights_of(&accepted).expect("read");
        assert!(rights.starts_with("D:P(A;;"), "inherits nothing: {rights}");
        assert_eq!(
            rights.matches('(').count(),
            1,
            "nobody else is in the list: {rights}"
        );
        // The administrator of the machine has a short name there.
        let whom = [format!(";;;{own})"), ";;;LA)".to_owned()];
        assert!(whom.iter().any(|end| rights.ends_with(end)), "{rights}");
    }

    #[test]
    fn somebody_else_at_the_other_end_is_refused() {
        let (system, own) = (User::named("S-1-5-18"), User::own().expect("this user"));
        let refused = check_peer(system.clone(), Path::new("agent.sock"), &own).expect_err("not this user");
        assert!(
            matches!(&refused, SocketError::ForeignPeer { user, .. } if *user == system),
            "{refused:?}"
        );
    }

    #[tokio::test]
    #[ignore = "Windows keeps a second one out; wine 8, where the tests of Windows run, does not"]
    async fn a_name_that_is_taken_is_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        let _listener = Listener::bind(&path).expect("bound");
        let second = Listener::bind(&path).expect_err("taken");
        assert!(matches!(second, SocketError::Occupied { .. }), "{second:?}");
    }

    #[tokio::test]
    async fn a_pipe_that_nobody_serves_is_no_agent() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        let absent = connect(&path).await.expect_err("nothing is there");
        assert!(matches!(absent, SocketError::NobodyListens { .. }), "{absent:?}");
        drop(Listener::bind(&path).expect("bound"));
        let gone = connect(&path).await.expect_err("it vanishes with the agent");
        assert!(matches!(gone, SocketError::NobodyListens { .. }), "{gone:?}");
    }

    #[tokio::test]
    async fn one_that_came_and_went_keeps_nobody_out() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("agent.sock");
        let listener = Listener::bind(&path).expect("bound");
        drop(connect(&path).await.expect("connected"));
        let client = async {
            let mut stream = connect(&path).await.expect("the agent is the same user");
            stream.write_all(b"!").await.expect("sent");
            stream
        };
        let agent = async {
            loop {
                let mut stream = listener.accept().await.expect("the client is the same user");
                if stream.read_u8().await.is_ok() {
                    return stream;
                }
            }
        };
        let (_client, _agent) = tokio::join!(client, agent);
    }

    #[test]
    fn every_path_has_a_pipe_of_its_own_whatever_its_case() {
        let user = User::named("S-1-5-18");
        let of = |path: &str| pipe_of(Path::new(path), &user).expect("named");
        assert_eq!(
            of(r"C:\Users\me\run\agent.sock"),
            of(r"c:\users\ME\run/agent.sock")
        );
        assert_ne!(of(r"C:\a\agent.sock"), of(r"C:\b\agent.sock"));
        assert!(of(r"C:\a\agent.sock").starts_with(r"\\.\pipe\moorage-S-1-5-18-agent-"));
    }
}
