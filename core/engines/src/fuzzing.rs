//! The decoders of what databases hold, for their fuzz targets alone: nothing else builds with `--cfg fuzzing`.

use moorage_model::{Error, ErrorKind, Result};

pub use crate::redis::fuzzing::{decode_name as decode_redis_name, decode_values as decode_redis_values};
use crate::relational::{Cells, Table, decode};

/// A value as a driver may answer it, whatever the column should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// NULL.
    Null,
    /// A number.
    Number(i64),
    /// Text or bytes.
    Bytes(Vec<u8>),
}

struct Row<'a>(&'a [Column]);

impl Row<'_> {
    fn column(&self, column: usize) -> Result<&Column> {
        self.0
            .get(column)
            .ok_or_else(|| corrupt("there is no such column"))
    }
}

fn corrupt(why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, why)
}

impl Cells for Row<'_> {
    fn is_null(&self, column: usize) -> Result<bool> {
        self.column(column).map(|column| *column == Column::Null)
    }

    fn signed(&self, column: usize) -> Result<i64> {
        match self.column(column)? {
            Column::Null => Ok(0),
            Column::Number(number) => Ok(*number),
            Column::Bytes(_) => Err(corrupt("bytes instead of a number")),
        }
    }

    fn bytes(&self, column: usize) -> Result<&[u8]> {
        match self.column(column)? {
            Column::Null => Ok(&[]),
            Column::Number(_) => Err(corrupt("a number instead of bytes")),
            Column::Bytes(bytes) => Ok(bytes),
        }
    }
}

/// Decodes a row of the table with this number; `None` when there is none.
///
/// # Errors
/// Nothing that a row holds may be one: what does not decode is a damaged record, behind which a scan goes on.
pub fn decode_row(table: usize, columns: &[Column]) -> Option<Result<()>> {
    // Counters are read by name, never as a range.
    let mut ranges = Table::ALL.into_iter().filter(|table| *table != Table::Counter);
    ranges
        .nth(table)
        .map(|table| decode(table, &Row(columns)).map(drop))
}
