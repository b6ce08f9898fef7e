//! One transaction of the writer and the jobs in it.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use moorage_meta::Job;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::database::Database;
use super::failure::in_file;
use super::sums::Sums;
use super::txn::{JobEffects, SqliteTxn, execute};
use super::writer::{Queued, answer, fail_all};

/// How long a database that another program holds locked is waited for altogether.
const LOCKED_DEADLINE: Duration = Duration::from_secs(30);
/// Runs of a job whose writes meet records that it did not expect. Nobody else writes meanwhile, so only what it
/// takes from outside of its transaction can make the next run differ.
const MAX_RUNS: usize = 3;

/// Runs the jobs in one transaction and answers them; whether what was committed names blocks.
pub(super) fn run_group(mut group: Vec<Queued>, database: &Mutex<Database>, path: &Path) -> bool {
    let mut transaction = Transaction {
        database,
        path,
        sums: Sums::default(),
        names_data: false,
    };
    let mut runs = 0;
    let outcome = loop {
        runs += 1;
        let outcome = transaction.run(&mut group);
        let conflict = outcome
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::Conflict);
        if !(conflict && runs < MAX_RUNS) {
            break outcome;
        }
    };
    match outcome {
        Ok(results) => {
            for (queued, result) in group.into_iter().zip(results) {
                answer(queued, result);
            }
            transaction.names_data
        }
        Err(error) => {
            fail_all(group, error);
            false
        }
    }
}

struct Transaction<'w> {
    database: &'w Mutex<Database>,
    path: &'w Path,
    sums: Sums,
    names_data: bool,
}

impl Transaction<'_> {
    /// Begins, runs each job and commits; an `Err` has left nothing behind.
    fn run(&mut self, group: &mut [Queued]) -> Result<Vec<Result<()>>> {
        (self.sums, self.names_data) = (Sums::default(), false);
        let outcome = self.begin().and_then(|()| {
            let results = self.run_jobs(group)?;
            self.sums
                .apply(self.database.lock().view())
                .map_err(in_file(self.path))?;
            self.control("COMMIT")?;
            Ok(results)
        });
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
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

    fn run_jobs(&mut self, group: &mut [Queued]) -> Result<Vec<Result<()>>> {
        if let [Queued { job, .. }] = group {
            // The error of a lone job rolls the whole transaction back: no savepoint is needed.
            let effects = self.run_job(job)?;
            self.accept(effects);
            return Ok(vec![Ok(())]);
        }
        group
            .iter_mut()
            .map(|queued| self.run_saved(&mut queued.job))
            .collect()
    }

    /// Runs a job in a savepoint; the outer error means that the transaction is unusable.
    fn run_saved(&mut self, job: &mut Job) -> Result<Result<()>> {
        self.control("SAVEPOINT job")?;
        let mut runs = 0;
        let outcome = loop {
            runs += 1;
            match self.run_job(job) {
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
        self.sums.merge(effects.sums);
        self.names_data |= effects.names_data;
    }

    fn run_job(&self, job: &mut Job) -> Result<JobEffects> {
        let mut txn = SqliteTxn::new(self.database, self.path, &self.sums);
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
