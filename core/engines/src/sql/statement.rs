//! A statement with its parameters, and the rows that answer it.

use std::borrow::Cow;

use moorage_model::{Error, ErrorKind, Result};

use crate::relational::{Cell, Cells};

/// A statement with places `$1`, `$2` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its text; holds no value of a user.
    pub(crate) text: String,
    /// The values of its places.
    pub(crate) cells: Vec<Cell<'static>>,
}

impl Statement {
    /// One without parameters.
    pub(crate) fn plain(text: impl Into<String>) -> Statement {
        Statement {
            text: text.into(),
            cells: Vec::new(),
        }
    }
}

/// Gives a value a life of its own.
pub(crate) fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Int(number) => Cell::Int(number),
        Cell::Text(bytes) => Cell::Text(Cow::Owned(bytes.into_owned())),
        Cell::Blob(bytes) => Cell::Blob(Cow::Owned(bytes.into_owned())),
    }
}

/// The value of a column as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// NULL.
    Null,
    /// A number.
    Int(i64),
    /// Text or bytes.
    Bytes(Vec<u8>),
}

/// The answer of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    fn value(&self, column: usize) -> Result<&Value> {
        self.0.get(column).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                format!("the server answered no column {column}"),
            )
        })
    }
}

impl Cells for Row {
    fn is_null(&self, column: usize) -> Result<bool> {
        Ok(*self.value(column)? == Value::Null)
    }

    fn signed(&self, column: usize) -> Result<i64> {
        match self.value(column)? {
            Value::Int(number) => Ok(*number),
            Value::Null => Ok(0),
            Value::Bytes(_) => Err(unexpected(column, "bytes, not a number")),
        }
    }

    fn bytes(&self, column: usize) -> Result<&[u8]> {
        match self.value(column)? {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Null => Ok(&[]),
            Value::Int(_) => Err(unexpected(column, "a number, not bytes")),
        }
    }
}

fn unexpected(column: usize, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("column {column} holds {what}"))
}
