//! On which terms the work of others may be passed on.

use anyhow::{Context, Result, bail};
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences that ask for no more than that their texts are passed on with a program, or that what was changed of the work
/// itself stays open. Another one is to be read before it comes in here.
const AGREED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What was agreed to for these crates alone, and for programs of Windows alone, which are passed on under the same terms:
/// the driver of file systems there has no other interface in Rust.
const AGREED_ON_WINDOWS: &[(&str, &str)] = &[("winfsp", "GPL-3.0"), ("winfsp-sys", "GPL-3.0")];

/// Whose terms are read, and where it is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used<'a> {
    /// Name of the package.
    pub(super) package: &'a str,
    /// It is in a program of Windows.
    pub(super) on_windows: bool,
}

impl Used<'_> {
    fn may_have(self, wanted: &LicenseReq) -> bool {
        let Some(id) = wanted.license.id() else {
            return false;
        };
        AGREED.contains(&id.name) || self.on_windows && AGREED_ON_WINDOWS.contains(&(self.package, id.name))
    }
}

/// The terms of one package, all of which were agreed to.
#[derive(Debug)]
pub(super) struct Terms {
    expression: Expression,
    /// The words of those licences that were agreed to.
    words: Vec<&'static str>,
}

impl Terms {
    /// Reads what a package says.
    ///
    /// # Errors
    /// That it says nothing, or that it can not be used on terms that were agreed to alone.
    pub(super) fn of(said: Option<&str>, used: Used<'_>) -> Result<Terms> {
        let said = said.context("it says no licence")?;
        let mode = ParseMode {
            allow_unknown: false,
            ..ParseMode::LAX
        };
        let expression =
            Expression::parse_mode(said, mode).map_err(|error| anyhow::anyhow!("{said}: {error}"))?;
        if !expression.evaluate(|wanted| used.may_have(wanted)) {
            bail!("its licence {said} was not agreed to");
        }
        let mut words: Vec<&'static str> = expression
            .requirements()
            .filter(|one| used.may_have(&one.req))
            .filter_map(|one| one.req.license.id())
            .map(spdx::LicenseId::text)
            .collect();
        words.dedup();
        Ok(Terms { expression, words })
    }

    /// As an SPDX expression.
    pub(super) fn expression(&self) -> String {
        // The manner of old packages.
        let said = self.expression.to_string();
        said.replace(" / ", " OR ").replace('/', " OR ")
    }

    /// The words of those licences that were agreed to, without the names of authors.
    pub(super) fn words(&self) -> Vec<&'static str> {
        self.words.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Used<'_> = Used {
        package: "any",
        on_windows: false,
    };

    #[test]
    fn one_licence_of_a_choice_suffices_and_all_of_a_sum_are_needed() {
        for (said, agreed) in [
            ("MIT", true),
            ("GPL-2.0-only OR MIT", true),
            ("GPL-2.0-only AND MIT", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Unlicense/MIT", true),
            ("LGPL-3.0-or-later", false),
            ("no licence at all", false),
        ] {
            assert_eq!(Terms::of(Some(said), ANY).is_ok(), agreed, "{said}");
        }
        assert!(Terms::of(None, ANY).is_err());
    }

    #[test]
    fn what_was_agreed_to_for_one_crate_on_windows_holds_there_alone() {
        for (package, on_windows, agreed) in [
            ("winfsp", true, true),
            ("winfsp-sys", true, true),
            ("winfsp", false, false),
            ("another", true, false),
        ] {
            let used = Used { package, on_windows };
            assert_eq!(Terms::of(Some("GPL-3.0"), used).is_ok(), agreed, "{used:?}");
        }
    }

    #[test]
    fn the_manner_of_old_packages_is_written_as_spdx() {
        for said in ["MIT/Apache-2.0", "MIT / Apache-2.0", "MIT OR Apache-2.0"] {
            let terms = Terms::of(Some(said), ANY).expect("agreed to");
            assert_eq!(terms.expression(), "MIT OR Apache-2.0");
        }
    }
}
