//! How programs find the driver's library: not before they first use it, so that they start where it is not installed.
#![expect(clippy::expect_used, reason = "a build script fails by panicking")]

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// What the library exports, from which the import library is made.
const EXPORTS: &str = "winfsp-x64.def";
/// Makes import libraries: as Debian names it, and as a Windows computer does.
const TOOLS: [&str; 2] = ["x86_64-w64-mingw32-dlltool", "dlltool"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={EXPORTS}");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_OS") != "windows" {
        return;
    }
    let arguments = match variable("CARGO_CFG_TARGET_ENV").as_str() {
        "gnu" => vec![import_library()],
        _ => {
            let machine = match variable("CARGO_CFG_TARGET_ARCH").as_str() {
                "aarch64" => "a64",
                "x86" => "x86",
                _ => "x64",
            };
            vec![format!("/DELAYLOAD:winfsp-{machine}.dll")]
        }
    };
    for argument in &arguments {
        // For the tests of this package; the crates that make programs pass it on themselves.
        println!("cargo:rustc-link-arg={argument}");
        println!("cargo:argument={argument}");
    }
}

/// A library of calls that load the driver's library at the first of them.
fn import_library() -> String {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let library = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("libwinfsp-x64.a");
    let made = TOOLS.iter().any(|tool| {
        let mut make = Command::new(tool);
        make.args(["-m", "i386:x86-64", "-d"]).arg(folder.join(EXPORTS));
        let status = make.arg("-y").arg(&library).status();
        status.is_ok_and(|status| status.success())
    });
    assert!(made, "none of {TOOLS:?} made {}", library.display());
    library.display().to_string()
}
