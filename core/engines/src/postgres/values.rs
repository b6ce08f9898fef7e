//! Values of columns in PostgreSQL's binary form.

use std::error::Error as StdError;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::relational::Cell;
use crate::sql::{Row, Value};

type Failure = Box<dyn StdError + Sync + Send>;

/// A number that a column of 32 bits can not hold.
#[derive(Debug, thiserror::Error)]
#[error("{0} does not fit into a column of 32 bits")]
pub(super) struct TooLarge(pub(super) i64);

/// A parameter; takes the type that the server expects.
#[derive(Debug)]
pub(super) struct Parameter<'c>(pub(super) &'c Cell<'static>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self.0 {
            Cell::Int(number) if *kind == Type::INT8 => out.put_i64(*number),
            Cell::Int(number) if *kind == Type::INT4 => {
                out.put_i32(i32::try_from(*number).map_err(|_| TooLarge(*number))?);
            }
            Cell::Int(number) => return Err(format!("number {number} for a place of type {kind}").into()),
            Cell::Text(bytes) | Cell::Blob(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

struct Raw(Value);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Raw, Failure> {
        Ok(Raw(match *kind {
            Type::INT8 => Value::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Value::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Value::Int(i16::from_be_bytes(raw.try_into()?).into()),
            _ => Value::Bytes(raw.to_vec()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Raw, Failure> {
        Ok(Raw(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row as it was answered.
pub(super) fn row(answer: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    (0..answer.len())
        .map(|column| answer.try_get(column).map(|Raw(value)| value))
        .collect::<Result<_, _>>()
        .map(Row)
}
