//! What only a real mount shows. Each test makes a volume of its own (SQLite and a local folder) and mounts it; without
//! `/dev/fuse` they say loudly that they were skipped.

#![cfg(target_os = "linux")]

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod damage;
#[cfg(test)]
mod files;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod mount_points;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod two_mounts;
