//! Makes the tables of a volume, and what an older release did not make of them.

use moorage_model::{Error, ErrorKind, Result};

use super::SqlEngine;
use super::statement::{Statement, Value};
use super::tables::{ADDED_NODE_COLUMNS, Index, TABLES};
use crate::relational::Table;

/// Tries to make tables that another client makes at the same time.
const MAX_TRIES: u32 = 10;

/// A database's own account of the tables of a volume.
#[derive(Debug, Default)]
struct Catalog {
    tables: Vec<String>,
    indexes: Vec<String>,
    node_columns: Vec<String>,
}

impl Catalog {
    fn lacks(names: &[String], name: &str) -> bool {
        !names.iter().any(|found| found.eq_ignore_ascii_case(name))
    }
}

impl SqlEngine {
    /// Makes missing tables, columns and indexes.
    pub(super) async fn make_tables(&self) -> Result<()> {
        let mut tries = 0;
        loop {
            let missing = self.missing().await?;
            if missing.is_empty() {
                self.statements().set_missing(Vec::new());
                return Ok(());
            }
            let made = self.shared.driver.run(&missing).await;
            tries += 1;
            match made {
                // Another client made some of them meanwhile: look again.
                Err(failure) if tries >= MAX_TRIES => {
                    return Err(failure.error.context("preparing the tables"));
                }
                Err(failure) if failure.error.kind() != ErrorKind::Conflict && tries > 1 => {
                    return Err(failure.error.context("preparing the tables"));
                }
                _ => {}
            }
        }
    }

    /// Names of the tables that every volume has and this database lacks.
    pub(super) async fn missing_tables(&self) -> Result<Vec<String>> {
        let present = self.catalog().await?.tables;
        let prefix = &self.statements().prefix;
        let expected = Table::INDISPENSABLE.map(|table| format!("{prefix}{}", table.name()));
        Ok(expected
            .into_iter()
            .filter(|table| Catalog::lacks(&present, table))
            .collect())
    }

    /// Whether no table of the volume has a row.
    pub(super) async fn has_no_rows(&self) -> Result<bool> {
        let queries: Vec<Statement> = TABLES
            .iter()
            .map(|layout| {
                Statement::plain(format!(
                    "SELECT 1 FROM {} LIMIT 1",
                    self.statements().named(layout.table)
                ))
            })
            .collect();
        let answers = self.shared.driver.query(&queries).await;
        let answers = answers.map_err(|failure| failure.error.context("looking for a volume"))?;
        Ok(answers.iter().all(Vec::is_empty))
    }

    /// Removes the tables of the volume.
    pub(super) async fn drop_tables(&self) -> Result<()> {
        let drops: Vec<Statement> = TABLES
            .iter()
            .map(|layout| {
                Statement::plain(format!(
                    "DROP TABLE IF EXISTS {}",
                    self.statements().named(layout.table)
                ))
            })
            .collect();
        let dropped = self.shared.driver.run(&drops).await;
        dropped
            .map(drop)
            .map_err(|failure| failure.error.context("removing the volume"))
    }

    /// Learns which node columns the database lacks.
    pub(super) async fn learn_columns(&self) -> Result<()> {
        let present = self.catalog().await?.node_columns;
        let missing = ADDED_NODE_COLUMNS
            .iter()
            .filter(|column| Catalog::lacks(&present, column))
            .map(|column| (*column).to_owned());
        self.statements().set_missing(missing.collect());
        Ok(())
    }

    /// Statements that make what the database lacks.
    async fn missing(&self) -> Result<Vec<Statement>> {
        let statements = self.statements();
        let dialect = statements.dialect;
        let catalog = self.catalog().await?;
        let mut missing = Vec::new();
        for layout in TABLES {
            let table = format!("{}{}", statements.prefix, layout.table);
            if Catalog::lacks(&catalog.tables, &table) {
                missing.push(layout.creation(statements));
            }
            for Index(unique, name, columns) in layout.indexes {
                let kind = if *unique { "UQE" } else { "IDX" };
                let index = format!("{kind}_{table}_{name}");
                if Catalog::lacks(&catalog.indexes, &index) {
                    let unique = if *unique { "UNIQUE " } else { "" };
                    missing.push(format!(
                        "CREATE {unique}INDEX {} ON {} ({})",
                        dialect.quoted(&index),
                        statements.named(layout.table),
                        dialect.list(columns)
                    ));
                }
            }
        }
        let node = TABLES.iter().filter(|layout| layout.table == "node");
        if !catalog.node_columns.is_empty() {
            let added = node.flat_map(|layout| layout.columns).filter(|column| {
                ADDED_NODE_COLUMNS.contains(&column.0) && Catalog::lacks(&catalog.node_columns, column.0)
            });
            missing.extend(added.map(|column| {
                format!(
                    "ALTER TABLE {} ADD COLUMN {}",
                    statements.named("node"),
                    column.definition(dialect)
                )
            }));
        }
        Ok(missing.into_iter().map(Statement::plain).collect())
    }

    async fn catalog(&self) -> Result<Catalog> {
        let answers = self.shared.driver.query(&self.statements().catalog()).await;
        let answers = answers.map_err(|failure| failure.error.context("listing the tables"))?;
        let mut names = answers.into_iter().map(|rows| {
            let firsts = rows.into_iter().filter_map(|row| row.0.into_iter().next());
            firsts
                .filter_map(|value| match value {
                    Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
                    _ => None,
                })
                .collect::<Vec<String>>()
        });
        match (names.next(), names.next(), names.next()) {
            (Some(tables), Some(indexes), Some(node_columns)) => Ok(Catalog {
                tables,
                indexes,
                node_columns,
            }),
            _ => Err(Error::new(ErrorKind::Io, "the server did not list its tables")),
        }
    }
}
