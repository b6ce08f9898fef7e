//! The protocol between the agent and its clients: the window, the tray and the command line.
//!
//! A client connects to the agent's socket, both sides say [`Hello`](message::Hello), and then the client sends requests that
//! the agent answers in any order, each answer with its request's number. What changes at the agent is told as
//! [`Changed`](message::Changed) events with a revision; a client asks again for what it shows.
//! [`client`] and [`server`] are the two sides over any stream; [`socket`] is the stream that only one user reaches.
//! The processes that serve mounts answer the agent in the same form: [`mount`].
//! Every message is JSON in a [`frame`] of bounded length. The types are also written as TypeScript into `ui/src/bindings`.

#[cfg(test)]
mod bindings;
pub mod changes;
pub mod check;
pub mod client;
pub mod figures;
pub mod files;
pub mod frame;
pub mod greeting;
pub mod health;
pub mod job;
pub mod log;
pub mod message;
pub mod mount;
pub mod options;
pub mod pause_file;
pub mod problem;
pub mod secret;
pub mod server;
pub mod session;
pub mod settings;
pub mod socket;
pub mod state;
pub mod stopped_file;
pub mod sync;
pub mod sync_work;
pub mod transfer;
pub mod trash;
pub mod truth;
pub mod version;
pub mod volume;
pub mod volume_file;
