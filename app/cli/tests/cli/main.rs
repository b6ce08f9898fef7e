//! The `moorage` command as a user meets it: every test starts the program.

mod administration;
mod errors;
mod help;
mod program;
mod reformat;
mod secrets;
