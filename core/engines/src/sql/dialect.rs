//! What PostgreSQL and MySQL write differently.

/// A family of SQL servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// PostgreSQL and what speaks its protocol.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Dialect {
    /// An identifier.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            Dialect::Postgres => format!("\"{name}\""),
            Dialect::MySql => format!("`{name}`"),
        }
    }

    /// Identifiers between commas.
    pub(crate) fn list(self, names: &[&str]) -> String {
        let quoted: Vec<String> = names.iter().map(|name| self.quoted(name)).collect();
        quoted.join(", ")
    }

    /// Ends a query whose rows nobody else may change before the commit.
    pub(crate) fn shared_lock(self) -> &'static str {
        match self {
            Dialect::Postgres => "FOR SHARE",
            // FOR SHARE is not known to MariaDB.
            Dialect::MySql => "LOCK IN SHARE MODE",
        }
    }

    /// Ends an insertion that changes the row instead when one with these unique columns exists.
    pub(crate) fn on_duplicate(self, unique: &[&str], changes: &str) -> String {
        match self {
            Dialect::Postgres => format!("ON CONFLICT ({}) DO UPDATE SET {changes}", self.list(unique)),
            Dialect::MySql => format!("ON DUPLICATE KEY UPDATE {changes}"),
        }
    }

    /// In such a change: the value that was to be inserted.
    pub(crate) fn incoming(self, column: &str) -> String {
        match self {
            Dialect::Postgres => format!("excluded.{}", self.quoted(column)),
            Dialect::MySql => format!("VALUES({})", self.quoted(column)),
        }
    }

    /// In such a change: the value that is there.
    pub(crate) fn present(self, table: &str, column: &str) -> String {
        match self {
            Dialect::Postgres => format!("{table}.{}", self.quoted(column)),
            Dialect::MySql => self.quoted(column),
        }
    }

    /// Two byte strings as one.
    pub(crate) fn concatenated(self, one: &str, other: &str) -> String {
        match self {
            Dialect::Postgres => format!("{one} || {other}"),
            Dialect::MySql => format!("CONCAT({one}, {other})"),
        }
    }

    /// A query that fails unless `rows` answers with `count` rows, and so ends the transaction. The failure is a
    /// division by zero, respectively a subquery with two rows: neither arises in any other statement of ours.
    pub(crate) fn require(self, rows: &str, count: &str) -> String {
        match self {
            Dialect::Postgres => {
                format!("SELECT 1 / CASE WHEN count(*) = {count} THEN 1 ELSE 0 END FROM ({rows}) AS held")
            }
            Dialect::MySql => format!(
                "SELECT CASE WHEN count(*) = {count} THEN 1 ELSE (SELECT 1 UNION ALL SELECT 2) END FROM ({rows}) AS held"
            ),
        }
    }

    /// The condition that a row comes behind a position, in the order of these columns.
    pub(crate) fn behind(self, columns: &[&str], places: &[String]) -> String {
        match self {
            Dialect::Postgres => format!("({}) > ({})", self.list(columns), places.join(", ")),
            // It would not use the index for a comparison of rows.
            Dialect::MySql => {
                let steps: Vec<String> = (0..columns.len())
                    .filter_map(|at| {
                        let equal = columns.iter().zip(places).take(at);
                        let mut terms: Vec<String> = equal
                            .map(|(column, place)| format!("{} = {place}", self.quoted(column)))
                            .collect();
                        let (column, place) = (columns.get(at)?, places.get(at)?);
                        terms.push(format!("{} > {place}", self.quoted(column)));
                        Some(format!("({})", terms.join(" AND ")))
                    })
                    .collect();
                format!("({})", steps.join(" OR "))
            }
        }
    }
}
