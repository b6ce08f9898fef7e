//! Outside programs that the tests use, installed once into a cache outside the clone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::run;

/// Building a test program on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(600);
/// Downloading and unpacking packages.
const PACKAGE_LIMIT: Duration = Duration::from_secs(300);

/// Debian packages, each with a file that shows that it is there.
const PACKAGES: &[(&str, &str)] = &[
    ("fuse3", "/usr/bin/fusermount3"),
    ("acl", "/usr/bin/setfacl"),
    ("attr", "/usr/bin/setfattr"),
    ("libacl1-dev", "/usr/include/sys/acl.h"),
    ("rsync", "/usr/bin/rsync"),
    ("sqlite3", "/usr/bin/sqlite3"),
    ("redis-server", "/usr/bin/redis-server"),
    ("mariadb-server", "/usr/sbin/mariadbd"),
    ("postgresql", "/usr/share/doc/postgresql"),
    ("python3-venv", "/usr/share/doc/python3-venv"),
    ("dbus", "/usr/bin/dbus-run-session"),
    ("gnome-keyring", "/usr/bin/gnome-keyring-daemon"),
];

/// What building the tray and the window takes, and what they are walked through with.
const DESKTOP_PACKAGES: &[(&str, &str)] = &[
    (
        "libwebkit2gtk-4.1-dev",
        "/usr/include/webkitgtk-4.1/webkit2/webkit2.h",
    ),
    ("librsvg2-dev", "/usr/include/librsvg-2.0/librsvg/rsvg.h"),
    ("webkit2gtk-driver", "/usr/bin/WebKitWebDriver"),
    ("xvfb", "/usr/bin/Xvfb"),
    ("openbox", "/usr/bin/openbox"),
    ("libglib2.0-bin", "/usr/bin/gio"),
    ("xdotool", "/usr/bin/xdotool"),
    ("wmctrl", "/usr/bin/wmctrl"),
    ("imagemagick", "/usr/bin/import"),
    ("dbus", "/usr/bin/dbus-run-session"),
    (
        "fonts-dejavu-core",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    ),
];

/// What looks at the pages of the window.
const BROWSER_PACKAGES: &[(&str, &str)] = &[
    ("chromium", CHROMIUM),
    (
        "fonts-dejavu-core",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    ),
];

/// What reads packages and the files of desktops.
const PACKAGE_TOOLS: &[(&str, &str)] = &[
    ("appstream", "/usr/bin/appstreamcli"),
    ("desktop-file-utils", "/usr/bin/desktop-file-validate"),
    ("rpm", "/usr/bin/rpm"),
];

/// What compiles programs for Windows, and what runs them; 700 MB.
const WINDOWS_PACKAGES: &[(&str, &str)] = &[
    ("gcc-mingw-w64-x86-64", "/usr/bin/x86_64-w64-mingw32-gcc"),
    ("wine", "/usr/bin/wine"),
    ("wine64", "/usr/share/doc/wine64"),
];

/// What makes installers of Windows, 10 MB.
const INSTALLER_PACKAGES: &[(&str, &str)] = &[
    ("nsis", "/usr/bin/makensis"),
    ("wixl", "/usr/bin/wixl"),
    ("msitools", "/usr/bin/msibuild"),
];

/// The browser.
pub(crate) const CHROMIUM: &str = "/usr/bin/chromium";

/// Python packages that the independent readers and the tray's host import.
const PYTHON_PACKAGES: &[&str] = &[
    "cryptography",
    "lz4",
    "zstandard",
    "psycopg[binary]",
    "pymysql",
    "dbus-fast",
];

/// Where installed tools stay between runs.
pub(crate) fn cache() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            std::env::var_os("HOME")
                .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
                .join(".cache")
        });
    base.join("moorage-ci").join("tools")
}

/// Installs the Debian packages that are missing; needs root.
pub(crate) fn debian_packages() -> Result<()> {
    install_missing(PACKAGES)
}

/// Installs what the tray and the window need, 300 MB; needs root.
pub(crate) fn desktop_packages() -> Result<()> {
    install_missing(DESKTOP_PACKAGES)
}

/// Installs a browser, 100 MB; needs root.
pub(crate) fn browser_packages() -> Result<()> {
    install_missing(BROWSER_PACKAGES)
}

/// Installs what checks packages, 10 MB; needs root.
pub(crate) fn package_tools() -> Result<()> {
    install_missing(PACKAGE_TOOLS)
}

/// Installs what builds and runs programs of Windows; needs root.
pub(crate) fn windows_packages() -> Result<()> {
    install_missing(WINDOWS_PACKAGES)
}

/// Installs what makes installers of Windows; needs root.
pub(crate) fn installer_packages() -> Result<()> {
    install_missing(INSTALLER_PACKAGES)
}

/// Adds the standard library of another target to the toolchain in use.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    let mut ask = Command::new("rustc");
    ask.args(["--print", "target-libdir", "--target", target])
        .current_dir(run::repository());
    let folder = run::capture(&mut ask, PACKAGE_LIMIT)?.output;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add", target]).current_dir(run::repository());
    if !run::finish(&mut add, PACKAGE_LIMIT)?.success {
        bail!("rustup target add {target} failed");
    }
    Ok(())
}

fn install_missing(packages: &[(&'static str, &str)]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(_, file)| !Path::new(file).exists())
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(", "));
    for arguments in [
        vec!["update", "-qq"],
        [vec!["install", "-y", "-qq", "--no-install-recommends"], missing].concat(),
    ] {
        if !run::finish(apt().args(&arguments), PACKAGE_LIMIT)?.success {
            bail!("apt-get {} failed; run it as root", arguments.join(" "));
        }
    }
    Ok(())
}

/// `apt-get`, which asks nothing and waits while another program holds the lock of the packages.
pub(crate) fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["-o", "DPkg::Lock::Timeout=240"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// A program of crates.io at an exact version; its path.
pub(crate) fn cargo_program(name: &str, version: &str) -> Result<PathBuf> {
    let root = cache();
    let program = root.join("bin").join(name);
    if !program.exists() {
        let mut install = run::cargo(&["install", "--locked", &format!("{name}@{version}"), "--root"]);
        install.arg(&root).env_remove("CARGO_TARGET_DIR");
        if !run::finish(&mut install, BUILD_LIMIT)?.success {
            bail!("cargo install {name} failed");
        }
    }
    Ok(program)
}

/// What checks workflows of GitHub: a program of Go, at an exact version; its path, or why there is none.
pub(crate) fn workflow_checker() -> std::result::Result<PathBuf, String> {
    const PACKAGE: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7";
    let folder = cache().join("bin");
    let program = folder.join("actionlint");
    if !program.exists() {
        let mut install = Command::new("go");
        install.args(["install", PACKAGE]).env("GOBIN", &folder);
        match run::capture(&mut install, BUILD_LIMIT) {
            Ok(installed) if installed.success => {}
            Ok(installed) => return Err(format!("go can not install it: {}", installed.output.trim())),
            Err(error) => return Err(format!("there is no go: {error:#}")),
        }
    }
    Ok(program)
}

/// A Python with the packages of the independent readers.
pub(crate) fn python() -> Result<PathBuf> {
    let environment = cache().join("python");
    let python = environment.join("bin/python3");
    let complete = environment.join("complete");
    let wanted = PYTHON_PACKAGES.join(" ");
    if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "-q"]).args(PYTHON_PACKAGES);
    for command in [&mut make, &mut install] {
        if !run::finish(command, PACKAGE_LIMIT)?.success {
            bail!("{command:?} failed");
        }
    }
    std::fs::write(complete, wanted)?;
    Ok(python)
}

/// The folder of volumes written by the original, when it is there.
pub(crate) fn fixtures() -> Option<PathBuf> {
    let shared =
        std::env::var_os("MOORAGE_SHARED").map_or_else(|| run::repository().join("../shared"), PathBuf::from);
    let fixtures = shared.join("fixtures");
    fixtures.join("read_volume.py").exists().then_some(fixtures)
}
