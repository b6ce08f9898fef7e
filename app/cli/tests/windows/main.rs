//! The program on Windows: what works without a mount, and what it says where one is asked for.
#![cfg(windows)]

#[cfg(test)]
mod agent;
#[cfg(test)]
mod home;
#[cfg(test)]
mod volumes;
