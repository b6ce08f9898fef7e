//! A database that holds the metadata of volumes: a private server, with an empty database for each volume.

use std::cell::Cell;
use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::engines::{mysql_server, postgres_server, redis_server};

/// Databases of a Redis server: one for each volume of a long run.
const REDIS_DATABASES: u32 = 4096;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A file; no server.
    Sqlite,
    /// Redis.
    Redis,
    /// MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
}

impl Kind {
    /// Those that are a server.
    pub const SERVERS: [Kind; 3] = [Kind::Redis, Kind::Mysql, Kind::Postgres];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Sqlite => "SQLite",
            Kind::Redis => "Redis",
            Kind::Mysql => "MariaDB",
            Kind::Postgres => "PostgreSQL",
        })
    }
}

/// When a server calls a change durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// On the disk before it is acknowledged: the defaults of MySQL and PostgreSQL, `appendfsync always` on Redis.
    Always,
    /// Within about a second: `appendfsync everysec`, `innodb_flush_log_at_trx_commit=2`, `synchronous_commit=off`.
    Second,
}

enum Server {
    None,
    Redis {
        server: redis_server::Server,
        /// Number of the next empty database.
        next: Cell<u32>,
    },
    Mysql(mysql_server::Server),
    Postgres(postgres_server::Server),
}

/// A running server, ended when this goes.
pub struct Database {
    server: Server,
    /// Where clients connect to.
    port: u16,
}

/// Where the metadata of one volume is.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The metadata URL, without a password.
    pub url: String,
    /// What clients have to be given in `META_PASSWORD`; empty where none is needed.
    pub password: &'static str,
}

impl Database {
    /// Starts it; `None` and a loud line where it is not installed.
    ///
    /// # Errors
    /// No port is free.
    ///
    /// # Panics
    /// The server is installed and does not start.
    pub fn start(kind: Kind, durability: Durability) -> Result<Option<Database>> {
        let always = durability == Durability::Always;
        let started = match kind {
            Kind::Sqlite => Some((Server::None, 0)),
            Kind::Redis => {
                let port = std::net::TcpListener::bind(("127.0.0.1", 0))?
                    .local_addr()?
                    .port();
                let (port_text, databases) = (port.to_string(), REDIS_DATABASES.to_string());
                let sync = if always { "always" } else { "everysec" };
                let arguments = [
                    "--port",
                    &port_text,
                    "--bind",
                    "127.0.0.1",
                    "--databases",
                    &databases,
                ];
                let arguments = [&arguments[..], &["--appendonly", "yes", "--appendfsync", sync]].concat();
                redis_server::Server::start(&arguments).map(|server| {
                    let next = Cell::new(0);
                    (Server::Redis { server, next }, port)
                })
            }
            Kind::Mysql => {
                let commit = if always { 1 } else { 2 };
                let commit = format!("--innodb-flush-log-at-trx-commit={commit}");
                mysql_server::Server::start(&[&commit]).map(|server| {
                    let port = server.port();
                    (Server::Mysql(server), port)
                })
            }
            Kind::Postgres => {
                let commit = if always {
                    "synchronous_commit=on"
                } else {
                    "synchronous_commit=off"
                };
                postgres_server::Server::start(&["-c", "fsync=on", "-c", commit]).map(|server| {
                    let port = server.port();
                    (Server::Postgres(server), port)
                })
            }
        };
        Ok(started.map(|(server, port)| Database { server, port }))
    }

    /// The port of the loopback interface that it listens on; `None` for a file.
    pub fn port(&self) -> Option<u16> {
        (!matches!(self.server, Server::None)).then_some(self.port)
    }

    /// Clients reach it through another port from now on.
    pub fn put_between(&mut self, port: u16) {
        self.port = port;
    }

    /// An empty database; `folder` is for those that are a file.
    pub fn fresh(&self, folder: &Path) -> Place {
        let port = self.port;
        let (url, password) = match &self.server {
            Server::None => (format!("sqlite3://{}", folder.join("meta.db").display()), ""),
            Server::Redis { next, .. } => {
                let number = next.get();
                next.set((number + 1) % REDIS_DATABASES);
                (format!("redis://127.0.0.1:{port}/{number}"), "")
            }
            Server::Mysql(server) => {
                let name = server.new_database();
                (
                    format!("mysql://tester@(127.0.0.1:{port})/{name}"),
                    mysql_server::PASSWORD,
                )
            }
            Server::Postgres(server) => {
                let name = server.new_database();
                let url = format!("postgres://tester@127.0.0.1:{port}/{name}?sslmode=disable");
                (url, postgres_server::PASSWORD)
            }
        };
        Place { url, password }
    }

    /// Ends the server as a crash of it would.
    ///
    /// # Errors
    /// It is a file.
    pub fn kill(&mut self) -> Result<()> {
        match &mut self.server {
            Server::None => bail!("a file has no server that could be killed"),
            Server::Redis { server, .. } => server.kill(),
            Server::Mysql(server) => server.kill(),
            Server::Postgres(server) => server.kill(),
        }
        Ok(())
    }

    /// Starts the server again after [`Database::kill`], on its port and with its files, and waits until it answers.
    ///
    /// # Errors
    /// It is a file.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) -> Result<()> {
        match &mut self.server {
            Server::None => bail!("a file has no server that could be started"),
            Server::Redis { server, .. } => server.start_again(),
            Server::Mysql(server) => server.start_again(),
            Server::Postgres(server) => server.start_again(),
        }
        Ok(())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
