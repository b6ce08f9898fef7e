//! Commands that this build does not have on Windows yet.
//! They are told apart from misspelt ones, and say what can be done.

use moorage_model::{Error, ErrorKind};

/// A command that takes whatever it takes elsewhere and says that it is not here.
macro_rules! not_here {
    ($(#[doc = $about:literal])* $module:ident, $what:literal) => {
        pub(crate) mod $module {
            use std::borrow::Borrow;
            use std::ffi::OsString;
            use std::process::ExitCode;

            use clap::Args;
            use moorage_model::Result;

            use crate::context::Context;

            $(#[doc = $about])*
            #[derive(Args, Debug)]
            pub(crate) struct Arguments {
                /// What it takes on Linux
                #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
                arguments: Vec<OsString>,
            }

            impl Arguments {
                /// Whether an error is for a program.
                pub(crate) fn json(&self) -> bool {
                    self.arguments.iter().any(|argument| argument == "--json")
                }
            }

            pub(crate) fn run(_: impl Borrow<Arguments>, _: &Context) -> Result<ExitCode> {
                Err(super::refusal($what))
            }
        }
    };
}

not_here!(
    /// Make a volume on this computer and mount it (not on Windows yet)
    quickstart,
    "this version makes no volumes by itself on Windows: `moorage format` makes one, and `moorage mount` mounts it"
);
not_here!(
    /// Folders that are kept the same on both sides (not on Windows yet)
    pair,
    "pairs are kept by the agent, which mounts no volumes on Windows in this version"
);
not_here!(
    /// Try what Moorage needs of this computer (not on Windows yet)
    doctor,
    "trying out a computer is not there on Windows yet"
);

fn refusal(what: &str) -> Error {
    Error::new(ErrorKind::NotSupported, what).with_advice(
        "Mount a volume with `moorage mount`, or copy files into it and out of it with `moorage sync`.",
    )
}
