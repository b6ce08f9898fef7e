//! What happens to this computer that connections do not survive.

use crate::HostError;

/// Something after which connections of before may hang, and servers that were away may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// The computer is about to sleep.
    Sleeping,
    /// It slept, and runs again.
    Woke,
    /// There is a network, or another one than before.
    Online,
}

/// Whoever tells of them.
pub trait HostEvents: Send {
    /// The next event. Blocks the thread until there is one.
    ///
    /// # Errors
    /// When nobody tells of any more; events that come later need a new connection.
    fn next(&mut self) -> Result<HostEvent, HostError>;
}

/// Connects to those who tell of events on this system: logind and NetworkManager, on the system's message bus. Either may
/// not be there, or come later.
///
/// # Errors
/// When there is no such bus.
#[cfg(target_os = "linux")]
pub fn host_events() -> Result<Box<dyn HostEvents>, HostError> {
    super::event_bus::connect(zbus::blocking::connection::Builder::system())
}

/// The same, on a message bus of this address.
///
/// # Errors
/// As above.
#[cfg(target_os = "linux")]
pub fn host_events_at(address: &str) -> Result<Box<dyn HostEvents>, HostError> {
    super::event_bus::connect(zbus::blocking::connection::Builder::address(address))
}

/// Nobody is listened to on this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn host_events() -> Result<Box<dyn HostEvents>, HostError> {
    Err(HostError::new("this system is not asked for sleep and network"))
}
