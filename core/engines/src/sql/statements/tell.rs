//! Telling other clients which nodes a transaction changes, where the server carries messages (PostgreSQL).
//!
//! A message costs: the server lets transactions that send one commit one after the other, in all databases. So none is
//! sent while nobody listens, and every transaction finds that out by two advisory locks of the volume, which are no
//! part of the format and end with their connections:
//!
//! - who listens holds [`LISTENING`] shared, and before it relies on being told, takes [`WRITING`] alone for a moment;
//! - who writes holds `WRITING` shared until it has committed, and then tries `LISTENING` alone: who fails, sends.
//!
//! So a transaction that found nobody has ended before somebody relies on being told. Two that try at the same moment
//! may each take the other for a listener, and send a message that nobody hears.

use std::collections::BTreeSet;

use moorage_model::Ino;

use super::{Places, Statements};
use crate::collected::{Change, Collected};
use crate::relational::Cell;
use crate::sql::dialect::Dialect;
use crate::sql::statement::Statement;
use crate::write::Write;

/// In front of the number of the volume's setting table: the lock of those who listen ("moor").
const LISTENING: i64 = 0x6d6f_6f72 << 32;
/// The same for the lock of those who write ("moos").
const WRITING: i64 = 0x6d6f_6f73 << 32;
/// Nodes that one message names at most: a message has to stay below 8000 bytes, and a number takes 17.
const MAX_NAMED: usize = 400;
/// Stands for all nodes.
const EVERYTHING: &str = "*";

/// A message as it was heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// This client sent it.
    Own,
    /// Another client changed these nodes.
    Nodes(Vec<Ino>),
    /// Another client changed more than it could name, or says something that this one does not understand.
    Everything,
}

/// What a connection needs to hear of changes.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    /// Answers with the number of the volume.
    pub(crate) volume: String,
    origin: String,
}

impl Listening {
    /// The channel of a volume.
    pub(crate) fn channel(volume: i64) -> String {
        format!("moorage_{volume}")
    }

    /// Statements that let this connection hear, in their order; the last ones wait for transactions under way.
    pub(crate) fn begin(volume: i64) -> [String; 4] {
        [
            format!("LISTEN {}", Listening::channel(volume)),
            format!("SELECT pg_advisory_lock_shared({})", LISTENING + volume),
            format!("SELECT pg_advisory_lock({})", WRITING + volume),
            format!("SELECT pg_advisory_unlock({})", WRITING + volume),
        ]
    }

    /// A message of this client to itself, which names nothing that changed.
    pub(crate) fn test(&self, volume: i64) -> String {
        format!(
            "SELECT pg_notify('{}', '{}')",
            Listening::channel(volume),
            self.test_message()
        )
    }

    fn test_message(&self) -> String {
        format!("{} ", self.origin)
    }

    /// What a message says.
    pub(crate) fn heard(&self, message: &str) -> Heard {
        let Some((origin, nodes)) = message.split_once(' ') else {
            return Heard::Everything;
        };
        if origin == self.origin {
            return Heard::Own;
        }
        if nodes.is_empty() {
            // Another one makes sure that it hears.
            return Heard::Nodes(Vec::new());
        }
        let numbers = nodes.split(',').map(|number| u64::from_str_radix(number, 16));
        match numbers.map(|number| number.map(Ino)).collect() {
            Ok(nodes) => Heard::Nodes(nodes),
            Err(_) => Heard::Everything,
        }
    }
}

impl Statements {
    /// Tells those who listen which nodes a transaction changes; `None` where it changes none that others can know, or
    /// the server carries no messages. To be sent last.
    pub(crate) fn tell(&self, collected: &Collected) -> Option<Statement> {
        if self.dialect != Dialect::Postgres {
            return None;
        }
        let changed: BTreeSet<Ino> = collected.changes.iter().filter_map(changed_node).collect();
        if changed.is_empty() {
            return None;
        }
        let nodes: Vec<String> = changed.iter().map(|ino| format!("{:x}", ino.0)).collect();
        let nodes = match nodes.len() {
            ..=MAX_NAMED => nodes.join(","),
            _ => EVERYTHING.to_owned(),
        };
        let mut places = Places::default();
        let message = places.add(Cell::text(format!("{} {nodes}", self.origin).as_bytes()));
        let volume = self.volume();
        Some(places.statement(format!(
            "SELECT CASE WHEN pg_advisory_xact_lock_shared({WRITING} + {volume})::text IS NULL THEN NULL \
             WHEN pg_try_advisory_lock({LISTENING} + {volume}) \
             THEN pg_advisory_unlock({LISTENING} + {volume})::text \
             ELSE pg_notify('moorage_' || {volume}, {message})::text END"
        )))
    }

    /// What it takes to hear; `None` where the server carries no messages.
    pub(crate) fn listening(&self) -> Option<Listening> {
        (self.dialect == Dialect::Postgres).then(|| Listening {
            volume: format!("SELECT {}", self.volume()),
            origin: self.origin.clone(),
        })
    }

    /// A number for the volume that all its clients find: that of its setting table in the database.
    fn volume(&self) -> String {
        let table = self.named("setting").replace('\'', "''");
        format!("'{table}'::regclass::oid::bigint")
    }
}

/// The node that a change concerns; one that is new is known to nobody.
fn changed_node(change: &Change) -> Option<Ino> {
    match change {
        Change::Record(
            Write::Put(moorage_meta::Key::Node(ino), _) | Write::Delete(moorage_meta::Key::Node(ino)),
        ) => Some(*ino),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use moorage_meta::{Key, Record};
    use moorage_model::{Attr, Gid, NodeType, Timestamp, Uid};

    use super::*;

    fn node(ino: u64) -> (Key, Record) {
        let attr = Attr::new(
            NodeType::File,
            0o600,
            Uid(0),
            Gid(0),
            Timestamp::new(1, 0),
            Ino::ROOT,
        );
        (Key::Node(Ino(ino)), Record::Node(attr))
    }

    fn told(statements: &Statements, writes: Vec<Write>) -> Option<String> {
        let mut collected = Collected::default();
        for write in writes {
            collected.push(write);
        }
        let statement = statements.tell(&collected)?;
        let Some(Cell::Text(message)) = statement.cells.first() else {
            panic!("a message is a text")
        };
        Some(String::from_utf8(message.to_vec()).unwrap())
    }

    fn put(ino: u64) -> Write {
        let (key, record) = node(ino);
        Write::Put(key, record)
    }

    fn postgres() -> Statements {
        Statements::new(Dialect::Postgres, Some("it's".to_owned()), "jfs_".to_owned())
    }

    #[test]
    fn a_message_names_what_others_may_know_and_its_sender_knows_it_again() {
        let (one, other) = (postgres(), postgres());
        let (key, record) = node(9);
        let writes = vec![
            put(0x20),
            put(3),
            Write::Delete(Key::Node(Ino(17))),
            Write::Insert(key, record),
            put(3),
        ];
        let message = told(&one, writes).unwrap();
        let heard = other.listening().unwrap().heard(&message);
        assert_eq!(heard, Heard::Nodes(vec![Ino(3), Ino(17), Ino(32)]));
        assert_eq!(one.listening().unwrap().heard(&message), Heard::Own);
    }

    #[test]
    fn a_client_that_begins_to_listen_tells_the_others_of_no_change() {
        let (one, other) = (postgres().listening().unwrap(), postgres().listening().unwrap());
        let message = one.test_message();
        assert_eq!(one.heard(&message), Heard::Own);
        assert_eq!(other.heard(&message), Heard::Nodes(Vec::new()));
    }

    #[test]
    fn a_transaction_on_many_nodes_fits_into_one_message() {
        let (one, other) = (postgres(), postgres());
        let listening = other.listening().unwrap();
        let most = told(&one, (0..MAX_NAMED as u64).map(|n| put(u64::MAX - n)).collect()).unwrap();
        assert!(most.len() < 8000, "{}", most.len());
        assert!(matches!(listening.heard(&most), Heard::Nodes(nodes) if nodes.len() == MAX_NAMED));
        let more = told(&one, (0..=MAX_NAMED as u64).map(put).collect()).unwrap();
        assert_eq!(listening.heard(&more), Heard::Everything);
    }

    #[test]
    fn nothing_is_told_of_other_records_nor_on_servers_without_messages() {
        let writes = || {
            vec![Write::Delete(Key::Edge(
                Ino(1),
                moorage_model::Name::new(b"a").unwrap(),
            ))]
        };
        assert_eq!(told(&postgres(), writes()), None);
        let mysql = Statements::new(Dialect::MySql, None, "jfs_".to_owned());
        assert_eq!(told(&mysql, vec![put(3)]), None);
        assert!(mysql.listening().is_none());
    }
}
