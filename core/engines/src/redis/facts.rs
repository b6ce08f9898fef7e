//! What a server says of itself.

use moorage_model::{Error, ErrorKind, Result};

/// Oldest release whose commands suffice (spec 30-redis).
const OLDEST_MAJOR: u32 = 4;
/// The policy under which a full server refuses writes instead of dropping keys.
const KEEPING_POLICY: &str = "noeviction";

/// The lines of INFO that matter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts<'i> {
    version: &'i str,
    policy: &'i str,
}

impl<'i> Facts<'i> {
    /// From the answer to INFO; what it does not say is empty.
    pub(super) fn parse(info: &'i str) -> Facts<'i> {
        let value = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .unwrap_or_default()
                .trim()
        };
        Facts {
            version: value("redis_version"),
            policy: value("maxmemory_policy"),
        }
    }

    /// Refuses a server that is too old.
    ///
    /// # Errors
    /// `NotSupported` naming its version.
    pub(super) fn check(&self, place: &str) -> Result<()> {
        let major = self
            .version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(major) if major < OLDEST_MAJOR => Err(Error::new(
                ErrorKind::NotSupported,
                format!("Redis {place} has version {}", self.version),
            )
            .with_advice("Use version 4.0 or a later one.")),
            _ => Ok(()),
        }
    }

    /// What is wrong with the server for a volume, though it can be used.
    pub(super) fn warning(&self, place: &str) -> Option<String> {
        (!self.policy.is_empty() && self.policy != KEEPING_POLICY).then(|| {
            format!(
                "Redis {place} drops keys when its memory is full (maxmemory-policy {}), which damages the volume; set \
                 it to {KEEPING_POLICY}",
                self.policy
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(version: &str, policy: &str) -> String {
        format!("# Server\r\nredis_version:{version}\r\n# Memory\r\nmaxmemory_policy:{policy}\r\n")
    }

    #[test]
    fn only_a_policy_that_drops_keys_is_warned_of() {
        for policy in ["allkeys-lru", "volatile-ttl"] {
            let text = info("7.0.15", policy);
            let warning = Facts::parse(&text).warning("h").unwrap();
            assert!(
                warning.contains(policy) && warning.contains("noeviction"),
                "{warning}"
            );
        }
        assert_eq!(Facts::parse(&info("7.0.15", "noeviction")).warning("h"), None);
        assert_eq!(Facts::parse("").warning("h"), None);
    }

    #[test]
    fn releases_before_4_are_refused() {
        for (version, kind) in [
            ("3.2.1", Some(ErrorKind::NotSupported)),
            ("4.0.0", None),
            ("7.0.15", None),
            ("", None),
        ] {
            let text = info(version, "noeviction");
            let checked = Facts::parse(&text).check("h");
            assert_eq!(checked.err().map(|error| error.kind()), kind, "{version}");
        }
    }
}
