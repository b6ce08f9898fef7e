//! The commit where scripts are not allowed: WATCH, compare here, MULTI and EXEC.
//!
//! Two round trips, on a connection that nobody else uses meanwhile: what is watched belongs to a connection.

use std::collections::{HashMap, HashSet};

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisResult, Value};

use super::cells::Cell;
use super::commit::{Answer, Command, Commit, Guard, TOKEN_SECONDS};
use super::failure::WRONG_TYPE;
use super::token::Token;

/// Largest number that an increment may lead to; what is beyond is refused before anything is written.
const MAX_NUMBER: i128 = 9_200_000_000_000_000_000;

/// Compares and applies as the script does.
pub(super) async fn commit(
    own: &mut impl ConnectionLike,
    commit: &Commit,
    token: &Token,
    sent_before: bool,
) -> RedisResult<Answer> {
    let watched = match Watched::read(own, commit, token).await? {
        Ok(watched) => watched,
        Err(answer) => return Ok(answer),
    };
    let last = watched
        .text(&Cell::Text(token.key.clone()))
        .and_then(number)
        .unwrap_or(0);
    let changes = !commit.commands.is_empty();
    if changes && last == i128::from(token.number) {
        return Ok(Answer::Applied);
    }
    if changes && last > i128::from(token.number) {
        return Ok(Answer::Late);
    }
    let verdict = match watched.judge(commit) {
        Ok(commands) if !changes => {
            debug_assert!(commands.is_empty(), "nothing to apply");
            return Ok(Answer::Applied);
        }
        Ok(commands) => Ok(commands),
        Err(answer) if sent_before && changes => Err(answer),
        Err(answer) => return Ok(answer),
    };
    let mut transaction = Pipeline::new();
    let number = token.number + u64::from(verdict.is_err());
    transaction
        .atomic()
        .cmd("SET")
        .arg(&token.key)
        .arg(number)
        .arg("EX")
        .arg(TOKEN_SECONDS);
    for command in verdict.iter().flatten() {
        transaction
            .cmd(command.name)
            .arg(&command.key)
            .arg(&command.arguments);
    }
    match transaction.query_async::<Value>(own).await? {
        Value::Nil => Ok(Answer::Changed(None)),
        _ => Ok(verdict.err().unwrap_or(Answer::Applied)),
    }
}

/// What the server held when the keys began to be watched.
struct Watched {
    texts: HashMap<Cell, Option<Vec<u8>>>,
    types: HashMap<Vec<u8>, String>,
    lists: HashMap<Vec<u8>, i128>,
    fields: HashMap<Vec<u8>, HashSet<Vec<u8>>>,
}

/// What to ask besides the cells.
enum Question {
    Cell(Cell),
    Type(Vec<u8>),
    Length(Vec<u8>),
    Fields(Vec<u8>),
}

impl Question {
    fn command(&self) -> Cmd {
        let (name, key) = match self {
            Question::Cell(cell) => return cell.read(),
            Question::Type(key) => ("TYPE", key),
            Question::Length(key) => ("LLEN", key),
            Question::Fields(key) => ("HKEYS", key),
        };
        let mut command = redis::cmd(name);
        command.arg(key);
        command
    }
}

impl Watched {
    async fn read(
        own: &mut impl ConnectionLike,
        commit: &Commit,
        token: &Token,
    ) -> RedisResult<Result<Watched, Answer>> {
        let mut keys: HashSet<&[u8]> = HashSet::from([token.key.as_slice()]);
        let mut questions = vec![Question::Cell(Cell::Text(token.key.clone()))];
        for (cell, _) in &commit.seen {
            keys.insert(cell.parts().1);
            questions.push(Question::Cell(cell.clone()));
        }
        for command in &commit.commands {
            if kind(command.name).is_some() {
                keys.insert(&command.key);
                questions.push(Question::Type(command.key.clone()));
            }
            questions.extend(increment(command).map(|(cell, _)| Question::Cell(cell)));
            match &command.guard {
                Guard::Always => {}
                Guard::HasField(key, field) => {
                    keys.insert(key);
                    questions.push(Question::Type(key.clone()));
                    questions.push(Question::Cell(Cell::Field(key.clone(), field.clone())));
                }
                Guard::Absent(key) => {
                    keys.insert(key);
                    questions.push(Question::Fields(key.clone()));
                }
                Guard::OldestLine(counter, _) => {
                    keys.insert(counter);
                    questions.push(Question::Cell(Cell::Text(counter.clone())));
                    questions.push(Question::Length(command.key.clone()));
                }
            }
        }
        let mut pipeline = Pipeline::with_capacity(questions.len() + 2);
        // An earlier commit may have ended without EXEC.
        pipeline
            .cmd("UNWATCH")
            .cmd("WATCH")
            .arg(keys.into_iter().collect::<Vec<_>>());
        for question in &questions {
            pipeline.add_command(question.command());
        }
        let answers: Vec<Value> = pipeline.ignore_errors().query_async(own).await?;
        let mut watched = Watched {
            texts: HashMap::new(),
            types: HashMap::new(),
            lists: HashMap::new(),
            fields: HashMap::new(),
        };
        for (question, answer) in questions.into_iter().zip(answers.into_iter().skip(2)) {
            if !matches!(&answer, Value::ServerError(error) if error.code() == WRONG_TYPE) {
                watched.note(question, answer.extract_error()?)?;
            } else if let Question::Cell(cell) = &question
                && let Some(place) = commit.seen.iter().position(|(seen, _)| seen == cell)
            {
                return Ok(Err(Answer::Mistyped(place)));
            }
        }
        Ok(Ok(watched))
    }

    fn note(&mut self, question: Question, answer: Value) -> RedisResult<()> {
        match question {
            Question::Cell(cell) => {
                let value = cell.value(answer).map_err(|_| {
                    redis::RedisError::from((redis::ErrorKind::UnexpectedReturnType, "a value was asked for"))
                })?;
                self.texts.insert(cell, value);
            }
            Question::Type(key) => {
                let kind: String = redis::from_redis_value(answer)?;
                self.types.insert(key, kind);
            }
            Question::Length(key) => {
                let length: i64 = redis::from_redis_value(answer)?;
                self.lists.insert(key, length.into());
            }
            Question::Fields(key) => {
                let fields: Vec<Vec<u8>> = redis::from_redis_value(answer)?;
                self.fields.insert(key, fields.into_iter().collect());
            }
        }
        Ok(())
    }

    fn text(&self, cell: &Cell) -> Option<&[u8]> {
        self.texts.get(cell)?.as_deref()
    }

    /// The commands that are to run, or why none is.
    fn judge(mut self, commit: &Commit) -> Result<Vec<&Command>, Answer> {
        for (place, (cell, value)) in commit.seen.iter().enumerate() {
            if self.text(cell) != value.as_deref() {
                return Err(Answer::Changed(Some(place)));
            }
        }
        let mut replaced: HashSet<&[u8]> = HashSet::new();
        let mut sums: HashMap<Cell, i128> = HashMap::new();
        for (place, command) in commit.commands.iter().enumerate() {
            if let Guard::HasField(key, _) = &command.guard
                && !self.is_a(key, "hash")
            {
                return Err(Answer::Unfit(place));
            }
            if replaced.contains(command.key.as_slice()) {
                continue;
            }
            let Some(kind) = kind(command.name) else {
                replaced.insert(&command.key);
                continue;
            };
            let fits = self.is_a(&command.key, kind)
                && increment(command).is_none_or(|(cell, delta)| {
                    let stored = match self.text(&cell) {
                        None => Some(0),
                        Some(text) => number(text),
                    };
                    let Some(before) = sums.get(&cell).copied().or(stored) else {
                        return false;
                    };
                    let after = before + delta;
                    sums.insert(cell, after);
                    after.abs() < MAX_NUMBER
                });
            if !fits {
                return Err(Answer::Unfit(place));
            }
        }
        Ok(commit
            .commands
            .iter()
            .filter(|command| self.runs(command))
            .collect())
    }

    fn is_a(&self, key: &[u8], kind: &str) -> bool {
        self.types
            .get(key)
            .is_none_or(|found| found == "none" || found == kind)
    }

    /// Notes what an earlier command makes of a field.
    fn set_field(&mut self, key: &[u8], field: &[u8], value: Option<&Vec<u8>>) {
        if let Some(fields) = self.fields.get_mut(key) {
            if value.is_some() {
                fields.insert(field.to_vec());
            } else {
                fields.remove(field);
            }
        }
        if let Some(known) = self.texts.get_mut(&Cell::Field(key.to_vec(), field.to_vec())) {
            *known = value.cloned();
        }
    }

    /// Whether the guard of a command lets it run, after those before it.
    fn runs(&mut self, command: &Command) -> bool {
        let runs = match &command.guard {
            Guard::Always => true,
            Guard::HasField(key, field) => self.text(&Cell::Field(key.clone(), field.clone())).is_some(),
            Guard::Absent(key) => self.fields.get(key).is_none_or(HashSet::is_empty),
            Guard::OldestLine(counter, version) => {
                let last = self
                    .text(&Cell::Text(counter.clone()))
                    .and_then(number)
                    .unwrap_or(0);
                let length = self.lists.get(&command.key).copied().unwrap_or(0);
                last - length + 1 == i128::from(*version)
            }
        };
        if runs {
            match (command.name, command.arguments.first()) {
                ("HDEL", Some(field)) => self.set_field(&command.key, field, None),
                ("HSET" | "HSETNX", Some(field)) => {
                    self.set_field(&command.key, field, command.arguments.get(1));
                }
                ("LPOP", _) => {
                    if let Some(length) = self.lists.get_mut(&command.key) {
                        *length -= 1;
                    }
                }
                _ => {}
            }
        }
        runs
    }
}

/// The type that a command needs its key to have; `None` for those that replace or remove it.
fn kind(name: &str) -> Option<&'static str> {
    match name {
        "HSET" | "HSETNX" | "HDEL" | "HINCRBY" => Some("hash"),
        "RPUSH" | "LPOP" => Some("list"),
        "ZADD" | "ZREM" => Some("zset"),
        "SADD" | "SREM" => Some("set"),
        "INCR" | "INCRBY" => Some("string"),
        _ => None,
    }
}

/// The number that a command adds to, and what it adds.
fn increment(command: &Command) -> Option<(Cell, i128)> {
    let argument = |place: usize| command.arguments.get(place);
    match command.name {
        "HINCRBY" => Some((
            Cell::Field(command.key.clone(), argument(0)?.clone()),
            number(argument(1)?)?,
        )),
        "INCRBY" => Some((Cell::Text(command.key.clone()), number(argument(0)?)?)),
        "INCR" => Some((Cell::Text(command.key.clone()), 1)),
        _ => None,
    }
}

/// A whole number as Redis accepts it.
fn number(text: &[u8]) -> Option<i128> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then(|| number.into())
}
