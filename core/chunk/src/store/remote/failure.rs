//! Failures of remote stores as typed errors without secrets: what was being done where, why it failed in words, and
//! what to do.

use moorage_model::{Error, ErrorKind, secrets_in};
use zeroize::Zeroizing;

use super::reason::Reason;
use crate::store::StoreConfig;
use crate::store::memory::missing_from;

/// Most characters of a store's own words that are repeated: some answer with whole pages.
const MOST_WORDS: usize = 400;
/// Texts shorter than this stand in answers by chance.
const SHORTEST_SECRET: usize = 4;

/// What must never be repeated. Some stores answer a bad signature with everything that was signed.
#[derive(Clone)]
pub(super) struct Secrets(Vec<Zeroizing<String>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    pub(super) fn new(config: &StoreConfig) -> Secrets {
        let all = [
            Zeroizing::new(config.access_key.clone()),
            config.secret_key.clone(),
            config.session_token.clone(),
        ];
        let in_buckets = config.buckets.iter().flat_map(|bucket| {
            let secrets = secrets_in(bucket).into_iter();
            secrets.filter_map(|secret| Some(Zeroizing::new(bucket.get(secret)?.to_owned())))
        });
        Secrets(
            all.into_iter()
                .chain(in_buckets)
                .filter(|secret| secret.len() >= SHORTEST_SECRET)
                .collect(),
        )
    }

    /// The words of a library without secrets, on one line, cut to a readable length.
    fn clean(&self, words: &str) -> String {
        let mut words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.0 {
            words = words.replace(secret.as_str(), "…");
        }
        if let Some((cut, _)) = words.char_indices().nth(MOST_WORDS) {
            words.truncate(cut);
            words.push('…');
        }
        words
    }

    /// A failure with what was being done, and where, in front.
    pub(super) fn error(&self, error: &opendal::Error, what: &str) -> Error {
        let reason = Reason::of(error);
        Error::new(reason.kind, what)
            .with_source(self.clean(&reason.words))
            .with_advice(reason.advice)
    }

    /// A failure of a call for one object of the store that `place` describes.
    pub(super) fn object_error(&self, error: &opendal::Error, doing: &str, key: &str, place: &str) -> Error {
        let reason = Reason::of(error);
        if reason.kind == ErrorKind::NotFound {
            return missing_from(place, key);
        }
        Error::new(reason.kind, attempt(doing, key, place))
            .with_source(self.clean(&reason.words))
            .with_advice(reason.advice)
    }
}

/// What was being done, to which object, where.
pub(super) fn attempt(doing: &str, key: &str, place: &str) -> String {
    match (doing, key) {
        ("list", "") => format!("can not list the objects in {place}"),
        ("list", prefix) => format!("can not list the objects below {prefix} in {place}"),
        (doing, key) => format!("can not {doing} object {key} in {place}"),
    }
}
