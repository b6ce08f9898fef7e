//! The tray and the window of Moorage: clients of the agent, and nothing else. Closing, crashing or killing them unmounts
//! nothing.
//!
//! [`agent`] keeps the connection and what was heard last; [`tray`] says in pure functions what the tray shows of it, and
//! [`notification`] what a person is told of it, in
//! [`words`] of the person's language; [`shell`] puts that into Tauri's tray and windows and passes the pages' questions on.

mod agent;
mod notification;
mod page;
mod shell;
mod tray;
mod words;

pub use shell::run;
