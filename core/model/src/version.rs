//! Client version gates (spec 10-setting section 4).

use std::cmp::Ordering;

use crate::{Error, ErrorKind, META_VERSION, Result, Setting};

/// Version that this client declares to the gates: it implements the format of release 1.4.
pub struct VersionGate;

impl VersionGate {
    /// The format level this client declares, comparable with `MinClientVersion`.
    pub const FORMAT_LEVEL: &'static str = "1.4.1";

    /// Checks whether this client may use the volume.
    ///
    /// # Errors
    /// `VersionMismatch` naming the gate and both versions.
    pub fn check(setting: &Setting) -> Result<()> {
        let refuse = |what: String| {
            Err(Error::new(
                ErrorKind::VersionMismatch,
                format!("volume {}: {what}", setting.name),
            )
            .with_advice("Use a client of the version it asks for."))
        };
        if setting.meta_version > META_VERSION {
            return refuse(format!(
                "metadata version {} is newer than {META_VERSION}, the newest this client understands",
                setting.meta_version
            ));
        }
        let own = Self::FORMAT_LEVEL;
        let (min, max) = (&setting.min_client_version, &setting.max_client_version);
        if !min.is_empty() && compare_versions(own, min) == Ordering::Less {
            return refuse(format!(
                "it asks for clients of format level {min} or newer, this one has {own}"
            ));
        }
        if !max.is_empty() && compare_versions(own, max) == Ordering::Greater {
            return refuse(format!(
                "it asks for clients of format level {max} or older, this one has {own}"
            ));
        }
        Ok(())
    }
}

/// Compares two client versions: three numbers, then the pre-release as bytes, where none is the greatest.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    fn parts(version: &str) -> ([u64; 3], &str) {
        let version = version.split('+').next().unwrap_or_default();
        let (numbers, pre) = version.split_once('-').unwrap_or((version, ""));
        let mut out = [0; 3];
        for (slot, text) in out.iter_mut().zip(numbers.trim_start_matches('v').split('.')) {
            *slot = text.parse().unwrap_or(0);
        }
        (out, pre)
    }
    let ((a_numbers, a_pre), (b_numbers, b_pre)) = (parts(a), parts(b));
    a_numbers
        .cmp(&b_numbers)
        .then_with(|| match (a_pre.is_empty(), b_pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => a_pre.as_bytes().cmp(b_pre.as_bytes()),
        })
}
