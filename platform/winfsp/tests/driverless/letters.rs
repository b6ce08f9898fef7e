//! Capital and small letters.

use moorage_model::{Ino, NodeType};
use moorage_vfs::{Caller, NewNode, OpenFlags, fold_case};

use crate::driver::{Disposition, FILE, FOLDER};
use crate::fixture::Mounted;

const NAME_NOT_FOUND: u32 = 0xC000_0034;
const NAME_COLLISION: u32 = 0xC000_0035;

#[link(name = "ntdll")]
unsafe extern "system" {
    fn RtlUpcaseUnicodeChar(unit: u16) -> u16;
}

fn make(mounted: &Mounted, path: &str, content: &[u8]) {
    let driver = mounted.driver;
    let file = driver.create(path, Disposition::Create, FILE).expect("made");
    driver.write(file, 0, content).expect("written");
    driver.close(file);
}

fn content(mounted: &Mounted, path: &str) -> Vec<u8> {
    let driver = mounted.driver;
    let file = driver.open(path).expect("found");
    let content = driver.content(file);
    driver.close(file);
    content
}

/// Makes a file as a client of Linux does, to which letters count.
fn make_on_linux(mounted: &Mounted, name: &str) {
    let node = NewNode {
        kind: NodeType::File,
        mode: 0o644,
        umask: 0,
        rdev: 0,
    };
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    let caller = Caller::root();
    let making = mounted
        .vfs
        .create(&caller, Ino::ROOT, name.as_bytes(), node, flags);
    let (_, opened) = mounted.runtime.block_on(making).expect("made");
    mounted
        .runtime
        .block_on(async {
            mounted.vfs.write(opened.handle, 0, name.as_bytes()).await?;
            mounted.vfs.release(opened.handle, None).await
        })
        .expect("written");
}

#[test]
fn a_name_is_found_by_other_letters_and_keeps_its_own() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let folder = driver
        .create("\\Photos", Disposition::Create, FOLDER)
        .expect("made");
    driver.close(folder);
    make(&mounted, "\\photos\\Read Me.TXT", b"kept");
    assert_eq!(content(&mounted, "\\PHOTOS\\read me.txt"), b"kept");
    assert_eq!(
        driver.true_name("\\PHOTOS\\read me.txt").as_deref(),
        Ok("\\Photos\\Read Me.TXT")
    );
    assert_eq!(
        driver
            .create("\\Photos\\READ ME.TXT", Disposition::Create, FILE)
            .map(drop),
        Err(NAME_COLLISION)
    );
    assert_eq!(driver.names("\\PHOTOS"), ["Read Me.TXT"]);
    let folder = driver
        .create("\\Photos", Disposition::Open, FOLDER)
        .expect("opened");
    assert_eq!(
        driver.entry(folder, "READ me.txt").expect("found")[0].name,
        "Read Me.TXT"
    );
    driver.close(folder);
}

#[test]
fn a_name_gets_other_letters_in_one_step() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    make(&mounted, "\\readme", b"kept");
    let file = driver.open("\\README").expect("found");
    driver
        .rename(file, "\\readme", "\\ReadMe", false)
        .expect("renamed");
    driver.close(file);
    assert_eq!(driver.names("\\"), ["ReadMe"]);
    assert_eq!(content(&mounted, "\\readme"), b"kept");

    make(&mounted, "\\other", b"other");
    let file = driver.open("\\other").expect("found");
    assert_eq!(
        driver.rename(file, "\\other", "\\README", false),
        Err(NAME_COLLISION)
    );
    driver
        .rename(file, "\\other", "\\README", true)
        .expect("replaced");
    driver.close(file);
    assert_eq!(
        driver.names("\\"),
        ["README"],
        "with the letters that it was given"
    );
    assert_eq!(content(&mounted, "\\readme"), b"other");
}

#[test]
fn names_of_linux_that_differ_in_letters_alone_are_both_reached() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    make_on_linux(&mounted, "Makefile");
    make_on_linux(&mounted, "makefile");
    assert_eq!(driver.names("\\"), ["Makefile", "makefile"]);
    for name in ["Makefile", "makefile"] {
        assert_eq!(
            content(&mounted, &format!("\\{name}")),
            name.as_bytes(),
            "the same letters come first"
        );
    }
    let file = driver.open("\\MAKEFILE").expect("one of them");
    driver.close(file);
}

#[test]
fn what_is_gone_is_found_by_no_letters() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    make(&mounted, "\\File", b"x");
    let file = driver.open("\\FILE").expect("found");
    driver.close_deleting(file, "\\File");
    for path in ["\\File", "\\FILE", "\\file"] {
        assert_eq!(driver.open(path).map(drop), Err(NAME_NOT_FOUND), "{path}");
    }
    make(&mounted, "\\FILE", b"new");
    assert_eq!(driver.names("\\"), ["FILE"]);
    assert_eq!(content(&mounted, "\\file"), b"new");
}

/// The driver compares names as the system does: what it takes for one name must be one name here.
#[test]
fn letters_are_folded_as_the_system_folds_them() {
    let folded = |unit: u16| -> Box<[u8]> { fold_case(String::from_utf16_lossy(&[unit]).as_bytes()) };
    let mut others = Vec::new();
    for unit in (1..=u16::MAX).filter(|unit| !(0xD800..0xE000).contains(unit)) {
        // SAFETY: a plain function of numbers.
        let capital = unsafe { RtlUpcaseUnicodeChar(unit) };
        if folded(unit) != folded(capital) {
            others.push(format!("{unit:04x} {capital:04x}"));
        }
    }
    assert!(others.is_empty(), "{} differ: {others:?}", others.len());
}
