//! Help, completions and manual pages.

use crate::program::Place;

/// The names of all commands, as the help lists them.
fn commands(place: &Place) -> Vec<String> {
    let help = place.run(&["--help"]).ends_with(0).out;
    let list = help.split("Commands:").nth(1).expect("a list of commands");
    list.lines()
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  "))
        // Lines that go on from the one before are indented further.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|word| word != "help")
        .collect()
}

#[test]
fn every_command_of_a_volume_is_there_and_has_help() {
    let place = Place::new();
    let commands = commands(&place);
    for name in [
        "quickstart",
        "format",
        "mount",
        "umount",
        "status",
        "info",
        "config",
        "gc",
        "fsck",
        "compact",
        "rmr",
        "clone",
        "warmup",
        "evict",
        "cache",
        "sync",
        "quota",
        "restore",
        "summary",
        "bench",
        "version",
        "destroy",
        "completion",
        "man",
    ] {
        assert!(
            commands.iter().any(|command| command == name),
            "{name} in {commands:?}"
        );
    }
    for command in commands {
        let help = place.run(&[&command, "--help"]).ends_with(0);
        assert!(help.out.contains("Usage: moorage"), "{command}: {}", help.out);
        assert!(help.err.is_empty(), "{command}: {}", help.err);
    }
}

#[test]
fn the_help_lists_the_exit_codes() {
    let help = Place::new().run(&["--help"]).ends_with(0);
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130"] {
        let listed = help
            .out
            .lines()
            .any(|line| line.split_whitespace().next() == Some(code));
        assert!(listed, "{code}");
    }
}

#[test]
fn unknown_flags_and_missing_arguments_are_usage_errors() {
    let place = Place::new();
    place.run(&["status", "--no-such-flag"]).ends_with(2);
    place.run(&["format"]).ends_with(2);
    place.run(&["no-such-command"]).ends_with(2);
    place
        .run(&["format", "sqlite3://x.db", "disk", "--block-size", "4X"])
        .ends_with(2);
}

#[test]
fn shells_get_completions_and_man_gets_a_page_per_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = place.run(&["completion", shell]).ends_with(0).out;
        assert!(script.contains("umount"), "{shell}");
    }
    let made = place.run(&["man", "pages"]).ends_with(0).err;
    assert_eq!(made, "The manual pages are in pages, which was made.\n");
    let again = place.run(&["man", "pages"]).ends_with(0).err;
    assert_eq!(again, "The manual pages are in pages.\n");
    for page in ["moorage.1", "moorage-mount.1", "moorage-quota-set.1"] {
        assert!(place.path("pages").join(page).exists(), "{page}");
    }
}

#[test]
fn version_tells_program_and_format() {
    let version = Place::new().run(&["version", "--json"]).ends_with(0).json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["format"].as_str().expect("text").starts_with("1.4"));
}

#[test]
fn a_clone_is_shown_with_its_source_and_its_destination() {
    let help = Place::new().run(&["clone", "--help"]).ends_with(0).out;
    let usage = "Usage: moorage clone [OPTIONS] [META-URL] <SOURCE> <DESTINATION>";
    assert!(help.contains(usage), "{help}");
}
