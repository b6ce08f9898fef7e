//! What happens to one path: a pure function of how each side changed since both had the same content.

/// One of the two sides of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The folder of this computer.
    Left,
    /// The shared one.
    Right,
}

impl End {
    /// The other side.
    #[must_use]
    pub fn other(self) -> End {
        match self {
            End::Left => End::Right,
            End::Right => End::Left,
        }
    }
}

/// What a pair is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Changes of each side come to the other.
    TwoWay,
    /// Changes of the left side come to the right one. Nothing is ever removed there, and the left side is never changed.
    BackUp,
    /// Changes of the right side come to the left one, removals too. The right side is never changed.
    Mirror,
}

/// How a path of one side compares with the state in which both sides had the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is not there and was not.
    Absent,
    /// It is not there any more.
    Gone,
    /// It is as it was.
    Unchanged,
    /// It is new or changed.
    Changed,
}

/// What is done about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Both sides lack it: what is known of it is forgotten.
    Forget,
    /// It is copied to a side.
    Carry {
        /// Where to.
        to: End,
    },
    /// It is removed from a side.
    Remove {
        /// Where.
        from: End,
    },
    /// Both sides have a version of their own. If contents differ, that of one side keeps the name, and the other one
    /// gets another name on its side.
    Reconcile {
        /// Whose version keeps the name.
        keeps: End,
    },
}

/// Decides about a path.
pub fn decide(mode: Mode, left: Change, right: Change) -> Step {
    use Change::{Absent, Changed, Gone, Unchanged};
    match mode {
        Mode::TwoWay => match (left, right) {
            (Unchanged, Unchanged) | (Absent, Absent) => Step::Nothing,
            (Gone | Absent, Gone | Absent) => Step::Forget,
            // The right version was seen by others already.
            (Changed, Changed) => Step::Reconcile { keeps: End::Right },
            (Gone, Unchanged) => Step::Remove { from: End::Right },
            (Unchanged, Gone) => Step::Remove { from: End::Left },
            (Changed, _) | (Unchanged, Absent) => Step::Carry { to: End::Right },
            (_, Changed) | (Absent, Unchanged) => Step::Carry { to: End::Left },
        },
        Mode::BackUp => one_way(left, right, End::Left, false),
        Mode::Mirror => one_way(right, left, End::Right, true),
    }
}

/// Makes a target like a source; an edit of the target is set aside when it is in the way.
fn one_way(source: Change, target: Change, from: End, removes: bool) -> Step {
    use Change::{Absent, Changed, Gone, Unchanged};
    let to = from.other();
    match (source, target) {
        (Unchanged, Unchanged) | (Absent, _) => Step::Nothing,
        (Gone, Unchanged) if removes => Step::Remove { from: to },
        // What the target has stays, as its own.
        (Gone, _) => Step::Forget,
        (Changed | Unchanged, Gone | Absent) => Step::Carry { to },
        (Changed, Unchanged) => Step::Carry { to },
        (Changed, Changed) => Step::Reconcile { keeps: from },
        (Unchanged, Changed) if removes => Step::Reconcile { keeps: from },
        (Unchanged, Changed) => Step::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use Change::{Absent, Changed, Gone, Unchanged};

    use super::*;

    const ALL: [Change; 4] = [Absent, Gone, Unchanged, Changed];

    #[test]
    fn an_edit_is_never_removed_nor_replaced_unseen() {
        for mode in [Mode::TwoWay, Mode::BackUp, Mode::Mirror] {
            for left in ALL {
                for right in ALL {
                    let step = decide(mode, left, right);
                    let of = |end| if end == End::Left { left } else { right };
                    match step {
                        Step::Remove { from } => {
                            assert_eq!(of(from), Unchanged, "{mode:?} {left:?} {right:?}");
                        }
                        Step::Carry { to } => assert_ne!(of(to), Changed, "{mode:?} {left:?} {right:?}"),
                        _ => {}
                    }
                }
            }
        }
    }

    #[test]
    fn a_backup_changes_only_the_right_side_and_removes_nothing() {
        for left in ALL {
            for right in ALL {
                match decide(Mode::BackUp, left, right) {
                    Step::Carry { to } => assert_eq!(to, End::Right),
                    Step::Reconcile { keeps } => assert_eq!(keeps, End::Left),
                    Step::Remove { .. } => panic!("{left:?} {right:?}"),
                    Step::Nothing | Step::Forget => {}
                }
            }
        }
    }

    #[test]
    fn a_mirror_changes_only_the_left_side() {
        for left in ALL {
            for right in ALL {
                match decide(Mode::Mirror, left, right) {
                    Step::Carry { to } => assert_eq!(to, End::Left),
                    Step::Remove { from } => assert_eq!(from, End::Left),
                    Step::Reconcile { keeps } => assert_eq!(keeps, End::Right),
                    Step::Nothing | Step::Forget => {}
                }
            }
        }
    }

    #[test]
    fn two_ways_are_alike_but_for_who_keeps_a_name() {
        let swapped = |step| match step {
            Step::Carry { to } => Step::Carry { to: to.other() },
            Step::Remove { from } => Step::Remove { from: from.other() },
            other => other,
        };
        for left in ALL {
            for right in ALL {
                let (one, other) = (
                    decide(Mode::TwoWay, left, right),
                    decide(Mode::TwoWay, right, left),
                );
                assert_eq!(swapped(one), other, "{left:?} {right:?}");
            }
        }
    }
}
