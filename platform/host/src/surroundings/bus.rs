//! NetworkManager and UPower, on the system's message bus (their D-Bus interfaces). Either may not be there.

use std::time::Duration;

use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, connection};
use zbus::names::BusName;
use zbus::zvariant::OwnedValue;

use super::Surroundings;

/// How long one answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
/// `NMMetered` of NetworkManager: it was said, or is guessed from the kind of the connection.
const METERED: [u32; 2] = [1, 3];
/// The same for a connection that is not.
const NOT_METERED: [u32; 2] = [2, 4];

/// What those who are there say; what nobody says is not known.
pub(super) fn ask(bus: zbus::Result<connection::Builder<'_>>) -> Surroundings {
    let connected = bus.and_then(|bus| bus.method_timeout(ANSWER_DEADLINE).build());
    let Ok(bus) = connected else {
        return Surroundings::default();
    };
    let network = (
        "org.freedesktop.NetworkManager",
        "/org/freedesktop/NetworkManager",
    );
    let power = ("org.freedesktop.UPower", "/org/freedesktop/UPower");
    let metered = property(&bus, network, "Metered").and_then(|value| u32::try_from(value).ok());
    Surroundings {
        metered: metered.and_then(|value| {
            let known = METERED.contains(&value) || NOT_METERED.contains(&value);
            known.then(|| METERED.contains(&value))
        }),
        on_battery: property(&bus, power, "OnBattery").and_then(|value| bool::try_from(value).ok()),
    }
}

/// A property of a service that runs; none is started for it.
fn property(bus: &Connection, (name, path): (&str, &str), property: &str) -> Option<OwnedValue> {
    let owner = BusName::try_from(name).ok()?;
    let runs = DBusProxy::new(bus).ok()?.name_has_owner(owner).ok()?;
    if !runs {
        return None;
    }
    let asked = (name, property);
    let interface = Some("org.freedesktop.DBus.Properties");
    let answer = bus.call_method(Some(name), path, interface, "Get", &asked).ok()?;
    answer.body().deserialize().ok()
}
