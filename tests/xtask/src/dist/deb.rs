//! The package for Debian, Ubuntu and what is made of them: deb(5).

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use md5::{Digest, Md5};

use super::archive;
use super::contents::Package;
use super::linking::Linked;
use super::manifest::hexadecimal;
use super::tree::{DATA, PROGRAM};
use super::version::Version;

/// Which package of Debian has a library. Ubuntu's names of the same provide these.
const LIBRARIES: &[(&str, &str)] = &[
    ("libcairo.so.2", "libcairo2"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libgcc_s.so.1", "libgcc-s1"),
    ("libgdk-3.so.0", "libgtk-3-0"),
    ("libgdk_pixbuf-2.0.so.0", "libgdk-pixbuf-2.0-0"),
    ("libgio-2.0.so.0", "libglib2.0-0"),
    ("libglib-2.0.so.0", "libglib2.0-0"),
    ("libgobject-2.0.so.0", "libglib2.0-0"),
    ("libgtk-3.so.0", "libgtk-3-0"),
    ("libjavascriptcoregtk-4.1.so.0", "libjavascriptcoregtk-4.1-0"),
    ("libsoup-3.0.so.0", "libsoup-3.0-0"),
    ("libwebkit2gtk-4.1.so.0", "libwebkit2gtk-4.1-0"),
];

/// Libraries of the C library's package.
const C_LIBRARY: &[&str] = &[
    "ld-linux-",
    "libc.so.",
    "libm.so.",
    "libdl.so.",
    "libpthread.so.",
    "librt.so.",
];

/// Where zsh looks on Debian, instead of the folder of other systems.
const ZSH: (&str, &str) = (
    "usr/share/zsh/site-functions/",
    "usr/share/zsh/vendor-completions/",
);

/// Bytes in the unit of `Installed-Size`.
const KIBIBYTE: u64 = 1024;

/// The name of the file.
pub(crate) fn name(package: &Package, version: &Version) -> Result<String> {
    Ok(format!(
        "{}_{}_{}.deb",
        package.name,
        version.text,
        architecture()?
    ))
}

fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("Debian's name of the architecture {other} is not known here"),
    }
}

/// The package.
pub(crate) fn bytes(package: &Package, version: &Version) -> Result<Vec<u8>> {
    let files: Vec<(String, u16, &[u8])> = package
        .tree
        .files()
        .map(|(path, file)| {
            let place = path
                .strip_prefix(ZSH.0)
                .map_or_else(|| path.to_owned(), |name| format!("{}{name}", ZSH.1));
            (format!("./{place}"), file.mode, file.content.as_slice())
        })
        .collect();
    let control = control(package, version, &files)?;
    let sums = sums(&files)?;
    let mut about: Vec<(String, u16, &[u8])> = vec![
        ("./control".to_owned(), DATA, control.as_bytes()),
        ("./md5sums".to_owned(), DATA, sums.as_bytes()),
    ];
    about.extend(
        package
            .after_removal
            .as_ref()
            .map(|script| ("./postrm".to_owned(), PROGRAM, script.as_bytes())),
    );
    let mut deb = ar::Builder::new(Vec::new());
    for (name, content) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", archive::tar_gz(&about, version)?),
        ("data.tar.gz", archive::tar_gz(&files, version)?),
    ] {
        let mut header = ar::Header::new(name.as_bytes().to_vec(), content.len() as u64);
        header.set_mode(u32::from(DATA) | libc::S_IFREG);
        header.set_mtime(u64::from(version.seconds));
        deb.append(&header, content.as_slice())?;
    }
    Ok(deb.into_inner()?)
}

fn control(package: &Package, version: &Version, files: &[(String, u16, &[u8])]) -> Result<String> {
    let mut text = String::new();
    let size: u64 = files
        .iter()
        .map(|(_, _, content)| (content.len() as u64).div_ceil(KIBIBYTE))
        .sum();
    let mut depends = depends(&package.linked)?;
    depends.extend(package.requires.iter().map(|name| (*name).to_owned()));
    depends.extend(
        package
            .same_version
            .map(|name| format!("{name} (= {})", version.text)),
    );
    for (field, value) in [
        ("Package", package.name),
        ("Version", &version.text),
        ("Architecture", architecture()?),
        ("Maintainer", package.maintainer),
        ("Installed-Size", &size.to_string()),
        ("Depends", &depends.join(", ")),
        ("Recommends", &package.recommends.join(", ")),
        ("Section", "utils"),
        ("Priority", "optional"),
        ("Description", package.summary),
    ] {
        if !value.is_empty() {
            writeln!(text, "{field}: {value}")?;
        }
    }
    for line in package.description.lines() {
        writeln!(text, " {line}")?;
    }
    Ok(text)
}

fn depends(linked: &Linked) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for library in &linked.libraries {
        if C_LIBRARY.iter().any(|prefix| library.starts_with(prefix)) {
            packages.push(format!("libc6 (>= {})", linked.c_library));
        } else {
            let known = LIBRARIES.iter().find(|(name, _)| name == library);
            let (_, package) = known.with_context(|| {
                format!("which package of Debian has {library} is not known: add it to LIBRARIES")
            })?;
            packages.push((*package).to_owned());
        }
    }
    packages.sort();
    packages.dedup();
    Ok(packages)
}

fn sums(files: &[(String, u16, &[u8])]) -> Result<String> {
    let mut text = String::new();
    for (path, _, content) in files {
        let path = path.strip_prefix("./").unwrap_or(path);
        writeln!(text, "{}  {path}", hexadecimal(&Md5::digest(content)))?;
    }
    Ok(text)
}
