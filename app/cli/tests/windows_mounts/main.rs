//! Mounts that outlive the command that makes them, with the whole program and without the driver: this test is the program
//! itself, with functions in it that stand for those that talk to the driver. Where a variable says so it runs as that,
//! else it runs the tests.
#![cfg_attr(
    windows,
    expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

#[cfg(windows)]
mod background;
#[cfg(windows)]
#[path = "../windows/home.rs"]
mod home;
#[cfg(windows)]
mod points;
#[cfg(windows)]
mod program;
#[cfg(windows)]
#[path = "../../../../platform/winfsp/tests/driverless/stand_in.rs"]
#[expect(dead_code, reason = "nobody asks for the file system here")]
mod stand_in;

use std::process::ExitCode;

#[cfg(not(windows))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}

#[cfg(windows)]
fn main() -> ExitCode {
    if program::is_wanted() {
        return program::run();
    }
    let tests = background::TESTS;
    println!("\nrunning {} tests", tests.len());
    let mut failed = 0;
    for (name, test) in tests {
        let passed = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n",
        tests.len() as u32 - failed
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
