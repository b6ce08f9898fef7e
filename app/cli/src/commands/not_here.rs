//! Commands that this build does not have on Windows yet: those that mount, or need a mount.
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
    "volumes can not be mounted on Windows by this version"
);
not_here!(
    /// Mount a volume at a folder (not on Windows yet)
    mount,
    "volumes can not be mounted on Windows by this version"
);
not_here!(
    /// Unmount a volume (not on Windows yet)
    umount,
    "volumes can not be mounted on Windows by this version, so none is to be unmounted"
);
not_here!(
    /// Folders that are kept the same on both sides (not on Windows yet)
    pair,
    "pairs have one side in a mounted volume, and volumes can not be mounted on Windows by this version"
);
not_here!(
    /// Try what Moorage needs of this computer (not on Windows yet)
    doctor,
    "what is tried is what mounts need, and volumes can not be mounted on Windows by this version"
);

fn refusal(what: &str) -> Error {
    Error::new(ErrorKind::NotSupported, what).with_advice(
        "Copy files into a volume and out of it with `moorage sync`, or mount the volume on a computer with Linux.",
    )
}
