//! Pages of ranges.

use moorage_meta::{Key, Scan, Survey};
use moorage_model::Result;

use super::SqlEngine;
use super::statement::{Row, Statement, Value};
use super::statements::Statements;
use crate::collected::Found;
use crate::relational::{Decoded, Part, decode, parts};
use crate::sums::is_summed;

/// Records read at once of a range that is read whole.
const WHOLE_PAGE: usize = 1000;

impl SqlEngine {
    /// One page of `range` behind `after`, about `limit` records.
    pub(super) async fn page_of(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let mut limit = limit.max(1);
        loop {
            // One more than asked for tells whether another page follows.
            let mut rows = self.rows_behind(range, after, limit.saturating_add(1)).await?;
            let mut next = None;
            if rows.len() > limit {
                rows.truncate(limit);
                // A page ends with a key, since the next one continues there.
                let keyed = rows.iter().rposition(|(row, _)| key_of(row).is_some());
                let Some(last) = keyed else {
                    limit = limit.saturating_mul(2);
                    continue;
                };
                rows.truncate(last + 1);
                next = rows.last().and_then(|(row, _)| key_of(row)).cloned();
            }
            let mut page = Survey {
                next,
                ..Survey::default()
            };
            for (row, _) in rows {
                match row {
                    Ok((key, record)) if is_summed(&key) => {
                        if let Some(record) = self.with_sums(&key, Some(record)) {
                            page.items.push((key, record));
                        }
                    }
                    Ok(item) => page.items.push(item),
                    Err(damaged) => page.damaged.push(damaged),
                }
            }
            return Ok(page);
        }
    }

    /// Every row of a range, with its values as they were answered.
    pub(super) async fn whole_rows(&self, range: &Scan) -> Result<Vec<(Decoded, Row)>> {
        let mut all = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let rows = self.rows_behind(range, after.as_ref(), WHOLE_PAGE).await?;
            let full = rows.len() == WHOLE_PAGE;
            let last = rows.iter().rev().find_map(|(row, _)| key_of(row)).cloned();
            all.extend(rows);
            match last {
                Some(last) if full && after.as_ref() != Some(&last) => after = Some(last),
                _ => return Ok(all),
            }
        }
    }

    /// The query for a range that is small and in one table; `None` for another.
    pub(super) fn small_range(statements: &Statements, range: &Scan) -> Option<Statement> {
        match parts(range).as_slice() {
            [part] => Some(statements.page(part, None, WHOLE_PAGE.try_into().unwrap_or(i64::MAX))),
            _ => None,
        }
    }

    /// The answer to [`SqlEngine::small_range`]; `None` when the range is not small.
    pub(super) fn decoded_range(range: &Scan, rows: Vec<Row>) -> Result<Option<Vec<(Decoded, Row)>>> {
        match parts(range).as_slice() {
            [part] if rows.len() < WHOLE_PAGE => {
                let rows = rows.into_iter().map(|row| decoded(part, row));
                rows.collect::<Result<_>>().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Every record of a range.
    pub(super) async fn whole(&self, range: &Scan) -> Result<Found> {
        let mut found = Found::new();
        for (row, _) in self.whole_rows(range).await? {
            match row {
                Ok((key, record)) => {
                    if let Some(record) = self.with_sums(&key, Some(record)) {
                        found.insert(key, Ok(record));
                    }
                }
                Err(damaged) => {
                    if let Some(key) = damaged.key {
                        found.insert(key, Err(damaged.error));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Rows of a range behind `after`: one round trip per part of it.
    async fn rows_behind(
        &self,
        range: &Scan,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Decoded, Row)>> {
        let mut rows = Vec::new();
        let mut position = after;
        for part in parts(range) {
            let start = position.and_then(|key| part.position(key));
            if position.is_some() && start.is_none() {
                // The position is in a later part.
                continue;
            }
            position = None;
            let wanted = i64::try_from(limit - rows.len()).unwrap_or(i64::MAX);
            let query = self.statements().page(&part, start, wanted);
            let answer = self
                .ask(query)
                .await
                .map_err(|error| error.context(format!("scanning {range:?}")))?;
            for row in answer {
                rows.push(decoded(&part, row)?);
            }
            if rows.len() >= limit {
                break;
            }
        }
        Ok(rows)
    }
}

fn decoded(part: &Part, row: Row) -> Result<(Decoded, Row)> {
    let decoded = decode(part.table, &row)?;
    let Row(mut cells) = row;
    let values = cells.split_off(part.table.key().len().min(cells.len()));
    let values = if part.table.values().is_empty() {
        vec![Value::Int(1)]
    } else {
        values
    };
    Ok((decoded, Row(values)))
}

fn key_of(row: &Decoded) -> Option<&Key> {
    match row {
        Ok((key, _)) => Some(key),
        Err(damaged) => damaged.key.as_ref(),
    }
}
