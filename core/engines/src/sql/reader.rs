//! Reads that need no decision, and what a transaction reads with.

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Key, Read, Record, Scan, Survey};
use moorage_model::{Attr, Entry, Ino, Name, Result};

use super::SqlEngine;
use super::driver::Reason;
use super::statement::{Row, Statement, Value};
use super::statements::Statements;
use crate::relational::{Cells as _, decode_entry, decode_listed, decode_node, decode_value};
use crate::sums::is_summed;

/// A child as it was read.
pub(super) struct Child {
    pub(super) entry: Entry,
    pub(super) edge_row: Row,
    pub(super) node_row: Option<Row>,
    pub(super) empty: bool,
}

impl SqlEngine {
    /// Runs queries. When the database lacks node columns, asks which ones and runs them again without: the queries
    /// are written by `queries` for that.
    pub(super) async fn ask_all(
        &self,
        queries: impl Fn(&Statements) -> Vec<Statement>,
    ) -> Result<Vec<Vec<Row>>> {
        let driver = self.shared.driver.as_ref();
        match driver.query(&queries(self.statements())).await {
            Err(failure) if failure.reason == Reason::MissingColumn => {
                self.learn_columns().await?;
                let again = driver.query(&queries(self.statements())).await;
                again.map_err(|failure| failure.error)
            }
            answer => answer.map_err(|failure| failure.error),
        }
    }

    pub(super) async fn ask(&self, query: Statement) -> Result<Vec<Row>> {
        let answers = self.shared.driver.query(std::slice::from_ref(&query)).await;
        let mut answers = answers.map_err(|failure| failure.error)?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// The rows of records.
    pub(super) async fn rows(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self
            .ask_all(|statements| keys.iter().map(|key| statements.get(key)).collect())
            .await?;
        Ok(answers.into_iter().map(|rows| rows.into_iter().next()).collect())
    }

    /// Rows of records, and the records with the sums of this client.
    pub(super) async fn records(&self, keys: &[Key]) -> Result<Vec<(Option<Row>, Option<Record>)>> {
        let _still = self.hold_sums(keys).await;
        let rows = self.rows(keys).await?;
        keys.iter()
            .zip(rows)
            .map(|(key, row)| {
                let record = self.record(key, row.as_ref())?;
                Ok((row, record))
            })
            .collect()
    }

    /// Keeps sums from being written while records that have some are read.
    pub(super) async fn hold_sums(&self, keys: &[Key]) -> Option<tokio::sync::RwLockReadGuard<'_, ()>> {
        if keys.iter().any(is_summed) {
            Some(self.shared.writing_sums.read().await)
        } else {
            None
        }
    }

    /// A record with the sums of this client.
    pub(super) fn record(&self, key: &Key, row: Option<&Row>) -> Result<Option<Record>> {
        let record = row.map(|row| decode_value(key, row, 0)).transpose()?;
        Ok(self.with_sums(key, record))
    }

    pub(super) fn with_sums(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        if is_summed(key) {
            self.shared.sums.lock().view(key, committed)
        } else {
            committed
        }
    }

    pub(super) async fn child(&self, parent: Ino, name: &Name) -> Result<Option<Child>> {
        let answers = self
            .ask_all(|statements| vec![statements.child(parent, name)])
            .await
            .map_err(|error| error.context(format!("looking up {name} in directory {parent}")))?;
        decoded_child(parent, name, answers.into_iter().flatten().next())
    }

    pub(super) async fn is_directory_empty(&self, directory: Ino) -> Result<bool> {
        let query = self.statements().any_entry(directory);
        Ok(self.ask(query).await?.is_empty())
    }
}

/// The answer to [`Statements::child`].
pub(super) fn decoded_child(parent: Ino, name: &Name, row: Option<Row>) -> Result<Option<Child>> {
    let Some(Row(mut cells)) = row else {
        return Ok(None);
    };
    let has_entries = matches!(cells.pop(), Some(Value::Int(1)));
    let mut node = cells.split_off(2.min(cells.len()));
    let edge_row = Row(cells);
    let entry = decode_entry(&edge_row, 0).map_err(|error| error.context(Key::Edge(parent, name.clone())))?;
    let present = node.first().is_some_and(|ino| *ino != Value::Null);
    let node_row = present.then(|| Row(node.split_off(1)));
    Ok(Some(Child {
        entry,
        edge_row,
        node_row,
        empty: !has_entries,
    }))
}

#[async_trait]
impl Read for SqlEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.records(keys).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let _still = if matches!(range, Scan::DirStats | Scan::Quotas) {
            Some(self.shared.writing_sums.read().await)
        } else {
            None
        };
        self.page_of(range, after, limit).await
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let answers = self
            .ask_all(|statements| vec![statements.lookup(parent, name)])
            .await
            .map_err(|error| error.context(format!("looking up {name} in directory {parent}")))?;
        let Some(row) = answers.into_iter().flatten().next() else {
            return Ok(None);
        };
        let entry = decode_entry(&row, 0).map_err(|error| error.context(Key::Edge(parent, name.clone())))?;
        Ok(Some((entry, decode_node(&row, 2)?)))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let answers = self
            .ask_all(|statements| vec![statements.list(directory, after, limit, attributes)])
            .await
            .map_err(|error| error.context(format!("listing directory {directory}")))?;
        let rows = answers.into_iter().flatten();
        rows.map(|row| decode_listed(directory, &row, attributes))
            .collect()
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let rows = self.ask(self.statements().parents(ino)).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    Ino(row.unsigned(0)?),
                    u32::try_from(row.signed(1)?).unwrap_or(u32::MAX),
                ))
            })
            .collect()
    }
}
