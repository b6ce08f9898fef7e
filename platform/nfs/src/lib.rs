//! The door without a driver: a server of NFS version 3 (RFC 1813) for this computer alone, which the system's own NFS client
//! mounts. Translates requests into operations of [`moorage_vfs::Vfs`], and nothing else.
//!
//! The types of answers are those of the crate `nfs3_types`. Its reading of requests is not used: it reserves as much memory as the
//! sender claims to send, before anything is known of the sender, and copies written data once more. Its companion
//! `nfs3_server` passes on neither who asks nor what a write has to promise.
#![cfg(unix)]

mod answered;
mod arguments;
mod attributes;
mod backend;
mod caller;
mod connection;
mod export;
mod files;
mod kept;
mod listings;
mod mount_command;
mod mount_protocol;
mod procedures;
mod rpc;
mod server;
mod session;
mod status;
mod verifier;
mod xdr;

pub use backend::{NfsBackend, NfsOptions};
pub use mount_command::check;
pub use session::{NfsSession, Stopper};
