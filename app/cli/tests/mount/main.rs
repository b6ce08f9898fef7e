//! What only a real mount shows. Each test makes a volume of its own (SQLite and a local folder) and mounts it; without
//! `/dev/fuse` they say loudly that they were skipped.

#![cfg(target_os = "linux")]

mod fixture;

mod files;
mod lifecycle;
mod locks;
mod mount_points;
mod quickstart;
mod two_mounts;
