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

/// The terms of one package, all of which were agreed to.
#[derive(Debug)]
pub(super) struct Terms(Expression);

impl Terms {
    /// Reads what a package says.
    ///
    /// # Errors
    /// That it says nothing, or that it can not be used on terms that were agreed to alone.
    pub(super) fn of(said: Option<&str>) -> Result<Terms> {
        let said = said.context("it says no licence")?;
        let mode = ParseMode {
            allow_unknown: false,
            ..ParseMode::LAX
        };
        let expression =
            Expression::parse_mode(said, mode).map_err(|error| anyhow::anyhow!("{said}: {error}"))?;
        if !expression.evaluate(is_agreed) {
            bail!("its licence {said} was not agreed to");
        }
        Ok(Terms(expression))
    }

    /// As an SPDX expression.
    pub(super) fn expression(&self) -> String {
        // The manner of old packages.
        self.0.to_string().replace(" / ", " OR ").replace('/', " OR ")
    }

    /// The words of those licences that were agreed to, without the names of authors.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let mut words: Vec<&'static str> = self
            .0
            .requirements()
            .filter(|one| is_agreed(&one.req))
            .filter_map(|one| one.req.license.id())
            .map(spdx::LicenseId::text)
            .collect();
        words.dedup();
        words
    }
}

fn is_agreed(wanted: &LicenseReq) -> bool {
    let id = wanted.license.id();
    id.is_some_and(|id| AGREED.contains(&id.name))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(Terms::of(Some(said)).is_ok(), agreed, "{said}");
        }
        assert!(Terms::of(None).is_err());
    }

    #[test]
    fn the_manner_of_old_packages_is_written_as_spdx() {
        for said in ["MIT/Apache-2.0", "MIT / Apache-2.0", "MIT OR Apache-2.0"] {
            let terms = Terms::of(Some(said)).expect("agreed to");
            assert_eq!(terms.expression(), "MIT OR Apache-2.0");
        }
    }
}
