//! The commit: one script that compares what was decided on and applies what was collected.

use std::collections::HashMap;

use redis::ScriptInvocation;

use super::cells::Cell;

/// Compares every cell, then runs the commands; answers 0, or the number of the first cell that has changed.
///
/// Arguments: number of cells; per cell kind, number of its key, member, `-` for absent or `+` and the value; then
/// per command its guard (`X`: only if the hash has the field, `A`: only if the key is absent, `V`: only if the
/// oldest line of a log has this version, else always), the guard's key and member, number of arguments, name, key,
/// arguments.
pub(super) const COMMIT: &str = r"
local a, p = ARGV, 2
for n = 1, tonumber(a[1]) do
  local kind, key, member, want = a[p], KEYS[tonumber(a[p + 1])], a[p + 2], a[p + 3]
  p = p + 4
  local got
  if kind == 'G' then got = redis.call('GET', key)
  elseif kind == 'H' then got = redis.call('HGET', key, member)
  elseif kind == 'Z' then got = redis.call('ZSCORE', key, member)
  elseif kind == 'N' then got = tostring(redis.call('HLEN', key))
  elseif kind == 'S' then got = redis.call('SISMEMBER', key, member) == 1 and '1'
  else
    got = table.concat(redis.call('LRANGE', key, 0, -1))
    if got == '' then got = false end
  end
  if (got and '+' .. got or '-') ~= want then return n end
end
while p <= #a do
  local guard, key, member, n = a[p], KEYS[tonumber(a[p + 1])], a[p + 2], tonumber(a[p + 3])
  local run = true
  if guard == 'X' then run = redis.call('HEXISTS', key, member) == 1
  elseif guard == 'A' then run = redis.call('EXISTS', key) == 0
  elseif guard == 'V' then
    local target = KEYS[tonumber(a[p + 5])]
    run = (tonumber(redis.call('GET', key) or 0) - redis.call('LLEN', target) + 1) == tonumber(member)
  end
  if run then redis.call(a[p + 4], KEYS[tonumber(a[p + 5])], unpack(a, p + 6, p + 5 + n)) end
  p = p + 6 + n
end
return 0
";

/// When a command runs.
#[derive(Clone, Debug)]
pub(super) enum Guard {
    Always,
    /// The hash has the field.
    HasField(Vec<u8>, Vec<u8>),
    /// The key is absent by now.
    Absent(Vec<u8>),
    /// The counter and the length of the log say that its oldest line has this version.
    OldestLine(Vec<u8>, u64),
}

/// A command of the commit; its first argument is the key.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) guard: Guard,
    pub(super) name: &'static str,
    pub(super) key: Vec<u8>,
    pub(super) arguments: Vec<Vec<u8>>,
}

impl Command {
    pub(super) fn new(name: &'static str, key: Vec<u8>, arguments: Vec<Vec<u8>>) -> Command {
        Command {
            guard: Guard::Always,
            name,
            key,
            arguments,
        }
    }

    pub(super) fn only_if(mut self, guard: Guard) -> Command {
        self.guard = guard;
        self
    }
}

/// Numbers of the keys that a commit names, in the order of their first use.
#[derive(Default)]
struct Keys {
    known: HashMap<Vec<u8>, usize>,
}

impl Keys {
    fn number(&mut self, key: &[u8], script: &mut ScriptInvocation<'_>) -> usize {
        if let Some(number) = self.known.get(key) {
            return *number;
        }
        let number = self.known.len() + 1;
        script.key(key);
        self.known.insert(key.to_vec(), number);
        number
    }
}

/// Puts keys and arguments of a commit into the call of [`COMMIT`].
pub(super) fn arguments<'c>(
    script: &mut ScriptInvocation<'_>,
    seen: impl ExactSizeIterator<Item = (&'c Cell, &'c Option<Vec<u8>>)>,
    commands: &[Command],
) {
    let mut keys = Keys::default();
    script.arg(seen.len());
    for (cell, value) in seen {
        let (kind, key, member) = cell.parts();
        let number = keys.number(key, script);
        script.arg(kind).arg(number).arg(member);
        match value {
            None => script.arg("-"),
            Some(value) => script.arg([b"+", value.as_slice()].concat()),
        };
    }
    for command in commands {
        let target = keys.number(&command.key, script);
        match &command.guard {
            Guard::Always => script.arg("").arg(target).arg(""),
            Guard::HasField(key, field) => {
                let number = keys.number(key, script);
                script.arg("X").arg(number).arg(field)
            }
            Guard::Absent(key) => {
                let number = keys.number(key, script);
                script.arg("A").arg(number).arg("")
            }
            Guard::OldestLine(counter, version) => {
                let number = keys.number(counter, script);
                script.arg("V").arg(number).arg(*version)
            }
        };
        script.arg(command.arguments.len()).arg(command.name).arg(target);
        for argument in &command.arguments {
            script.arg(argument);
        }
    }
}
