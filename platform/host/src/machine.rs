//! What this computer is called.

use std::net::{IpAddr, UdpSocket};

/// Its host name; empty when it has none.
pub fn host_name() -> String {
    #[cfg(unix)]
    let name = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
    #[cfg(windows)]
    let name = crate::windows::host_name();
    name.unwrap_or_default()
}

/// The addresses from which it reaches others, one per address family.
pub fn ip_addresses() -> Vec<String> {
    // Connecting a datagram socket sends nothing; it only chooses the way (documentation addresses, RFC 5737 and 3849).
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .into_iter()
        .filter_map(|(own, other)| {
            let socket = UdpSocket::bind(own).ok()?;
            socket.connect(other).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .filter(|address: &IpAddr| !address.is_loopback() && !address.is_unspecified())
        .map(|address| address.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_computer_has_a_name() {
        assert_ne!(super::host_name(), "");
    }
}
