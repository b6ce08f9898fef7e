//! What this computer says of its network and its power, and when they change.

#[cfg(target_os = "linux")]
mod bus;
#[cfg(target_os = "linux")]
mod event_bus;
mod events;

#[cfg(target_os = "linux")]
pub use events::host_events_at;
pub use events::{HostEvent, HostEvents, host_events};

/// What is known now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The connection is paid for by what is transferred, or guessed to be; absent where that is not known.
    pub metered: Option<bool>,
    /// The computer runs on its battery; absent where that is not known.
    pub on_battery: Option<bool>,
}

impl Surroundings {
    /// Asks the system. Blocks the thread for some seconds at most, once the bus has taken the connection.
    #[cfg(target_os = "linux")]
    pub fn now() -> Surroundings {
        bus::ask(zbus::blocking::connection::Builder::system())
    }

    /// Nobody is asked on this system: nothing is known.
    #[cfg(not(target_os = "linux"))]
    pub fn now() -> Surroundings {
        Surroundings::default()
    }

    /// Asks those who answer on a message bus of this address. Blocks as above.
    #[cfg(target_os = "linux")]
    pub fn at(address: &str) -> Surroundings {
        bus::ask(zbus::blocking::connection::Builder::address(address))
    }
}
