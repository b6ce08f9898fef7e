//! How long the stages with random moments run.

/// `rounds` as many times as `MOORAGE_TEST_EFFORT` says; once without it.
pub(crate) fn rounds(rounds: u64) -> u64 {
    let times: u64 = std::env::var("MOORAGE_TEST_EFFORT")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    rounds.saturating_mul(times.max(1))
}

/// What randomness begins with: `MOORAGE_SEED`, or 1.
pub(crate) fn seed() -> u64 {
    std::env::var("MOORAGE_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}
