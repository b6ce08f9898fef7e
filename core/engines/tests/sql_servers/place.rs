//! An empty database in one of the servers.

use std::sync::Arc;

use crate::{mysql_server, postgres_server};

enum Server {
    Postgres(Arc<postgres_server::Server>),
    MySql(Arc<mysql_server::Server>),
}

/// The database.
pub(crate) struct Place {
    server: Server,
    database: String,
}

impl Place {
    /// One in PostgreSQL; `None` where it is not installed.
    pub(crate) fn postgres() -> Option<Place> {
        let server = postgres_server::Server::shared()?;
        Some(Place {
            database: server.new_database(),
            server: Server::Postgres(server),
        })
    }

    /// One in MariaDB; `None` where it is not installed.
    pub(crate) fn mysql() -> Option<Place> {
        let server = mysql_server::Server::shared()?;
        Some(Place {
            database: server.new_database(),
            server: Server::MySql(server),
        })
    }

    pub(crate) fn url(&self) -> String {
        match &self.server {
            Server::Postgres(server) => server.url(&self.database),
            Server::MySql(server) => server.url(&self.database),
        }
    }

    /// The URL through another port of the loopback interface.
    pub(crate) fn url_through(&self, port: u16) -> String {
        match &self.server {
            Server::Postgres(server) => server.url_through(port, &self.database),
            Server::MySql(server) => server.url_through(port, &self.database),
        }
    }

    /// The server's port on the loopback interface.
    pub(crate) fn port(&self) -> u16 {
        match &self.server {
            Server::Postgres(server) => server.port(),
            Server::MySql(server) => server.port(),
        }
    }

    /// The number that a query answers with.
    pub(crate) fn count(&self, sql: &str) -> u64 {
        let answer = match &self.server {
            Server::Postgres(server) => server.ask(&self.database, sql),
            Server::MySql(server) => server.ask(&self.database, sql),
        };
        answer.unwrap().parse().unwrap()
    }
}
