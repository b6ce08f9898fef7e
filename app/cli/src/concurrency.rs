//! How much a command does at the same time.

/// More only waits for the database and the store.
const MOST: usize = 1024;

/// Parses the value of `--threads`.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads) if (1..=MOST).contains(&threads) => Ok(threads),
        _ => Err(format!("a number from 1 to {MOST} is needed")),
    }
}
