//! Listings, parents and counters.

use moorage_meta::{DirectoryEntry, Survey};
use moorage_model::{Attr, Counter, Ino, Result};
use redis::Value;

use super::cells::{number, unexpected};
use super::reader::Reader;
use crate::entries::entries;

impl Reader {
    /// Entries of a page with what their nodes hold: one round trip, none without `attributes`.
    ///
    /// # Errors
    /// `Corrupt` naming an entry that can not be read.
    pub(super) async fn with_attributes(
        &self,
        page: Survey,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let mut listed = entries(page)?;
        if !attributes || listed.is_empty() {
            return Ok(listed);
        }
        let mut command = redis::cmd("MGET");
        for item in &listed {
            command.arg(self.layout.node(item.entry.ino));
        }
        let nodes = match self.connection.ask(command).await? {
            Value::Array(nodes) => nodes,
            other => return Err(unexpected(&other)),
        };
        for (item, node) in listed.iter_mut().zip(nodes) {
            if let Value::BulkString(bytes) = node {
                match Attr::decode(&bytes) {
                    Ok(attr) => item.attr = Some(attr),
                    Err(_) => item.damaged = true,
                }
            }
        }
        Ok(listed)
    }

    /// Directories that hold an entry for a hard-linked node, with the number of its entries there.
    pub(super) async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let counts = self.fields(&self.layout.numbered("p", ino.0)).await?;
        let mut parents = Vec::new();
        for (parent, count) in counts {
            // Counts of 0 and below may remain (spec 30-redis section 2).
            let (parent, count) = (number(&parent)?, number(&count)?);
            if count > 0 {
                parents.push((
                    Ino(parent.cast_unsigned()),
                    u32::try_from(count).unwrap_or(u32::MAX),
                ));
            }
        }
        Ok(parents)
    }

    /// Adds to an allocation counter at once; the stored value afterwards. Sent again when the connection breaks: the
    /// numbers of the first try are lost then, which harms nobody.
    pub(super) async fn add_to_counter(&self, counter: Counter, delta: i64) -> Result<i64> {
        let mut command = redis::cmd("INCRBY");
        command.arg(self.layout.counter(counter)).arg(delta);
        match self.connection.ask(command).await? {
            Value::Int(stored) => Ok(stored),
            other => Err(unexpected(&other)),
        }
    }
}
