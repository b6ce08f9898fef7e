//! The other end: a request written to the command channel of a mount, and its answer read.

use std::io::{self, Read, Write};

use moorage_model::{Error, ErrorKind, Result};

use super::codec::{DATA, PROGRESS};

/// Longest answer that is read: a thousand names of each kind, as long as names of paths get.
const MAX_ANSWER_BYTES: u32 = 64 << 20;

/// Asks the mount process behind its open command channel, and returns the data of its answer. Blocks until that is there;
/// `progress` gets the two numbers of each frame before.
///
/// # Errors
/// `NotSupported` when the mount does not know the request, the kind behind the number that it answers otherwise;
/// `Corrupt` for what is no answer; `Io`.
pub fn ask<C: Read + Write>(
    channel: &mut C,
    command: u32,
    payload: &[u8],
    mut progress: impl FnMut(u64, u64),
) -> Result<Vec<u8>> {
    let length = u32::try_from(payload.len())
        .map_err(|_| Error::new(ErrorKind::InvalidArgument, "the request is too long"))?;
    let head = [command.to_be_bytes(), length.to_be_bytes()].concat();
    channel.write_all(&head).map_err(broken)?;
    channel.write_all(payload).map_err(broken)?;
    let mut channel = io::BufReader::new(channel);
    loop {
        let [first] = take(&mut channel)?;
        match first {
            PROGRESS => {
                let one = u64::from_be_bytes(take(&mut channel)?);
                progress(one, u64::from_be_bytes(take(&mut channel)?));
            }
            DATA => {
                let length = u32::from_be_bytes(take(&mut channel)?);
                if length > MAX_ANSWER_BYTES {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        format!("the mount answers with {length} bytes"),
                    ));
                }
                let mut data = Vec::new();
                let read = channel.take(u64::from(length)).read_to_end(&mut data);
                return match read.map_err(broken)? {
                    read if read as u64 == u64::from(length) => Ok(data),
                    _ => Err(broken(io::ErrorKind::UnexpectedEof.into())),
                };
            }
            0 => return Ok(Vec::new()),
            number => return Err(refusal(number)),
        }
    }
}

fn take<const N: usize>(channel: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    channel.read_exact(&mut bytes).map_err(broken)?;
    Ok(bytes)
}

fn broken(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "the mount process did not answer to the end").with_source(error)
}

/// The failure behind an error number.
fn refusal(number: u8) -> Error {
    match number {
        1 | 13 => Error::new(
            ErrorKind::AccessDenied,
            "the mount refuses this to the calling user",
        ),
        2 => Error::new(ErrorKind::NotFound, "it is not in the mount"),
        16 => Error::new(
            ErrorKind::Busy,
            "the mount is at work on as much as it takes at once",
        )
        .with_advice("Try again later."),
        // What an older version says to a request with more fields than it knows.
        22 | 95 => Error::new(
            ErrorKind::NotSupported,
            "the process of this mount does not know the request",
        )
        .with_advice("Unmount the volume and mount it again with this version."),
        110 => Error::new(ErrorKind::Timeout, "a server of the volume does not answer"),
        number => Error::new(
            ErrorKind::Io,
            format!("the mount answers with error number {number}"),
        )
        .with_advice("The log of the mount says more."),
    }
}
