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

    /// One in a PostgreSQL server of its own.
    pub(crate) fn own_postgres(arguments: &[&str]) -> Option<Place> {
        let server = postgres_server::Server::start(arguments)?;
        Some(Place {
            database: server.new_database(),
            server: Server::Postgres(Arc::new(server)),
        })
    }

    /// One in a MariaDB server of its own.
    pub(crate) fn own_mysql(arguments: &[&str]) -> Option<Place> {
        let server = mysql_server::Server::start(arguments)?;
        Some(Place {
            database: server.new_database(),
            server: Server::MySql(Arc::new(server)),
        })
    }

    /// Ends the server, which is its own, in order.
    pub(crate) fn stop(&mut self) {
        match &mut self.server {
            Server::Postgres(server) => Arc::get_mut(server).unwrap().stop(),
            Server::MySql(server) => Arc::get_mut(server).unwrap().stop(),
        }
    }

    /// Ends the server, which is its own, as a crash would.
    pub(crate) fn kill(&mut self) {
        match &mut self.server {
            Server::Postgres(server) => Arc::get_mut(server).unwrap().kill(),
            Server::MySql(server) => Arc::get_mut(server).unwrap().kill(),
        }
    }

    /// Starts the server again after it ended.
    pub(crate) fn start_again(&mut self) {
        match &mut self.server {
            Server::Postgres(server) => Arc::get_mut(server).unwrap().start_again(),
            Server::MySql(server) => Arc::get_mut(server).unwrap().start_again(),
        }
    }

    pub(crate) fn pause(&self) {
        match &self.server {
            Server::Postgres(server) => server.pause(),
            Server::MySql(server) => server.pause(),
        }
    }

    pub(crate) fn resume(&self) {
        match &self.server {
            Server::Postgres(server) => server.resume(),
            Server::MySql(server) => server.resume(),
        }
    }

    /// Ends every connection of a client of a volume.
    pub(crate) fn break_connections(&self) {
        match &self.server {
            Server::Postgres(server) => server.break_connections(),
            Server::MySql(server) => server.break_connections(),
        }
    }

    /// Connections of clients of a volume.
    pub(crate) fn connections(&self) -> Option<u64> {
        match &self.server {
            Server::Postgres(server) => server.connections(),
            Server::MySql(server) => server.connections(),
        }
    }

    /// Has the server do something.
    pub(crate) fn tell(&self, sql: &str) {
        let answer = match &self.server {
            Server::Postgres(server) => server.ask(&self.database, sql),
            Server::MySql(server) => server.ask(&self.database, sql),
        };
        assert!(answer.is_some(), "{sql}");
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
