//! An entry and the node it points to, in one round trip.

use moorage_meta::Key;
use moorage_model::{Entry, Ino, Name, Result};
use redis::{Cmd, Value};

use super::cells::{Cell, unexpected};
use super::reader::Reader;

/// Entry, raw attributes and number of entries of a child. Lua counts exactly up to 2^53 only, and the inodes of the
/// trash are above, so their digits are made of two halves.
pub(super) const CHILD: &str = r"
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry or #entry ~= 9 then return {entry} end
local high, low = 0, 0
for at = 2, 9 do
  low = low * 256 + string.byte(entry, at)
  local carry = math.floor(low / 10000000000)
  low = low - carry * 10000000000
  high = high * 256 + carry
end
local ino = high > 0 and string.format('%.0f%010.0f', high, low) or string.format('%.0f', low)
local length = 0
if string.byte(entry, 1) == 2 then length = redis.call('HLEN', ARGV[2] .. 'd' .. ino) end
return {entry, redis.call('GET', ARGV[2] .. 'i' .. ino), length}
";

/// An entry with the raw attributes of its node.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) entry: Entry,
    /// As stored; `None` where the node is missing.
    pub(super) node: Option<Vec<u8>>,
    /// Number of entries, for a directory.
    pub(super) length: u64,
}

impl Reader {
    /// The commands that begin to read this child: all of it, or its entry alone where scripts are not allowed.
    pub(super) fn child_command(&self, parent: Ino, name: &Name) -> Cmd {
        let directory = self.layout.directory(parent);
        self.connection
            .child_call(&directory, name.as_bytes(), &self.layout.prefix)
            .unwrap_or_else(|| Cell::Field(directory, name.as_bytes().to_vec()).read())
    }

    /// Children from the answers to their commands. One round trip more where scripts are not allowed.
    pub(super) async fn children(
        &self,
        wanted: &[(Ino, &Name)],
        answers: impl Iterator<Item = Value>,
    ) -> Result<Vec<Option<Child>>> {
        let mut children = Vec::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for ((parent, name), answer) in wanted.iter().zip(answers) {
            let mut parts = match answer {
                Value::Array(parts) => parts.into_iter(),
                entry => vec![entry].into_iter(),
            };
            let entry = match parts.next() {
                None | Some(Value::Nil) => {
                    children.push(None);
                    continue;
                }
                Some(Value::BulkString(bytes)) => Entry::decode(&bytes)
                    .map_err(|error| error.context(Key::Edge(*parent, Name::clone(name))))?,
                Some(other) => return Err(unexpected(&other)),
            };
            let (node, length) = match (parts.next(), parts.next()) {
                (Some(Value::BulkString(bytes)), Some(Value::Int(length))) => (Some(bytes), length),
                (Some(Value::Nil), Some(Value::Int(length))) => (None, length),
                (None, _) => {
                    missing.push((children.len(), entry.ino));
                    (None, 0)
                }
                (Some(other), _) => return Err(unexpected(&other)),
            };
            children.push(Some(Child {
                entry,
                node,
                length: length.cast_unsigned(),
            }));
        }
        self.add_nodes(&mut children, &missing).await?;
        Ok(children)
    }

    /// Reads the nodes of children whose entries came alone.
    async fn add_nodes(&self, children: &mut [Option<Child>], missing: &[(usize, Ino)]) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let commands = missing.iter().flat_map(|(_, ino)| {
            [
                Cell::Text(self.layout.node(*ino)).read(),
                Cell::Fields(self.layout.directory(*ino)).read(),
            ]
        });
        let mut answers = self.connection.ask_all(commands.collect()).await?.into_iter();
        for (place, ino) in missing {
            let (node, length) = (answers.next(), answers.next());
            let Some(Some(child)) = children.get_mut(*place) else {
                continue;
            };
            child.node = Cell::Text(self.layout.node(*ino)).value(node.unwrap_or(Value::Nil))?;
            if let Some(Value::Int(length)) = length {
                child.length = length.cast_unsigned();
            }
        }
        Ok(())
    }

    /// Remembers a child, or that there is none.
    pub(super) fn note_child(&self, parent: Ino, name: &Name, child: Option<&Child>) {
        let edge = Cell::Field(self.layout.directory(parent), name.as_bytes().to_vec());
        let Some(child) = child else {
            return self.memory.note(edge, None);
        };
        self.memory.note(edge, Some(&child.entry.encode()));
        let node = Cell::Text(self.layout.node(child.entry.ino));
        self.memory.note(node, child.node.as_deref());
    }

    /// One child.
    pub(super) async fn child(&self, parent: Ino, name: &Name) -> Result<Option<Child>> {
        let answer = self.connection.ask(self.child_command(parent, name)).await?;
        let found = self.children(&[(parent, name)], std::iter::once(answer)).await?;
        Ok(found.into_iter().next().flatten())
    }
}
