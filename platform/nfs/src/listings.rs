//! Directories kept open between the requests that list them in parts.
//!
//! A cookie is made of the name of the entry in front of it. So it means the same place in every listing and after a restart,
//! whatever came and went meanwhile; where the place of a cookie is in a listing that is open is remembered.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use moorage_model::{Ino, Result};
use moorage_vfs::{FileHandle, Vfs};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::caller::Identity;

/// Listings of one directory and user that are kept: as many as programs list it at once, before they share the work.
const MOST_OF_ONE: usize = 4;
/// Listings kept at most.
const MOST_LISTINGS: usize = 256;
/// Places remembered of one listing: beyond it a cookie is looked for by listing again.
const MOST_PLACES: usize = 200_000;
/// A listing nobody asked for in this time is let go of.
const IDLE: Duration = Duration::from_secs(60);

/// The cookie of the start.
pub(crate) const START: u64 = 0;

/// The cookie behind an entry of this name.
pub(crate) fn cookie_of(name: &[u8]) -> u64 {
    let digest = digest::digest(&digest::SHA256, name);
    let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
    // Signed on some systems; and the start is no entry.
    (u64::from_be_bytes(first) >> 1).max(START + 1)
}

/// A directory that is open.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) handle: FileHandle,
    vfs: Arc<Vfs>,
    runtime: Handle,
    places: Mutex<HashMap<u64, u64>>,
}

impl Drop for Listing {
    fn drop(&mut self) {
        let (vfs, handle) = (Arc::clone(&self.vfs), self.handle);
        self.runtime.spawn(async move {
            if let Err(error) = vfs.releasedir(handle).await {
                tracing::debug!(%error, "a directory is closed");
            }
        });
    }
}

impl Listing {
    /// Where the listing goes on behind a cookie, when it was given out.
    fn place(&self, cookie: u64) -> Option<u64> {
        match cookie {
            START => Some(0),
            cookie => self.places.lock().get(&cookie).copied(),
        }
    }

    /// Remembers where entries were.
    pub(crate) fn remember(&self, places: impl IntoIterator<Item = (u64, u64)>) {
        let mut known = self.places.lock();
        for (cookie, place) in places {
            if known.len() < MOST_PLACES {
                known.insert(cookie, place);
            }
        }
    }

    /// Looks for the entry of a cookie from the start.
    async fn find(&self, cookie: u64) -> Result<Option<u64>> {
        let (mut found, mut places) = (None, Vec::new());
        self.vfs
            .readdir(self.handle, 0, false, &mut |item| {
                let this = cookie_of(item.name);
                places.push((this, item.next_cookie));
                if this == cookie {
                    found = Some(item.next_cookie);
                }
                found.is_none()
            })
            .await?;
        self.remember(places);
        Ok(found)
    }
}

#[derive(Debug)]
struct Kept {
    directory: Ino,
    identity: Identity,
    listing: Arc<Listing>,
    used: Instant,
}

/// All directories that are open, the latest last.
#[derive(Debug)]
pub(crate) struct Listings {
    vfs: Arc<Vfs>,
    runtime: Handle,
    open: Mutex<VecDeque<Kept>>,
}

impl Listings {
    pub(crate) fn new(vfs: Arc<Vfs>, runtime: Handle) -> Listings {
        Listings {
            vfs,
            runtime,
            open: Mutex::default(),
        }
    }

    /// A listing, and the place in it behind a cookie; `None` when the entry of the cookie is gone and no listing remembers it.
    ///
    /// # Errors
    /// As [`Vfs::opendir`].
    pub(crate) async fn behind(
        &self,
        identity: &Identity,
        directory: Ino,
        cookie: u64,
    ) -> Result<Option<(Arc<Listing>, u64)>> {
        if cookie != START
            && let Some(known) = self.known(identity, directory, cookie)
        {
            return Ok(Some(known));
        }
        let opened = self.vfs.opendir(&identity.caller(), directory).await?;
        let listing = Arc::new(Listing {
            handle: opened.handle,
            vfs: Arc::clone(&self.vfs),
            runtime: self.runtime.clone(),
            places: Mutex::default(),
        });
        let place = match cookie {
            START => Some(0),
            cookie => listing.find(cookie).await?,
        };
        let Some(place) = place else { return Ok(None) };
        self.keep(identity, directory, &listing);
        Ok(Some((listing, place)))
    }

    fn known(&self, identity: &Identity, directory: Ino, cookie: u64) -> Option<(Arc<Listing>, u64)> {
        let mut open = self.open.lock();
        open.iter_mut()
            .rev()
            .filter(|kept| kept.directory == directory && kept.identity == *identity)
            .find_map(|kept| {
                let place = kept.listing.place(cookie)?;
                kept.used = Instant::now();
                Some((Arc::clone(&kept.listing), place))
            })
    }

    fn keep(&self, identity: &Identity, directory: Ino, listing: &Arc<Listing>) {
        let mut gone = Vec::new();
        let mut open = self.open.lock();
        let same = |kept: &Kept| kept.directory == directory && kept.identity == *identity;
        if open.iter().filter(|kept| same(kept)).count() >= MOST_OF_ONE
            && let Some(oldest) = open.iter().position(same)
        {
            gone.extend(open.remove(oldest));
        }
        if open.len() >= MOST_LISTINGS {
            gone.extend(open.pop_front());
        }
        open.push_back(Kept {
            directory,
            identity: identity.clone(),
            listing: Arc::clone(listing),
            used: Instant::now(),
        });
        drop(open);
        drop(gone);
    }

    /// Lets go of listings that nobody asked for in some time.
    pub(crate) fn close_idle(&self) {
        self.open.lock().retain(|kept| kept.used.elapsed() <= IDLE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_the_same_everywhere_and_fit_a_signed_number() {
        // Told to clients, which keep them over a restart with another release.
        assert_eq!(cookie_of(b"a"), 0xca97_8112_ca1b_bdca_u64 >> 1);
        for name in [b"".as_slice(), b".", b"..", b"photo"] {
            let cookie = cookie_of(name);
            assert!(cookie != START && i64::try_from(cookie).is_ok());
        }
    }
}
