//! Access times.

use moorage_model::{Attr, Ino, Result, Timestamp};

use crate::{AtimeMode, Key, Meta, Record, TxnExt as _};

/// Age from which an access time is renewed in every mode but "never", seconds.
const DAY: u64 = 86_400;

impl Meta {
    /// Renews the access time of a node after an open, read, readdir or readlink, if the client's options ask for it
    /// and it is due. Returns the attributes when they changed. The change time stays (spec 70-semantics section 5).
    ///
    /// Round trips: none with access times off, one read when it is not due, else a read and a transaction.
    ///
    /// # Errors
    /// What the engine answers. A node that is gone is no failure.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn touch_atime(&self, ino: Ino) -> Result<Option<Attr>> {
        if self.options.atime == AtimeMode::Never || self.check_writable().is_err() {
            return Ok(None);
        }
        let seen = self.engine.get(&[Key::Node(ino)]).await?.node()?;
        if seen.is_none_or(|attr| !is_due(self.options.atime, &attr, self.now())) {
            return Ok(None);
        }
        self.transact("access time", move |meta, txn| {
            Box::pin(async move {
                let now = meta.now();
                let Some(mut attr) = txn.lock_node(ino).await? else {
                    return Ok(None);
                };
                if !is_due(meta.options.atime, &attr, now) {
                    return Ok(None);
                }
                attr.atime = now;
                txn.put(Key::Node(ino), Record::Node(attr.clone()));
                meta.log(txn, || format!("ACCESS({ino})"));
                Ok(Some(attr))
            })
        })
        .await
    }
}

fn is_due(mode: AtimeMode, attr: &Attr, now: Timestamp) -> bool {
    let older_than = |seconds: u64| {
        now.since(attr.atime)
            .is_some_and(|age| age > std::time::Duration::from_secs(seconds))
    };
    let relative = attr.mtime > attr.atime || attr.ctime > attr.atime || older_than(DAY);
    match mode {
        AtimeMode::Never => false,
        AtimeMode::Relative => relative,
        AtimeMode::Strict => relative || older_than(1),
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::{Gid, NodeType, Uid};

    use super::*;

    fn accessed(atime: i64, mtime: i64) -> Attr {
        let at = |seconds| Timestamp::new(seconds, 0);
        let mut attr = Attr::new(NodeType::File, 0o644, Uid::ROOT, Gid(0), at(mtime), Ino::ROOT);
        attr.atime = at(atime);
        attr
    }

    #[test]
    fn relative_renews_only_what_changed_since_or_is_a_day_old() {
        let now = Timestamp::new(1_000_000, 0);
        let due = |attr: &Attr| is_due(AtimeMode::Relative, attr, now);
        assert!(due(&accessed(10, 20)));
        assert!(due(&accessed(1_000_000 - 86_401, 5)));
        assert!(!due(&accessed(1_000_000 - 86_400, 5)));
        assert!(!due(&accessed(1_000_000 + 5, 5)));
    }

    #[test]
    fn strict_renews_after_a_second_and_never_never() {
        let now = Timestamp::new(1_000, 0);
        assert!(is_due(AtimeMode::Strict, &accessed(998, 5), now));
        assert!(!is_due(AtimeMode::Strict, &accessed(999, 5), now));
        assert!(!is_due(AtimeMode::Never, &accessed(0, 5), now));
    }
}
