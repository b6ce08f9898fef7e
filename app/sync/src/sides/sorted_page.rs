//! Listing a folder of any size in order, in bounded memory.

use std::collections::BTreeMap;

/// Names held at once: some megabytes. A larger folder is read once for each page.
const PAGE_NAMES: usize = 1 << 16;

/// The smallest keys of a folder behind the last page, in order.
#[derive(Debug)]
pub(super) struct SortedPage<T> {
    after: Option<Vec<u8>>,
    names: BTreeMap<Vec<u8>, T>,
    most: usize,
    /// The folder has keys behind these.
    more: bool,
}

impl<T> SortedPage<T> {
    /// A page before the first one: empty, with more behind it.
    pub(super) fn before_first() -> SortedPage<T> {
        SortedPage::of(PAGE_NAMES)
    }

    fn of(most: usize) -> SortedPage<T> {
        SortedPage {
            after: None,
            names: BTreeMap::new(),
            most,
            more: true,
        }
    }

    /// Takes the first key out.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, T)> {
        let first = self.names.pop_first()?;
        self.after = Some(first.0.clone());
        Some(first)
    }

    /// Whether the folder has to be read once more when this page is used up.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Begins the next page: every key of the folder is to be offered.
    pub(super) fn begin(&mut self) {
        self.names.clear();
        self.more = false;
    }

    /// Offers a key of the folder.
    pub(super) fn offer(&mut self, key: Vec<u8>, value: T) {
        if self.after.as_ref().is_some_and(|after| key <= *after) {
            return;
        }
        if self.names.len() == self.most {
            self.more = true;
            if self.names.last_key_value().is_some_and(|(last, _)| key > *last) {
                return;
            }
            self.names.pop_last();
        }
        self.names.insert(key, value);
    }
}

/// The key of a name in [`crate::listing_order`].
pub(super) fn key_of(name: &[u8], folder: bool) -> Vec<u8> {
    let mut key = name.to_vec();
    if folder {
        key.push(b'/');
    }
    key
}

/// The name of a key, and whether it is a folder's.
pub(super) fn name_of(key: &[u8]) -> (&[u8], bool) {
    match key.strip_suffix(b"/") {
        Some(name) => (name, true),
        None => (key, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_any_size_give_every_key_once_and_in_order() {
        let folder: Vec<Vec<u8>> = (0..23u8).map(|n| vec![b'a' + (n * 7) % 23]).collect();
        let mut page = SortedPage::of(5);
        let mut seen = Vec::new();
        while page.has_more() {
            page.begin();
            for key in &folder {
                page.offer(key.clone(), ());
            }
            while let Some((key, ())) = page.pop() {
                seen.push(key);
            }
        }
        let mut sorted = folder;
        sorted.sort();
        assert_eq!(seen, sorted);
    }
}
