//! Listings in byte order of keys.

use futures_util::TryStreamExt as _;
use opendal::{EntryMode, Lister, Operator, Result};
use tokio::sync::Mutex;

use crate::store::ObjectInfo;

type Found = Vec<(String, ObjectInfo)>;

/// Where the last page of a listing ended. Some stores can not begin in the middle: for them each page would
/// otherwise read all pages before it.
#[derive(Default)]
pub(super) struct Listing(Mutex<Option<Place>>);

struct Place {
    prefix: String,
    last: String,
    rest: Lister,
}

impl std::fmt::Debug for Listing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listing")
    }
}

fn info(data: &opendal::Metadata) -> ObjectInfo {
    ObjectInfo {
        size: data.content_length(),
        modified: data.last_modified().map(Into::into),
    }
}

impl Listing {
    /// One page of a store that lists in byte order. Goes on where the last page ended when it is asked for what
    /// follows; any other page begins anew.
    pub(super) async fn page(
        &self,
        operator: &Operator,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Found> {
        let place = self.0.lock().await.take();
        let mut lister = match place {
            Some(place) if place.prefix == prefix && Some(place.last.as_str()) == after => place.rest,
            _ => begin(operator, prefix, after).await?,
        };
        let mut found = Found::new();
        while found.len() < limit {
            let Some(entry) = lister.try_next().await? else {
                return Ok(found);
            };
            let (key, data) = entry.into_parts();
            let behind = after.is_none_or(|after| key.as_str() > after);
            if data.mode() == EntryMode::FILE && behind {
                found.push((key, info(&data)));
            }
        }
        if let Some((last, _)) = found.last() {
            *self.0.lock().await = Some(Place {
                prefix: prefix.to_owned(),
                last: last.clone(),
                rest: lister,
            });
        }
        Ok(found)
    }
}

async fn begin(operator: &Operator, prefix: &str, after: Option<&str>) -> Result<Lister> {
    let listing = operator.lister_with(prefix).recursive(true);
    match after {
        Some(after) if operator.info().capability().list_with_start_after => listing.start_after(after).await,
        _ => listing.await,
    }
}

/// One page of a server of folders: their entries come in any order, so each folder is sorted before it is entered.
pub(super) async fn walk(
    operator: &Operator,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Found> {
    let start = prefix
        .rfind('/')
        .map_or("", |at| prefix.get(..=at).unwrap_or_default());
    let mut found = Found::new();
    let mut open = vec![folder(operator, start).await?];
    while let Some(entries) = open.last_mut() {
        let Some((key, data)) = entries.pop() else {
            open.pop();
            continue;
        };
        if found.len() >= limit {
            break;
        }
        if key.ends_with('/') {
            let overlaps = key.starts_with(prefix) || prefix.starts_with(&key);
            let past = after.is_some_and(|after| key.as_str() < after && !after.starts_with(&key));
            if overlaps && !past {
                open.push(folder(operator, &key).await?);
            }
        } else if key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after) {
            found.push((key, data));
        }
    }
    Ok(found)
}

/// The entries of one folder, last first; none when it does not exist.
async fn folder(operator: &Operator, key: &str) -> Result<Found> {
    let path = if key.is_empty() { "/" } else { key };
    let entries = match operator.list(path).await {
        Err(error) if error.kind() == opendal::ErrorKind::NotFound => return Ok(Found::new()),
        other => other?,
    };
    let mut found: Found = entries
        .into_iter()
        .map(opendal::Entry::into_parts)
        .filter(|(path, _)| path != key && path != "/")
        .map(|(path, data)| {
            let info = info(&data);
            (path, info)
        })
        .collect();
    found.sort_unstable_by(|a, b| b.0.cmp(&a.0));
    Ok(found)
}
