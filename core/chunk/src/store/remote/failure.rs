//! Failures of remote stores as typed errors without secrets.

use moorage_model::{Error, ErrorKind, secrets_in};
use zeroize::Zeroizing;

use crate::store::StoreConfig;
use crate::store::memory::missing;

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

    /// A failure with what was being done in front.
    pub(super) fn error(&self, error: &opendal::Error, what: &str) -> Error {
        let (kind, advice) = classify(error);
        let typed = Error::new(kind, what).with_source(self.clean(&in_words(error)));
        match advice {
            Some(advice) => typed.with_advice(advice),
            None => typed,
        }
    }

    /// A failure of a call for one object.
    pub(super) fn object_error(&self, error: &opendal::Error, doing: &str, key: &str) -> Error {
        if error.kind() == opendal::ErrorKind::NotFound {
            return missing(key);
        }
        self.error(error, &format!("can not {doing} object {key}"))
    }
}

/// What happened, without the request and answer that the library shows beside it: they are long and hide it.
fn in_words(error: &opendal::Error) -> String {
    let mut words = format!("{}: {}", error.kind(), error.message());
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let said = cause.to_string();
        if !words.contains(&said) {
            words.push_str(": ");
            words.push_str(&said);
        }
        next = cause.source();
    }
    words
}

fn classify(error: &opendal::Error) -> (ErrorKind, Option<&'static str>) {
    use opendal::ErrorKind as Theirs;
    match error.kind() {
        Theirs::NotFound => (ErrorKind::NotFound, None),
        Theirs::PermissionDenied => (
            ErrorKind::AccessDenied,
            Some("Check the access key, the secret key and what they may do in the bucket"),
        ),
        Theirs::ConfigInvalid => (
            ErrorKind::InvalidArgument,
            Some("Check the storage, the bucket and the keys of the volume"),
        ),
        Theirs::Unsupported => (ErrorKind::NotSupported, None),
        Theirs::RateLimited => (
            ErrorKind::Unavailable,
            Some("The store asks for fewer requests; lower --max-uploads and --max-downloads if it lasts"),
        ),
        Theirs::Conflict => (ErrorKind::Conflict, None),
        Theirs::IsADirectory | Theirs::NotADirectory => (
            ErrorKind::Io,
            Some("Something else has taken the place of a folder or object there"),
        ),
        // What a network or a server does for a while; a request that is wrong for good has a kind of its own.
        _ if error.is_temporary() || error.is_persistent() => (ErrorKind::Unavailable, None),
        _ => (ErrorKind::Io, None),
    }
}
