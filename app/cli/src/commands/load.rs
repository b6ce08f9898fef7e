//! `moorage load`

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use moorage_chunk::{Cipher, DataKey, Sealer};
use moorage_meta::admin::Progress;
use moorage_meta::{DumpCompression, Engine, LoadSummary, Meta};
use moorage_model::{Error, ErrorKind, Result, SystemClock};
use serde_json::{Value, json};

use crate::arguments::MetaUrlArgument;
use crate::context::Context;
use crate::noun::{DIRECTORIES, NODES, agree};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::volume::{self, Database};
use crate::{data_key, environment, io_kind, size};

/// Make a volume in an empty database out of a dump, of Moorage or of JuiceFS
///
/// Never use the old database and the new one at the same time: both would hand out the same numbers, and each would
/// delete what only the other needs. The data stays where it is in the object store. What fails leaves the database
/// empty.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// Dump to load, packed or not; standard input without one, or with -
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// The private key of the volume in PEM: opens a backup of an encrypted volume, and becomes the key of the loaded
    /// volume where the dump lacks it, as one made with --binary does. Its passphrase goes into JFS_RSA_PASSPHRASE
    #[arg(long, value_name = "FILE")]
    encrypt_rsa_key: Option<PathBuf>,

    /// How that backup is encrypted
    #[arg(
        long,
        value_name = "NAME",
        default_value = "aes256gcm-rsa",
        requires = "encrypt_rsa_key"
    )]
    encrypt_algo: String,

    /// Accepted for scripts: the file tells which form it has
    #[arg(long, hide = true)]
    binary: bool,

    /// Accepted for scripts: records are stored in batches, one after the other
    #[arg(short = 'p', long, hide = true)]
    threads: Option<usize>,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

impl Arguments {
    /// What opens an encrypted dump with this key.
    fn sealer(&self, pem: &str) -> Result<Sealer> {
        let key = DataKey::from_pem(pem, environment::rsa_passphrase().as_deref())?;
        Ok(Sealer::new(key, Cipher::parse(&self.encrypt_algo)?))
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let file = arguments.file.as_deref().filter(|file| *file != Path::new("-"));
    let pem = arguments
        .encrypt_rsa_key
        .as_deref()
        .map(data_key::read)
        .transpose()?;
    let sealer = pem.as_deref().map(|pem| arguments.sealer(pem)).transpose()?;
    let (dump, sealed) = open(file, sealer.as_ref())?;
    let engine = volume::open_engine(&arguments.database.url, Database::MakeIfMissing)?;
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Loading",
        unit: NODES,
    };
    let loaded = context
        .watch(
            work,
            &counts,
            Meta::load_dump(&engine, dump, &SystemClock, &counts),
        )
        .await;
    let loaded = match (loaded, file) {
        (Err(error), Some(file)) if error.kind() == ErrorKind::Corrupt => {
            Err(error.context(format!("loading {}", file.display())))
        }
        (loaded, _) => loaded,
    };
    let keyed = match &loaded {
        Ok(summary) => give_key(summary, pem, sealed, &engine, context).await,
        Err(_) => Ok(()),
    };
    let closed = engine.close().await;
    let summary = loaded?;
    keyed?;
    closed?;
    if summary.repeated > 0 {
        context.say(&format!(
            "warning: {} in the dump twice, because {} moved while it was made; what the second place had in addition \
             is not loaded.",
            DIRECTORIES.count(summary.repeated) + agree(summary.repeated, " is", " are"),
            agree(summary.repeated, "it was", "they were"),
        ));
    }
    if summary.secrets_removed {
        context.say(
            "warning: the dump has no secrets of the object store; set them with `moorage config META-URL --secret-key KEY` \
             (or --session-token, or --bucket with its password).",
        );
    }
    output::print(arguments.output, &as_json(&summary), |_| {
        let (nodes, space) = (NODES.count(summary.nodes), size::show(summary.space));
        format!("Loaded volume {}: {nodes}, {space}.", summary.name)
    })
}

/// Gives the loaded volume the key that the dump lacks, or says that it still lacks it, or that it needs none.
async fn give_key(
    summary: &LoadSummary,
    pem: Option<String>,
    sealed: bool,
    engine: &Arc<dyn Engine>,
    context: &Context,
) -> Result<()> {
    match (pem, summary.key_removed) {
        (Some(pem), true) => data_key::set(engine, pem, context).await.map_err(|error| {
            error
                .context(format!(
                    "volume {} is loaded, but its key is not set",
                    summary.name
                ))
                .with_advice("Set it with `moorage config META-URL --encrypt-rsa-key FILE`.")
        })?,
        (None, true) => context.say(
            "warning: the dump lacks the key of the encrypted volume; set it with `moorage config META-URL \
             --encrypt-rsa-key FILE`: without it no file can be read or written.",
        ),
        (Some(_), false) if !sealed => context
            .say("warning: the dump is not encrypted and lacks no key: --encrypt-rsa-key was not needed."),
        _ => {}
    }
    Ok(())
}

fn as_json(summary: &LoadSummary) -> Value {
    json!({
        "name": summary.name,
        "nodes": summary.nodes,
        "space": summary.space,
        "repeated_directories": summary.repeated,
        "secrets_removed": summary.secrets_removed,
        "key_removed": summary.key_removed,
    })
}

/// Bytes that tell whether a dump is encrypted.
const START_BYTES: usize = 3;

/// Whether a dump of any form begins so, packed or not. An encrypted one begins with the length of its wrapped key in two
/// bytes and that of its nonce (spec 60-objects section 5), which no key makes any of these.
fn is_plain(start: &[u8]) -> bool {
    match start {
        // gzip, Zstandard, a segment of a binary dump.
        [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F] | [0, 0, 0] => true,
        [first, ..] => matches!(first, b'{' | b' ' | b'\t' | b'\r' | b'\n'),
        [] => true,
    }
}

/// Opens the dump and unpacks it on the way; whether it was encrypted. Such a one was encrypted as a whole, and is in
/// memory as such.
fn open(file: Option<&Path>, sealer: Option<&Sealer>) -> Result<(Box<dyn Read + Send>, bool)> {
    let name = file.unwrap_or(Path::new("-"));
    let mut packed: Box<dyn Read + Send> = match file {
        Some(file) => Box::new(File::open(file).map_err(|error| failed("dump", file, error))?),
        None => Box::new(io::stdin()),
    };
    let mut start = Vec::new();
    packed
        .by_ref()
        .take(START_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(|error| failed("dump", name, error))?;
    let sealer = sealer.filter(|_| !is_plain(&start));
    packed = Box::new(io::Cursor::new(start).chain(packed));
    if let Some(sealer) = sealer {
        let mut sealed = Vec::new();
        packed
            .read_to_end(&mut sealed)
            .map_err(|error| failed("dump", name, error))?;
        let opened = sealer.open(&sealed, &name.display().to_string())?;
        packed = Box::new(io::Cursor::new(opened));
    }
    let unpacked = DumpCompression::unpack(packed).map_err(|error| failed("dump", name, error))?;
    Ok((unpacked, sealer.is_some()))
}

fn failed(what: &str, file: &Path, error: io::Error) -> Error {
    let what = format!("the {what} {} can not be read", file.display());
    Error::new(io_kind::of(&error), what).with_source(error)
}
