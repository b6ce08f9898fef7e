//! The commit: what was decided on is compared, then what was collected is applied, as one.

use std::collections::HashMap;

use redis::{Cmd, Script, Value};

use super::cells::Cell;
use super::token::Token;

/// Seconds for which a server remembers the last commit of a client: longer than one that was sent can be on its way.
pub(super) const TOKEN_SECONDS: u64 = 3600;

/// Compares every cell, makes sure that no command can fail, then runs the commands.
///
/// Keys: first the token of the commit. Arguments: number of this commit, 0 for a comparison alone; whether it was
/// sent before; seconds that its token lives; number of cells; per cell kind, number of its key, member, `-` for absent
/// or `+` and the value; then per command its guard (`X`: only if the hash has the field, `A`: only if the key is
/// absent, `V`: only if the oldest line of a log has this version, else always), the guard's key and member, number of
/// arguments, name, key, arguments.
///
/// Answers 0 when it is or was applied, n when the n-th cell has changed, -1 when it is too late for this commit, the
/// text of n when the n-th cell is of another type, -1-n when the n-th command does not fit what is stored. Whatever it answers, a second copy of the same commit that
/// arrives later changes nothing.
pub(super) const COMMIT: &str = r"
local a, p = ARGV, 5
local number, sent_before, seconds = tonumber(a[1]), a[2] == '1', a[3]
if number > 0 then
  local last = tonumber(redis.call('GET', KEYS[1]) or 0)
  if last == number then return 0 end
  if last > number then return -1 end
end
local function refuse(answer)
  if sent_before then redis.call('SET', KEYS[1], number + 1, 'EX', seconds) end
  return answer
end
for n = 1, tonumber(a[4]) do
  local kind, key, member, want = a[p], KEYS[tonumber(a[p + 1])], a[p + 2], a[p + 3]
  p = p + 4
  local got
  if kind == 'G' then got = redis.pcall('GET', key)
  elseif kind == 'H' then got = redis.pcall('HGET', key, member)
  elseif kind == 'Z' then got = redis.pcall('ZSCORE', key, member)
  elseif kind == 'N' then got = redis.pcall('HLEN', key)
  elseif kind == 'S' then got = redis.pcall('SISMEMBER', key, member)
  else got = redis.pcall('LRANGE', key, 0, -1) end
  if type(got) == 'table' and got.err then return refuse(tostring(n)) end
  if kind == 'N' then got = tostring(got)
  elseif kind == 'S' then got = got == 1 and '1'
  elseif kind == 'L' then
    got = table.concat(got)
    if got == '' then got = false end
  end
  if (got and '+' .. got or '-') ~= want then return refuse(n) end
end
if number == 0 then return 0 end
local kinds = {HSET = 'hash', HSETNX = 'hash', HDEL = 'hash', HINCRBY = 'hash', RPUSH = 'list', LPOP = 'list',
  ZADD = 'zset', ZREM = 'zset', SADD = 'set', SREM = 'set', INCR = 'string', INCRBY = 'string'}
local types, replaced, sums = {}, {}, {}
local function is_a(key, kind)
  if not types[key] then types[key] = redis.call('TYPE', key).ok end
  return types[key] == 'none' or types[key] == kind
end
local function is_whole(text) return text == '0' or string.match(text, '^%-?[1-9]%d*$') end
local function adds(id, stored, delta)
  if not sums[id] and stored and not is_whole(stored) then return false end
  sums[id] = (sums[id] or tonumber(stored or 0)) + tonumber(delta)
  return sums[id] < 9.2e18 and sums[id] > -9.2e18
end
local function fits(at)
  local guard, other, name, key = a[at], KEYS[tonumber(a[at + 1])], a[at + 4], KEYS[tonumber(a[at + 5])]
  if guard == 'X' and not is_a(other, 'hash') then return false end
  if guard == 'V' and not (is_a(other, 'string') and is_whole(redis.call('GET', other) or '0')) then return false end
  if replaced[key] then return true end
  local kind = kinds[name]
  if not kind then replaced[key] = true return true end
  if not is_a(key, kind) then return false end
  if name == 'HINCRBY' then return adds(key .. ' ' .. a[at + 6], redis.call('HGET', key, a[at + 6]), a[at + 7]) end
  if name == 'INCRBY' then return adds(key, redis.call('GET', key), a[at + 6]) end
  if name == 'INCR' then return adds(key, redis.call('GET', key), 1) end
  return true
end
local at, n = p, 0
while at <= #a do
  n = n + 1
  if not fits(at) then return refuse(-1 - n) end
  at = at + 6 + tonumber(a[at + 3])
end
redis.call('SET', KEYS[1], number, 'EX', seconds)
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

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Everything was applied, now or by an earlier copy.
    Applied,
    /// Nothing was: this cell has another value, or one that the server did not tell.
    Changed(Option<usize>),
    /// Nothing was: this cell is of another type.
    Mistyped(usize),
    /// Nothing was: what this command would change is of another kind.
    Unfit(usize),
    /// Nothing was, and nothing will be: a later answer settled this commit.
    Late,
}

impl Answer {
    /// From what [`COMMIT`] answers; `None` when it can not have answered so.
    pub(super) fn from_script(answer: &Value) -> Option<Answer> {
        let place = |number: i64| usize::try_from(number).ok();
        Some(match answer {
            Value::Int(0) => Answer::Applied,
            Value::Int(-1) => Answer::Late,
            Value::Int(cell @ 1..) => Answer::Changed(Some(place(cell - 1)?)),
            Value::Int(command) => Answer::Unfit(place(-command - 2)?),
            Value::BulkString(cell) => {
                let cell: i64 = std::str::from_utf8(cell).ok()?.parse().ok()?;
                Answer::Mistyped(place(cell - 1)?)
            }
            _ => return None,
        })
    }
}

/// What a commit compares and applies.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) seen: Vec<(Cell, Option<Vec<u8>>)>,
    pub(super) commands: Vec<Command>,
}

impl Commit {
    /// The call of the script. Without commands it only compares.
    pub(super) fn call(&self, script: &Script, token: &Token, sent_before: bool) -> Cmd {
        let mut keys = Keys::default();
        let mut arguments: Vec<Vec<u8>> =
            Vec::with_capacity(4 + 4 * self.seen.len() + 8 * self.commands.len());
        keys.number(&token.key);
        let number = if self.commands.is_empty() { 0 } else { token.number };
        arguments.push(decimal(number));
        arguments.push(decimal(u64::from(sent_before && number > 0)));
        arguments.push(decimal(TOKEN_SECONDS));
        arguments.push(decimal(self.seen.len() as u64));
        for (cell, value) in &self.seen {
            let (kind, key, member) = cell.parts();
            arguments.push(kind.into());
            arguments.push(keys.number(key));
            arguments.push(member.to_vec());
            arguments.push(match value {
                None => b"-".to_vec(),
                Some(value) => [b"+", value.as_slice()].concat(),
            });
        }
        for command in &self.commands {
            let target = keys.number(&command.key);
            let (guard, other, member): (&str, _, _) = match &command.guard {
                Guard::Always => ("", target.clone(), Vec::new()),
                Guard::HasField(key, field) => ("X", keys.number(key), field.clone()),
                Guard::Absent(key) => ("A", keys.number(key), Vec::new()),
                Guard::OldestLine(counter, version) => ("V", keys.number(counter), decimal(*version)),
            };
            let count = decimal(command.arguments.len() as u64);
            arguments.extend([guard.into(), other, member, count, command.name.into(), target]);
            arguments.extend(command.arguments.iter().cloned());
        }
        let mut call = redis::cmd("EVALSHA");
        call.arg(script.get_hash())
            .arg(keys.named.len())
            .arg(keys.named)
            .arg(arguments);
        call
    }
}

fn decimal(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Keys that a commit names, in the order of their first use.
#[derive(Default)]
struct Keys {
    known: HashMap<Vec<u8>, usize>,
    named: Vec<Vec<u8>>,
}

impl Keys {
    fn number(&mut self, key: &[u8]) -> Vec<u8> {
        if let Some(number) = self.known.get(key) {
            return decimal(*number as u64);
        }
        self.named.push(key.to_vec());
        self.known.insert(key.to_vec(), self.named.len());
        decimal(self.named.len() as u64)
    }
}
