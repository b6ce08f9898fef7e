//! Removals that a person is asked about first.

/// When a round asks before it removes. More than either is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletionGuard {
    /// Files of one side.
    pub files: u64,
    /// Percent of the files known of one side.
    pub percent: u64,
}

impl Default for DeletionGuard {
    /// An emptied or unmounted folder is caught, a day's tidying is not.
    fn default() -> DeletionGuard {
        DeletionGuard {
            files: 100,
            percent: 25,
        }
    }
}

impl DeletionGuard {
    /// Whether removing so many of the known files is to be asked about.
    pub fn asks(self, removed: u64, known: u64) -> bool {
        removed > self.files || removed.saturating_mul(100) > known.saturating_mul(self.percent)
    }
}

/// What a person agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Nothing: the guard asks.
    #[default]
    None,
    /// Removing up to so many files of each side.
    Removals(u64),
    /// Removing nothing that is gone from one side now: it comes back there, or stays where it is when the pair does not
    /// change that side.
    Keep,
}

impl Consent {
    /// Whether so many removals were agreed to.
    pub fn covers(self, removed: u64) -> bool {
        match self {
            Consent::None | Consent::Keep => false,
            Consent::Removals(most) => removed <= most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_quarter_or_a_hundred_files_are_asked_about() {
        let guard = DeletionGuard::default();
        assert!(!guard.asks(0, 0));
        assert!(!guard.asks(25, 100) && guard.asks(26, 100));
        assert!(!guard.asks(100, 10_000) && guard.asks(101, 10_000));
        assert!(Consent::Removals(5).covers(5) && !Consent::Removals(5).covers(6));
        assert!(!Consent::None.covers(1));
    }
}
