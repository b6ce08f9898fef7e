//! Why a call of a remote store failed, in words, and what to do about it.

use std::error::Error as StdError;
use std::io;

use moorage_model::ErrorKind;

use crate::store::probe::CHECK_NETWORK;

/// Message of the library for a request that it could not sign.
const NOT_SIGNED: &str = "signing http request";
/// Words of the TLS library in errors that have no kind of their own.
const TLS_WORDS: &[&str] = &["tls ", "certificate", "handshake", "received corrupt message"];
const CHECK_SERVER: &str = "Check the address and the port of the bucket, and that its server runs.";
const CHECK_NAME: &str =
    "Check the address of the bucket for slips, and whether this computer can look up names (DNS).";
const CHECK_TLS: &str = "Check whether the server speaks TLS at this port (https:// or http:// in the address of the \
                         bucket) and whether this computer trusts its certificate.";
const CHECK_KEYS: &str =
    "Check the access key, the secret key and what they may do in the bucket; `moorage config` changes them.";
const CHECK_SETTING: &str = "Check the storage, the bucket and the keys of the volume.";
const GIVE_KEYS: &str = "Give the volume keys with --access-key and --secret-key, or the access key `anonymous` for a \
                         bucket that is open to everyone.";

const FEWER_REQUESTS: &str =
    "The store asks for fewer requests; lower --max-uploads and --max-downloads if it lasts.";

/// Status of a server that is asked too often (RFC 6585 section 4). The library takes it for final where a service has no
/// words for it.
const TOO_MANY_REQUESTS: u16 = 429;

/// Codes of providers that have a remedy of their own, with what they mean.
const CODES: &[(&str, &str, &str)] = &[
    ("InvalidAccessKeyId", "the access key is not known", CHECK_KEYS),
    (
        "SignatureDoesNotMatch",
        "the secret key is not that of the access key",
        CHECK_KEYS,
    ),
    (
        "ExpiredToken",
        "the session token has expired",
        "Give the volume new keys with `moorage config`.",
    ),
    (
        "RequestTimeTooSkewed",
        "the clocks of this computer and of the store differ too much",
        "Set the clock of this computer.",
    ),
    (
        "NoSuchBucket",
        "the bucket does not exist",
        "Make the bucket with the tools of its provider, or check its name.",
    ),
];

/// Why a call failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) kind: ErrorKind,
    /// The cause. May repeat what the server or a library said, secrets included.
    pub(super) words: String,
    pub(super) advice: &'static str,
}

impl Reason {
    pub(super) fn of(error: &opendal::Error) -> Reason {
        let (kind, advice) = classify(error);
        if error.message() == NOT_SIGNED {
            return unsigned(error);
        }
        if let Some((words, advice)) = of_network(error) {
            return Reason { kind, words, advice };
        }
        let Some((code, message)) = code_of(error.message()) else {
            let words = match (kind, error.message()) {
                (ErrorKind::AccessDenied, "") => "access denied".to_owned(),
                _ => in_words(error),
            };
            return Reason { kind, words, advice };
        };
        if let Some((_, meaning, remedy)) = CODES.iter().find(|(known, ..)| *known == code) {
            return Reason {
                // A missing bucket is no missing object: nothing may take its objects for deleted.
                kind: match kind {
                    ErrorKind::NotFound => ErrorKind::Io,
                    kind => kind,
                },
                words: format!("{meaning} ({code})"),
                advice: remedy,
            };
        }
        let outcome = match kind {
            ErrorKind::AccessDenied => "access denied",
            _ => "the store answered",
        };
        let said = match message {
            "" => code.to_owned(),
            message => format!("{code}: {message}"),
        };
        Reason {
            kind,
            words: format!("{outcome} ({said})"),
            advice,
        }
    }
}

/// No credentials were found, or what they came from failed.
fn unsigned(error: &opendal::Error) -> Reason {
    let causes: Vec<String> = chain(error).map(|cause| cause.to_string()).collect();
    let words = if causes
        .iter()
        .any(|cause| cause.contains("failed to load signing credential"))
    {
        "no credentials: the volume has none, and neither the environment nor this computer gives any"
            .to_owned()
    } else {
        format!("the request could not be signed: {}", causes.join(": "))
    };
    Reason {
        kind: ErrorKind::Unauthenticated,
        words,
        advice: GIVE_KEYS,
    }
}

/// The errors below, outermost first.
fn chain(error: &opendal::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| <dyn StdError>::source(*cause))
}

/// What the network did, where it is the cause.
fn of_network(error: &opendal::Error) -> Option<(String, &'static str)> {
    // The innermost cause knows best.
    let mut found = None;
    for cause in chain(error) {
        let said = cause.to_string();
        if said.contains("dns error") {
            // What is below repeats it in the words of the system.
            return Some(("the name of the server is not known".to_owned(), CHECK_NAME));
        }
        let Some(io) = cause.downcast_ref::<io::Error>() else {
            if said.contains("operation timed out") {
                found = Some(("timed out".to_owned(), CHECK_NETWORK));
            }
            continue;
        };
        if TLS_WORDS.iter().any(|word| said.contains(word)) {
            return Some((format!("no TLS connection: {said}"), CHECK_TLS));
        }
        let words = match io.kind() {
            io::ErrorKind::ConnectionRefused => ("connection refused".to_owned(), CHECK_SERVER),
            io::ErrorKind::TimedOut => ("timed out".to_owned(), CHECK_NETWORK),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                ("there is no way to the server".to_owned(), CHECK_NETWORK)
            }
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => ("the connection broke".to_owned(), CHECK_NETWORK),
            _ => continue,
        };
        found = Some(words);
    }
    found
}

/// Code and message in the answer of a provider, as the library shows it: `S3Error { code: "AccessDenied", message: … }`.
fn code_of(message: &str) -> Option<(&str, &str)> {
    let field = |name: &str| {
        let (_, rest) = message.split_once(name)?;
        Some(rest.split_once('"')?.0)
    };
    let code = field("code: \"").filter(|code| !code.is_empty())?;
    Some((code, field("message: \"").unwrap_or_default()))
}

/// The status of HTTP that a server answered with, which the library shows among other things and gives no other way.
fn status_of(error: &opendal::Error) -> Option<u16> {
    let shown = error.to_string();
    let (_, rest) = shown.split_once("Parts { status: ")?;
    rest.get(..3)?.parse().ok()
}

/// What happened, without the request and answer that the library shows beside it: they are long and hide it.
fn in_words(error: &opendal::Error) -> String {
    let said = match error.message().trim() {
        // A page for people.
        page if page.starts_with('<') => "",
        said => said,
    };
    let mut words = match (status_of(error), said) {
        (Some(status), "") => format!("the server answered {status}"),
        (Some(status), said) => format!("the server answered {status}: {said}"),
        (None, said) => format!("{}: {said}", error.kind()),
    };
    for cause in chain(error) {
        let said = cause.to_string();
        if !words.contains(&said) {
            words.push_str(": ");
            words.push_str(&said);
        }
    }
    words
}

fn classify(error: &opendal::Error) -> (ErrorKind, &'static str) {
    use opendal::ErrorKind as Theirs;
    match error.kind() {
        Theirs::NotFound => (ErrorKind::NotFound, CHECK_SETTING),
        Theirs::PermissionDenied => (ErrorKind::AccessDenied, CHECK_KEYS),
        Theirs::ConfigInvalid => (ErrorKind::InvalidArgument, CHECK_SETTING),
        Theirs::Unsupported => (ErrorKind::NotSupported, CHECK_SETTING),
        Theirs::RateLimited => (ErrorKind::Unavailable, FEWER_REQUESTS),
        Theirs::Conflict => (ErrorKind::Conflict, "Try again in a moment."),
        Theirs::IsADirectory | Theirs::NotADirectory => (
            ErrorKind::Io,
            "Something else has taken the place of a folder or object there.",
        ),
        _ if status_of(error) == Some(TOO_MANY_REQUESTS) => (ErrorKind::Unavailable, FEWER_REQUESTS),
        // What a network or a server does for a while; a request that is wrong for good has a kind of its own.
        _ if error.is_temporary() || error.is_persistent() => (
            ErrorKind::Unavailable,
            "Check that the store works; what waits for it goes on by itself when it does.",
        ),
        _ => (ErrorKind::Io, CHECK_SETTING),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(kind: opendal::ErrorKind, message: &str) -> Reason {
        Reason::of(&opendal::Error::new(kind, message))
    }

    #[test]
    fn the_code_of_a_provider_is_repeated_and_known_ones_are_explained() {
        let denied = answered(
            opendal::ErrorKind::PermissionDenied,
            r#"S3Error { code: "AccessDenied", message: "Not yours", resource: "", request_id: "" }"#,
        );
        assert_eq!(denied.kind, ErrorKind::AccessDenied);
        assert_eq!(denied.words, "access denied (AccessDenied: Not yours)");
        let skewed = answered(
            opendal::ErrorKind::PermissionDenied,
            r#"S3Error { code: "RequestTimeTooSkewed", message: "..." }"#,
        );
        assert!(
            skewed.words.contains("clocks") && skewed.advice.contains("clock"),
            "{skewed:?}"
        );
    }

    #[test]
    fn a_missing_bucket_is_not_taken_for_a_missing_object() {
        let message = r#"S3Error { code: "NoSuchBucket", message: "gone" }"#;
        let reason = answered(opendal::ErrorKind::NotFound, message);
        assert_eq!(reason.kind, ErrorKind::Io);
        let message = r#"S3Error { code: "NoSuchKey", message: "gone" }"#;
        assert_eq!(
            answered(opendal::ErrorKind::NotFound, message).kind,
            ErrorKind::NotFound
        );
    }

    #[test]
    fn what_a_server_answered_is_told_by_its_status_and_without_its_page() {
        let answered = |status: u16, body: &str| {
            let parts = format!("Parts {{ status: {status}, version: HTTP/1.1, headers: {{}} }}");
            Reason::of(
                &opendal::Error::new(opendal::ErrorKind::Unexpected, body).with_context("response", parts),
            )
        };
        assert_eq!(answered(500, "").words, "the server answered 500");
        assert_eq!(answered(500, "<html>sad</html>").words, "the server answered 500");
        assert_eq!(answered(507, "full").words, "the server answered 507: full");
        let too_many = answered(429, "");
        assert_eq!(too_many.kind, ErrorKind::Unavailable);
        assert!(too_many.advice.contains("fewer requests"), "{too_many:?}");
    }

    #[test]
    fn a_failure_of_the_network_is_said_in_words() {
        for (kind, words) in [
            (io::ErrorKind::ConnectionRefused, "connection refused"),
            (io::ErrorKind::TimedOut, "timed out"),
            (io::ErrorKind::ConnectionReset, "the connection broke"),
        ] {
            let error = opendal::Error::new(opendal::ErrorKind::Unexpected, "send http request")
                .with_temporary(true)
                .set_source(io::Error::from(kind));
            let reason = Reason::of(&error);
            assert_eq!(
                (reason.words.as_str(), reason.kind),
                (words, ErrorKind::Unavailable)
            );
        }
    }
}
