//! Events of logind and NetworkManager (their D-Bus interfaces).

use std::collections::HashMap;

use zbus::MatchRule;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::{Message, Type};
use zbus::zvariant::{ObjectPath, OwnedValue};

use super::events::{HostEvent, HostEvents};
use crate::HostError;

const LOGIN: &str = "org.freedesktop.login1.Manager";
const NETWORK: &str = "org.freedesktop.NetworkManager";
/// `NMState`: from here on there is more than this computer to reach.
const CONNECTED_SITE: u32 = 60;
/// The path of no connection.
const NO_CONNECTION: &str = "/";

struct Bus(MessageIterator);

/// Listens on a bus.
pub(super) fn connect(bus: zbus::Result<connection::Builder<'_>>) -> Result<Box<dyn HostEvents>, HostError> {
    listen(bus)
        .map_err(|error| HostError::new(format!("the system does not tell of sleep and network: {error}")))
}

fn listen(bus: zbus::Result<connection::Builder<'_>>) -> zbus::Result<Box<dyn HostEvents>> {
    let bus: Connection = bus?.build()?;
    let messages = MessageIterator::from(&bus);
    let daemon = DBusProxy::new(&bus)?;
    let sleeps = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.login1")?
        .interface(LOGIN)?
        .member("PrepareForSleep")?
        .build();
    let changes = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(NETWORK)?
        .interface("org.freedesktop.DBus.Properties")?
        .member("PropertiesChanged")?
        .arg(0, NETWORK)?
        .build();
    for rule in [sleeps, changes] {
        daemon.add_match_rule(rule)?;
    }
    Ok(Box::new(Bus(messages)))
}

impl HostEvents for Bus {
    fn next(&mut self) -> Result<HostEvent, HostError> {
        loop {
            match self.0.next() {
                Some(Ok(message)) => {
                    if let Some(event) = event(&message) {
                        return Ok(event);
                    }
                }
                Some(Err(error)) => return Err(HostError::new(format!("the message bus: {error}"))),
                None => return Err(HostError::new("the message bus is gone")),
            }
        }
    }
}

fn event(message: &Message) -> Option<HostEvent> {
    let header = message.header();
    match header.member()?.as_str() {
        "PrepareForSleep" if header.interface()?.as_str() == LOGIN => {
            let begins: bool = message.body().deserialize().ok()?;
            Some(if begins {
                HostEvent::Sleeping
            } else {
                HostEvent::Woke
            })
        }
        "PropertiesChanged" => {
            let body = message.body();
            let (of, changed, _): (String, HashMap<String, OwnedValue>, Vec<String>) =
                body.deserialize().ok()?;
            (of == NETWORK && is_online(&changed)).then_some(HostEvent::Online)
        }
        _ => None,
    }
}

/// Whether what changed says that there is a network, or another one.
fn is_online(changed: &HashMap<String, OwnedValue>) -> bool {
    let state = changed.get("State").and_then(|value| u32::try_from(value).ok());
    let connection = changed
        .get("PrimaryConnection")
        .and_then(|value| ObjectPath::try_from(value.clone()).ok());
    state.is_some_and(|state| state >= CONNECTED_SITE)
        || connection.is_some_and(|path| path.as_str() != NO_CONNECTION)
}
