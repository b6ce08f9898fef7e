//! What a database tells of its own tables.

use super::{Places, Statements};
use crate::relational::Cell;
use crate::sql::dialect::Dialect;
use crate::sql::statement::Statement;

impl Statements {
    /// Names of the tables, of the indexes, and of the columns of the node table.
    pub(crate) fn catalog(&self) -> [Statement; 3] {
        let node = format!("{}node", self.prefix);
        match self.dialect {
            Dialect::Postgres => {
                let schema = |places: &mut Places| match &self.schema {
                    Some(schema) => places.add(Cell::text(schema.as_bytes())),
                    None => "current_schema()".to_owned(),
                };
                let listed = |view: &str, column: &str| {
                    let mut places = Places::default();
                    let schema = schema(&mut places);
                    places.statement(format!(
                        "SELECT {column}::text FROM pg_catalog.{view} WHERE schemaname = {schema}"
                    ))
                };
                let mut places = Places::default();
                let (schema, node) = (schema(&mut places), places.add(Cell::text(node.as_bytes())));
                [
                    listed("pg_tables", "tablename"),
                    listed("pg_indexes", "indexname"),
                    places.statement(format!(
                        "SELECT a.attname::text FROM pg_catalog.pg_attribute AS a \
                         JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid \
                         JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace \
                         WHERE s.nspname = {schema} AND c.relname = {node} AND a.attnum > 0 AND NOT a.attisdropped"
                    )),
                ]
            }
            Dialect::MySql => {
                let listed = |view: &str, column: &str| {
                    Statement::plain(format!(
                        "SELECT {column} FROM information_schema.{view} WHERE table_schema = DATABASE()"
                    ))
                };
                let mut places = Places::default();
                let node = places.add(Cell::text(node.as_bytes()));
                [
                    listed("tables", "table_name"),
                    listed("statistics", "index_name"),
                    places.statement(format!(
                        "SELECT column_name FROM information_schema.columns \
                         WHERE table_schema = DATABASE() AND table_name = {node}"
                    )),
                ]
            }
        }
    }
}
