//! Values of columns on their way to and from a driver.

use std::borrow::Cow;

use moorage_model::{Error, ErrorKind, Result};

/// A value that a statement is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// A number; unsigned 64-bit ones as their signed bits.
    Int(i64),
    /// Text as bytes: names of extended attributes need not be UTF-8.
    Text(Cow<'a, [u8]>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// The bits of an unsigned number.
    pub(crate) fn bits(number: u64) -> Cell<'static> {
        Cell::Int(number.cast_signed())
    }
}

impl<'a> Cell<'a> {
    /// Borrowed text.
    pub(crate) fn text(bytes: &'a [u8]) -> Cell<'a> {
        Cell::Text(Cow::Borrowed(bytes))
    }

    /// Borrowed bytes.
    pub(crate) fn blob(bytes: &'a [u8]) -> Cell<'a> {
        Cell::Blob(Cow::Borrowed(bytes))
    }
}

/// A row as a driver answers it.
pub(crate) trait Cells {
    /// Whether the column is NULL.
    ///
    /// # Errors
    /// `Corrupt` when there is no such column.
    fn is_null(&self, column: usize) -> Result<bool>;

    /// A number; NULL is 0.
    ///
    /// # Errors
    /// `Corrupt` when the column holds something else.
    fn signed(&self, column: usize) -> Result<i64>;

    /// Text or bytes, whichever is stored; NULL is empty.
    ///
    /// # Errors
    /// `Corrupt` when the column holds something else.
    fn bytes(&self, column: usize) -> Result<&[u8]>;

    /// The bits of a number as an unsigned one; NULL is 0.
    ///
    /// # Errors
    /// `Corrupt` when the column holds something else.
    fn unsigned(&self, column: usize) -> Result<u64> {
        self.signed(column).map(i64::cast_unsigned)
    }
}

/// A row of numbers.
impl Cells for [i64] {
    fn is_null(&self, column: usize) -> Result<bool> {
        self.signed(column).map(|_| false)
    }

    fn signed(&self, column: usize) -> Result<i64> {
        let number = self.get(column).copied();
        number.ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("there is no column {column}")))
    }

    fn bytes(&self, column: usize) -> Result<&[u8]> {
        Err(Error::new(
            ErrorKind::Corrupt,
            format!("column {column} holds a number"),
        ))
    }
}
