//! `--include` and `--exclude`, whose order among each other counts.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use moorage_model::Result;
use moorage_sync::{Filter, Verdict};

const FLAGS: [(&str, Verdict, &str); 2] = [
    (
        "exclude",
        Verdict::Exclude,
        "Leave out names that match PATTERN, in both SRC and DST. The first pattern that matches a name decides, in the \
         order of the command line; what is in a folder left out is left out too. * and ? stop at /, ** does not, and \
         [a-z] is one character; / at the start means from the root, / at the end folders only",
    ),
    (
        "include",
        Verdict::Include,
        "Do not leave out names that match PATTERN, whatever a later --exclude says",
    ),
];

/// The patterns in the order in which they were typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(Vec<(Verdict, String)>);

impl Patterns {
    /// Reads the patterns.
    ///
    /// # Errors
    /// `InvalidArgument` for one that can not be understood.
    pub(super) fn filter(&self) -> Result<Arc<Filter>> {
        Filter::new(self.0.iter().map(|(verdict, text)| (*verdict, text.as_str())))
    }
}

impl Args for Patterns {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.map(|(name, _, help)| {
            Arg::new(name)
                .long(name)
                .value_name("PATTERN")
                .action(ArgAction::Append)
                .help(help)
                .help_heading("Selection")
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Patterns::augment_args(command)
    }
}

impl FromArgMatches for Patterns {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Patterns, clap::Error> {
        let mut placed: Vec<(usize, Verdict, String)> = Vec::new();
        for (name, verdict, _) in FLAGS {
            let texts = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            placed.extend(places.zip(texts).map(|(at, text)| (at, verdict, text.clone())));
        }
        placed.sort_by_key(|(at, _, _)| *at);
        let patterns = placed.into_iter().map(|(_, verdict, text)| (verdict, text));
        Ok(Patterns(patterns.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Patterns::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_the_order_of_the_command_line() {
        let command = Patterns::augment_args(Command::new("sync"));
        let typed = ["sync", "--exclude", "a", "--include=b", "--exclude", "c"];
        let matches = command.try_get_matches_from(typed).unwrap();
        let patterns = Patterns::from_arg_matches(&matches).unwrap();
        let expected = [
            (Verdict::Exclude, "a".to_owned()),
            (Verdict::Include, "b".to_owned()),
            (Verdict::Exclude, "c".to_owned()),
        ];
        assert_eq!(patterns.0, expected);
    }
}
