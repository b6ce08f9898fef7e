//! `cargo xtask licences`: whose work is in what people install, and on which terms.

mod crates;
mod pages;
mod terms;
mod texts;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::run;
use terms::{Terms, Used};
use texts::Texts;

/// What people install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// The command, which is the agent and every mount as well.
    Command,
    /// The window, with its pages.
    Window,
    /// The command for Windows.
    CommandForWindows,
}

/// A piece of somebody else's work that is in a product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Component {
    name: String,
    version: String,
    /// As an SPDX expression.
    licence: String,
    /// Where it comes from; absent where it does not say.
    source: Option<String>,
    /// What has to be passed on with it: places in the list of texts.
    texts: Vec<usize>,
    /// A crate; else a package of npm.
    #[serde(skip)]
    is_crate: bool,
}

/// All of them, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Licences {
    components: Vec<Component>,
    /// Each text once.
    texts: Vec<String>,
}

/// A package as its registry has it, unpacked on this computer.
#[derive(Debug)]
struct Unpacked {
    name: String,
    version: String,
    /// As it says it itself.
    licence: Option<String>,
    source: Option<String>,
    folder: PathBuf,
    /// A crate; else a package of npm.
    is_crate: bool,
    /// It is in a program of Windows.
    on_windows: bool,
}

/// The target whose crates are those of the program for Windows.
const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// The task of the command line: everything, as the pages take it, to standard output; or what is in the command for
/// Windows.
pub(crate) fn run(for_windows: bool) -> Result<ExitCode> {
    let products: &[Product] = match for_windows {
        true => &[Product::CommandForWindows],
        false => &[Product::Command, Product::Window],
    };
    let licences = Licences::of(products)?;
    println!("{}", serde_json::to_string(&licences)?);
    Ok(ExitCode::SUCCESS)
}

impl Licences {
    /// What is in these products.
    ///
    /// # Errors
    /// That a package is not there, says no licence, or one that nobody agreed to.
    pub(crate) fn of(products: &[Product]) -> Result<Licences> {
        let repository = run::repository();
        let mut found = Vec::new();
        for product in products {
            found.extend(match product {
                Product::Command => crates::of(&repository.join("Cargo.toml"), "moorage", None)?,
                Product::CommandForWindows => {
                    crates::of(&repository.join("Cargo.toml"), "moorage", Some(WINDOWS))?
                }
                Product::Window => {
                    crates::of(&repository.join("src-tauri/Cargo.toml"), "moorage-desktop", None)?
                }
            });
            if *product == Product::Window {
                found.extend(pages::of(&repository.join("ui"))?);
            }
        }
        Licences::from(found)
    }

    fn from(packages: Vec<Unpacked>) -> Result<Licences> {
        let mut texts = Texts::default();
        let mut components = Vec::new();
        for package in packages {
            let named = || format!("{} {}", package.name, package.version);
            let used = Used {
                package: &package.name,
                on_windows: package.on_windows,
            };
            let terms = Terms::of(package.licence.as_deref(), used).with_context(named)?;
            components.push(Component {
                texts: texts.of(&package.folder, &terms).with_context(named)?,
                licence: terms.expression(),
                name: package.name,
                version: package.version,
                source: package.source,
                is_crate: package.is_crate,
            });
        }
        components.sort();
        // A crate of both products.
        components.dedup();
        Ok(Licences {
            components,
            texts: texts.all(),
        })
    }

    /// Each part's name, version, licence as an SPDX expression, and whether it is a crate; else it is a package of npm.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, &str, &str, bool)> {
        self.components.iter().map(|one| {
            (
                one.name.as_str(),
                one.version.as_str(),
                one.licence.as_str(),
                one.is_crate,
            )
        })
    }

    /// For a person who reads files.
    pub(crate) fn plain(&self) -> String {
        let mut plain =
            "Moorage contains the work of others. Each is listed with its licence and with the texts that \
                         are to be passed on with it; the texts follow the list.\n\n"
                .to_owned();
        for component in &self.components {
            let numbers: Vec<String> = component
                .texts
                .iter()
                .map(|text| (text + 1).to_string())
                .collect();
            plain.push_str(&format!(
                "{} {}: {}\n    {}texts {}\n",
                component.name,
                component.version,
                component.licence,
                component
                    .source
                    .as_ref()
                    .map_or_else(String::new, |source| format!("{source}, ")),
                numbers.join(", ")
            ));
        }
        for (number, text) in self.texts.iter().enumerate() {
            let line = "=".repeat(78);
            plain.push_str(&format!("\n{line}\nText {}\n{line}\n\n{text}\n", number + 1));
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn package(folder: &std::path::Path, name: &str, licence: &str) -> Unpacked {
        Unpacked {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            source: None,
            folder: folder.to_owned(),
            is_crate: true,
            on_windows: false,
        }
    }

    #[test]
    fn a_package_of_two_products_stands_once_and_a_text_of_two_packages_too() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("LICENSE"), "the terms\n").expect("written");
        let one = || package(folder.path(), "one", "MIT");
        let other = package(folder.path(), "another", "MIT");
        let licences = Licences::from(vec![one(), other, one()]).expect("terms that were agreed to");
        let names: Vec<&str> = licences.components.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["another", "one"]);
        assert_eq!(licences.texts, ["the terms"]);
        let plain = licences.plain();
        assert!(plain.contains("one 1.0.0: MIT\n    texts 1\n"), "{plain}");
        assert!(plain.contains("Text 1\n"), "{plain}");
    }

    #[test]
    fn terms_that_nobody_agreed_to_name_the_package() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Licences::from(vec![package(folder.path(), "strange", "GPL-3.0-only")]);
        let error = format!("{:#}", error.expect_err("not agreed to"));
        assert!(
            error.contains("strange 1.0.0") && error.contains("GPL-3.0-only"),
            "{error}"
        );
    }

    #[test]
    fn every_crate_of_the_command_has_terms_and_a_text() {
        let licences = Licences::of(&[Product::Command]).expect("all have terms that were agreed to");
        assert!(licences.components.len() > 100);
        let without: Vec<&Component> = licences
            .components
            .iter()
            .filter(|one| one.texts.is_empty())
            .collect();
        assert!(without.is_empty(), "{without:?}");
        let own = licences
            .components
            .iter()
            .find(|one| one.name.starts_with("moorage"));
        assert_eq!(own, None, "only the work of others is listed");
    }
    #[test]
    fn the_command_for_windows_alone_has_the_driver_and_its_licence() {
        let named = |product| {
            let licences = Licences::of(&[product]).expect("all have terms that were agreed to");
            let gpl = licences
                .components
                .into_iter()
                .filter(|one| one.licence.contains("GPL"))
                .map(|one| one.name);
            gpl.collect::<Vec<_>>()
        };
        assert_eq!(named(Product::CommandForWindows), ["winfsp", "winfsp-sys"]);
        assert!(named(Product::Command).is_empty());
    }
}
