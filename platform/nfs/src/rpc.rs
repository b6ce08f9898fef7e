//! Calls and replies of ONC RPC (RFC 5531).

use bytes::Bytes;
use moorage_model::{Gid, Uid};
use nfs3_types::rpc::{
    RPC_VERSION_2, accept_stat_data, accepted_reply, auth_stat, fragment_header, msg_body, opaque_auth,
    rejected_reply, reply_body, rpc_msg,
};
use nfs3_types::xdr_codec::Pack;

use crate::xdr::{Garbage, Reader};

/// Kind of message that asks.
const CALL: u32 = 0;
/// Flavor of a credential that names a user (AUTH_SYS).
const AUTH_SYS: u32 = 1;
/// Longest credential, bytes (RFC 5531 section 8.2).
const MOST_CREDENTIAL_BYTES: usize = 400;
/// Longest name of a machine in a credential, bytes (RFC 5531 appendix A).
const MOST_MACHINE_BYTES: usize = 255;
/// Most groups in a credential (RFC 5531 appendix A).
const MOST_GROUPS: u32 = 16;
/// Bytes in front of a message that say how long it is.
pub(crate) const MARK_BYTES: usize = 4;

/// Who asks, as the caller's system says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    pub(crate) groups: Vec<Gid>,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) xid: u32,
    pub(crate) program: u32,
    pub(crate) version: u32,
    pub(crate) procedure: u32,
    /// None where the caller names no user.
    pub(crate) credential: Option<Credential>,
    pub(crate) arguments: Reader<'a>,
}

/// A message that is no request which can be carried out.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Nothing to answer: whoever sends this does not speak the protocol.
    NoCall,
    /// The answer.
    Refused(Bytes),
}

impl From<Garbage> for Unread {
    fn from(_: Garbage) -> Unread {
        Unread::NoCall
    }
}

impl<'a> Call<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<Call<'a>, Unread> {
        let mut reader = Reader::new(message);
        let xid = reader.u32()?;
        if reader.u32()? != CALL {
            return Err(Unread::NoCall);
        }
        if reader.u32()? != RPC_VERSION_2 {
            let refusal = rejected_reply::rpc_mismatch(RPC_VERSION_2, RPC_VERSION_2);
            return Err(Unread::Refused(denied(xid, refusal)));
        }
        let (program, version, procedure) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let flavor = reader.u32()?;
        let credential = reader.opaque(MOST_CREDENTIAL_BYTES)?;
        reader.u32()?;
        reader.opaque(MOST_CREDENTIAL_BYTES)?;
        let credential = match flavor {
            AUTH_SYS => match read_credential(credential) {
                Ok(credential) => Some(credential),
                Err(Garbage) => return Err(Unread::Refused(unauthenticated(xid, auth_stat::AUTH_BADCRED))),
            },
            _ => None,
        };
        Ok(Call {
            xid,
            program,
            version,
            procedure,
            credential,
            arguments: reader,
        })
    }
}

fn read_credential(body: &[u8]) -> Result<Credential, Garbage> {
    let mut reader = Reader::new(body);
    reader.u32()?;
    reader.opaque(MOST_MACHINE_BYTES)?;
    let (uid, gid, groups) = (reader.u32()?, reader.u32()?, reader.u32()?);
    if groups > MOST_GROUPS {
        return Err(Garbage);
    }
    let groups: Result<Vec<Gid>, Garbage> = (0..groups).map(|_| reader.u32().map(Gid)).collect();
    Ok(Credential {
        uid: Uid(uid),
        gid: Gid(gid),
        groups: groups?,
    })
}

/// A request that was carried out, with its result.
pub(crate) fn answered(xid: u32, result: &impl Pack) -> Bytes {
    accepted(xid, accept_stat_data::SUCCESS, Some(result))
}

/// A request that this server does not carry out.
pub(crate) fn refused(xid: u32, why: accept_stat_data) -> Bytes {
    accepted(xid, why, None::<&u32>)
}

/// A request of a caller who has to say who it is.
pub(crate) fn unauthenticated(xid: u32, why: auth_stat) -> Bytes {
    denied(xid, rejected_reply::auth_error(why))
}

fn denied(xid: u32, why: rejected_reply) -> Bytes {
    message(xid, reply_body::MSG_DENIED(why), None::<&u32>)
}

fn accepted(xid: u32, how: accept_stat_data, result: Option<&impl Pack>) -> Bytes {
    let reply = accepted_reply {
        verf: opaque_auth::default(),
        reply_data: how,
    };
    message(xid, reply_body::MSG_ACCEPTED(reply), result)
}

fn message(xid: u32, reply: reply_body<'_>, result: Option<&impl Pack>) -> Bytes {
    let head = rpc_msg {
        xid,
        body: msg_body::REPLY(reply),
    };
    let length = head.packed_size() + result.map_or(0, Pack::packed_size);
    let mut out = Vec::with_capacity(MARK_BYTES + length);
    let packed = (|| {
        // The mark of a fragment that is the last one.
        let mark = u32::try_from(length).unwrap_or(u32::MAX) | fragment_header::EOF_FLAG;
        mark.pack(&mut out)?;
        head.pack(&mut out)?;
        result.map_or(Ok(0), |result| result.pack(&mut out))
    })();
    if let Err(error) = packed {
        // Only what is longer than 32 bits can say does not pack into memory, and no answer is.
        tracing::error!(%error, "an answer can not be written");
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(version: u32, flavor: u32, credential: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [7, CALL, version, 100_003, 3, 1, flavor, credential.len() as u32] {
            out.extend(word.to_be_bytes());
        }
        out.extend(credential);
        out.extend([0; 8]);
        out
    }

    #[test]
    fn a_user_with_groups_is_read() {
        let mut body = Vec::new();
        for word in [0, 0, 1000, 100, 2, 5, 6_u32] {
            body.extend(word.to_be_bytes());
        }
        let message = call(2, AUTH_SYS, &body);
        let call = Call::read(&message).expect("a call");
        let credential = call.credential.expect("a user");
        assert_eq!((credential.uid, credential.gid), (Uid(1000), Gid(100)));
        assert_eq!(credential.groups, [Gid(5), Gid(6)]);
    }

    #[test]
    fn more_groups_than_the_protocol_has_are_refused_and_reserve_nothing() {
        let mut body = Vec::new();
        for word in [0, 0, 1000, 100, u32::MAX] {
            body.extend(word.to_be_bytes());
        }
        let message = call(2, AUTH_SYS, &body);
        assert!(matches!(Call::read(&message), Err(Unread::Refused(_))));
    }

    #[test]
    fn other_versions_are_answered_and_other_messages_are_not() {
        assert!(matches!(Call::read(&call(1, 0, &[])), Err(Unread::Refused(_))));
        assert!(matches!(Call::read(b"GET / HTTP/1.1\r\n"), Err(Unread::NoCall)));
    }
}
