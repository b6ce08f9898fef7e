//! The bytes of a line: read by a thread that waits, or by a task.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use redis::{ConnectionAddr, RedisResult};

/// A connection whose reader blocks, for at most [`Stream::wait_at_most`].
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// A connection whose reader is a task.
pub(super) enum Awaited {
    Tcp(tokio::net::TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

impl Stream {
    /// Connects without TLS; blocks for at most `limit` per address of the host.
    pub(super) fn connect(address: &ConnectionAddr, limit: Duration) -> RedisResult<Stream> {
        match address {
            ConnectionAddr::Tcp(host, port) => {
                let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, limit) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            return Ok(Stream::Tcp(stream));
                        }
                        Err(error) => failure = error,
                    }
                }
                Err(failure.into())
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path)?)),
            _ => Err((redis::ErrorKind::InvalidClientConfig, "a line is without TLS").into()),
        }
    }

    /// From now on a read or write gives up after so long, with `WouldBlock` or `TimedOut`.
    pub(super) fn wait_at_most(&self, limit: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))
            }
        }
    }

    /// Leaves the waiting to the runtime.
    pub(super) fn awaited(self) -> io::Result<Awaited> {
        Ok(match self {
            Stream::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                Awaited::Tcp(stream.try_into()?)
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Awaited::Unix(stream.try_into()?)
            }
        })
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                Stream::Tcp(stream) => stream.read(bytes),
                #[cfg(unix)]
                Stream::Unix(stream) => stream.read(bytes),
            };
            // A signal to this thread, which says nothing of the server.
            if !read
                .as_ref()
                .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
            {
                return read;
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Awaited {
    /// Waits until there is something to read. Cancel-safe.
    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Awaited::Tcp(stream) => stream.readable().await,
            #[cfg(unix)]
            Awaited::Unix(stream) => stream.readable().await,
        }
    }

    /// For threads that wait again.
    pub(super) fn blocking(self) -> io::Result<Stream> {
        Ok(match self {
            Awaited::Tcp(stream) => {
                let stream = stream.into_std()?;
                stream.set_nonblocking(false)?;
                Stream::Tcp(stream)
            }
            #[cfg(unix)]
            Awaited::Unix(stream) => {
                let stream = stream.into_std()?;
                stream.set_nonblocking(false)?;
                Stream::Unix(stream)
            }
        })
    }
}

/// What is there already; `WouldBlock` when nothing is.
impl Read for &Awaited {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Awaited::Tcp(stream) => stream.try_read(bytes),
            #[cfg(unix)]
            Awaited::Unix(stream) => stream.try_read(bytes),
        }
    }
}
