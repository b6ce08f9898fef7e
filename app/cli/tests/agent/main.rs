//! The agent as a user has it: a real process, a real volume (SQLite and a local folder), a real mount. Without `/dev/fuse`
//! they say loudly that they were skipped.

#![cfg(target_os = "linux")]

/// The volumes of the tests of mounts.
#[cfg(test)]
#[path = "../mount/fixture.rs"]
#[expect(dead_code, reason = "these tests need less of it")]
mod fixture;

#[cfg(test)]
mod keyring;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod running;

/// The volumes of the tests of mounts whose objects are on a server.
#[cfg(test)]
#[path = "../mount/remote.rs"]
mod remote;
/// The S3 server of the chunk store's own tests.
#[cfg(test)]
#[path = "../../../../core/chunk/tests/remote/server.rs"]
#[expect(dead_code, reason = "these tests need less of it")]
mod server;

/// The Redis server of the engine's own tests.
#[cfg(test)]
#[path = "../../../../core/engines/tests/redis_server/mod.rs"]
mod redis_server;

#[cfg(test)]
mod black_hole;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod files;
#[cfg(test)]
mod health;
#[cfg(test)]
mod host_events;
#[cfg(test)]
mod keyrings;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod making;
#[cfg(test)]
mod one_user;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod trash;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod volumes;
