//! What only a real mount shows. Each test makes a volume of its own (SQLite and a local folder) and mounts it; without
//! `/dev/fuse` they say loudly that they were skipped.

#![cfg(target_os = "linux")]

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod caches;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod dead_store;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod extremes;
#[cfg(test)]
mod files;
#[cfg(test)]
mod interrupts;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod mount_points;
#[cfg(test)]
mod moved_bucket;
#[cfg(test)]
mod nfs;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod pins;
#[cfg(test)]
mod pushed_changes;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod quotas;
/// The Redis server of the engine's own tests.
#[cfg(test)]
#[path = "../../../../core/engines/tests/redis_server/mod.rs"]
mod redis_server;
#[cfg(test)]
mod remote;
mod removed_meanwhile;
/// The S3 server of the chunk store's own tests.
#[cfg(test)]
#[path = "../../../../core/chunk/tests/remote/server.rs"]
#[expect(dead_code, reason = "these tests need less of it")]
mod server;
#[cfg(test)]
mod two_mounts;
#[cfg(test)]
mod waiters;
