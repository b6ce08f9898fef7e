//! One-way copies between every kind of end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deletions;
mod ends;
mod faulty;
mod fixture;
mod hostile;
mod kinds;
mod selection;
