//! One transaction of the writer and the jobs in it.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use moorage_meta::Job;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::database::Database;
use super::failure::in_file;
use super::record_cache::{Before, RecordCache};
use super::reserve::Removing;
use super::txn::{JobEffects, SqliteTxn, execute};
use super::writer::{Queued, answer, copy_of, fail_all};

/// How long a database that another program holds locked is waited for altogether.
const LOCKED_DEADLINE: Duration = Duration::from_secs(30);
/// Runs of a job whose writes meet records that it did not expect. Nobody else writes meanwhile, so only what it
/// takes from outside of its transaction can make the next run differ.
const MAX_RUNS: usize = 3;

/// Runs the jobs in one transaction and answers them; whether what was committed names blocks.
pub(super) fn run_group(
    mut group: Vec<Queued>,
    database: &Mutex<Database>,
    records: &RecordCache,
    path: &Path,
) -> bool {
    let mut transaction = Transaction {
        database,
        records,
        path,
        done: JobEffects::default(),
    };
    let mut outcome = transaction.run_until_settled(&mut group);
    if let Err(full) = &outcome
        && full.kind() == ErrorKind::NoSpace
        && group.iter().any(|queued| queued.job.removes)
    {
        let (removing, others) = group.into_iter().partition(|queued| queued.job.removes);
        fail_all(others, copy_of(full));
        group = removing;
        let _removing = Removing::begin();
        outcome = transaction.run_until_settled(&mut group);
    }
    match outcome {
        Ok(results) => {
            for (queued, result) in group.into_iter().zip(results) {
                answer(queued, result);
            }
            transaction.done.names_data
        }
        Err(error) => {
            fail_all(group, error);
            false
        }
    }
}

struct Transaction<'w> {
    database: &'w Mutex<Database>,
    records: &'w RecordCache,
    path: &'w Path,
    /// What its jobs did that succeeded.
    done: JobEffects,
}

impl Transaction<'_> {
    /// As [`Transaction::run`], again when its writes meet records that they did not expect.
    fn run_until_settled(&mut self, group: &mut [Queued]) -> Result<Vec<Result<()>>> {
        let mut runs = 0;
        loop {
            runs += 1;
            match self.run(group) {
                Err(error) if error.kind() == ErrorKind::Conflict && runs < MAX_RUNS => {}
                outcome => return outcome,
            }
        }
    }

    /// Begins, runs each job and commits; an `Err` has left nothing behind.
    fn run(&mut self, group: &mut [Queued]) -> Result<Vec<Result<()>>> {
        self.done = JobEffects::default();
        let outcome = self.begin().and_then(|()| {
            let before = self.records.begin();
            let ran = self.run_and_commit(group, before);
            match &ran {
                Ok(_) => before.committed(std::mem::take(&mut self.done.records)),
                Err(_) => before.rolled_back(),
            }
            ran
        });
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
    }

    fn run_and_commit(&mut self, group: &mut [Queued], before: Before<'_>) -> Result<Vec<Result<()>>> {
        let results = self.run_jobs(group, before)?;
        let sums = &self.done.sums;
        sums.apply(self.database.lock().view())
            .map_err(in_file(self.path))?;
        self.control("COMMIT")?;
        Ok(results)
    }

    /// Takes SQLite's write lock; another program may hold it for a while.
    fn begin(&self) -> Result<()> {
        // A body that panicked has left its transaction open.
        self.roll_back();
        let deadline = Instant::now() + LOCKED_DEADLINE;
        loop {
            match self.control("BEGIN IMMEDIATE") {
                Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < deadline => {}
                Err(error) if error.kind() == ErrorKind::Busy => {
                    let waited = LOCKED_DEADLINE.as_secs();
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        format!(
                            "SQLite database {} stayed locked by another program for {waited} s",
                            self.path.display()
                        ),
                    )
                    .with_source(error)
                    .with_advice("Close the other program, or wait until it has finished."));
                }
                other => return other,
            }
        }
    }

    /// After some failures SQLite has rolled back already.
    fn roll_back(&self) {
        if !self.database.lock().connection.is_autocommit()
            && let Err(error) = self.control("ROLLBACK")
        {
            tracing::warn!(%error, "rolling a transaction back");
        }
    }

    fn control(&self, statement: &str) -> Result<()> {
        execute(self.database.lock().view(), statement, [], || {
            statement.to_owned()
        })
        .map(drop)
        .map_err(in_file(self.path))
    }

    fn run_jobs(&mut self, group: &mut [Queued], before: Before<'_>) -> Result<Vec<Result<()>>> {
        if let [Queued { job, .. }] = group {
            // The error of a lone job rolls the whole transaction back: no savepoint is needed.
            let effects = self.run_job(job, before)?;
            self.accept(effects);
            return Ok(vec![Ok(())]);
        }
        group
            .iter_mut()
            .map(|queued| self.run_saved(&mut queued.job, before))
            .collect()
    }

    /// Runs a job in a savepoint; the outer error means that the transaction is unusable.
    fn run_saved(&mut self, job: &mut Job, before: Before<'_>) -> Result<Result<()>> {
        self.control("SAVEPOINT job")?;
        let mut runs = 0;
        let outcome = loop {
            runs += 1;
            match self.run_job(job, before) {
                Ok(effects) => {
                    self.accept(effects);
                    break Ok(());
                }
                Err(error) => {
                    self.control("ROLLBACK TO job")?;
                    if error.kind() != ErrorKind::Conflict || runs == MAX_RUNS {
                        break Err(error);
                    }
                }
            }
        };
        self.control("RELEASE job")?;
        Ok(outcome)
    }

    fn accept(&mut self, effects: JobEffects) {
        self.done.sums.merge(effects.sums);
        self.done.records.extend(effects.records);
        self.done.names_data |= effects.names_data;
    }

    fn run_job(&self, job: &mut Job, before: Before<'_>) -> Result<JobEffects> {
        let mut txn = SqliteTxn::new(self.database, self.path, &self.done, before);
        match (job.body)(&mut txn).now_or_never() {
            Some(Ok(())) => txn.finish(),
            Some(Err(error)) => Err(error),
            None => Err(Error::new(
                ErrorKind::Io,
                format!("{} waits for something besides its transaction", job.verb),
            )),
        }
    }
}
