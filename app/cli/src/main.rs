//! The `moorage` command.
fn main() {}
