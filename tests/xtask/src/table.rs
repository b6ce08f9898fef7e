//! What the stages came to.

use std::time::Duration;

use anyhow::Result;

/// Outcome of one stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Tests or checks that passed.
    pub(crate) passed: u64,
    /// That failed.
    pub(crate) failed: u64,
    /// That were skipped.
    pub(crate) skipped: u64,
}

impl Outcome {
    /// A stage that can not run here; says why.
    pub(crate) fn skip(why: &str) -> Outcome {
        println!("SKIPPED: {why}");
        Outcome {
            skipped: 1,
            ..Outcome::default()
        }
    }

    /// What a part came to that says how it failed.
    pub(crate) fn shown(outcome: Result<Outcome>) -> Outcome {
        outcome.unwrap_or_else(|error| {
            println!("FAILED: {error:#}");
            Outcome::check(false)
        })
    }

    /// Adds what another part came to.
    pub(crate) fn add(&mut self, other: &Outcome) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// One check.
    pub(crate) fn check(success: bool) -> Outcome {
        Outcome {
            passed: u64::from(success),
            failed: u64::from(!success),
            skipped: 0,
        }
    }
}

/// A finished stage.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) time: Duration,
    /// Processor time of the processes that it started and that have ended.
    pub(crate) cpu: Duration,
}

/// Prints the table and the closing line; whether nothing failed.
pub(crate) fn print(rows: &[Row]) -> bool {
    println!(
        "\n{:<14} {:>7} {:>7} {:>8} {:>8} {:>11}",
        "stage", "passed", "failed", "skipped", "seconds", "CPU seconds"
    );
    let mut sum = Outcome::default();
    for row in rows {
        let Outcome {
            passed,
            failed,
            skipped,
        } = row.outcome;
        println!(
            "{:<14} {passed:>7} {failed:>7} {skipped:>8} {:>8.1} {:>11.1}",
            row.name,
            row.time.as_secs_f64(),
            row.cpu.as_secs_f64()
        );
        sum.passed += passed;
        sum.failed += failed;
        sum.skipped += skipped;
    }
    println!(
        "\n{} passed, {} failed, {} skipped",
        sum.passed, sum.failed, sum.skipped
    );
    sum.failed == 0
}
