//! `moorage format`

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use moorage_meta::{Engine, Meta, without_secrets};
use moorage_model::{Error, ErrorKind, Result, Setting, SystemClock};

use crate::arguments::{MetaUrlArgument, SecretsArguments, StoreArguments};
use crate::context::Context;
use crate::making::{self, Making};
use crate::noun::DAYS;
use crate::output::{self, OutputArguments};
use crate::store_check::{self, StoreChange};
use crate::volume::{self, Database};
use crate::{data_key, size};

/// Make a volume, or change the changeable options of one
///
/// The object store is written, read and deleted from before anything is stored. Running it again on an existing
/// volume changes the options that are given and keeps the others; of the name and the layout, which stay as they were
/// made, it refuses other values. A making that was broken off is brought to its end.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) database: MetaUrlArgument,

    /// Name of the volume and of its folder in the bucket: 3 to 63 lower-case letters, digits and dashes
    name: String,

    #[command(flatten)]
    store: StoreArguments,

    #[command(flatten)]
    layout: LayoutArguments,

    #[command(flatten)]
    limits: LimitArguments,

    /// Overwrite options that a volume fixes, but not its encryption, use a folder of the bucket that holds other objects,
    /// and take a bucket that lacks those of the volume. Data that was written with other options becomes unreadable
    #[arg(long)]
    force: bool,

    /// Leave an existing volume as it is: no option has an effect on it
    #[arg(long, conflicts_with = "force")]
    no_update: bool,

    /// Refuse a database that holds a volume already
    #[arg(long, conflicts_with_all = ["force", "no_update"])]
    new: bool,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What a volume fixes when it is made.
#[derive(Args, Debug)]
#[command(next_help_heading = "Layout, fixed once the volume is made")]
struct LayoutArguments {
    /// Size of an object: a power of two from 64K to 16M; plain numbers count KiB [default: 4M]
    #[arg(long, value_name = "SIZE", value_parser = size::from_kib)]
    block_size: Option<u64>,

    /// Compression of objects [default: none]
    #[arg(long)]
    compress: Option<Compress>,

    /// Buckets to spread objects over, up to 256 [default: 0, one bucket]
    #[arg(long, value_name = "N")]
    shards: Option<u32>,

    /// Begin object names with a hash of their number
    #[arg(long)]
    hash_prefix: bool,

    /// File with the RSA or SM2 private key (PEM) that encrypts the data. Its passphrase comes from
    /// MOORAGE_RSA_PASSPHRASE or JFS_RSA_PASSPHRASE, when the volume is made and at every mount
    #[arg(long, value_name = "FILE")]
    encrypt_rsa_key: Option<PathBuf>,

    /// Encryption of the data [default: aes256gcm-rsa]
    #[arg(long)]
    encrypt_algo: Option<EncryptAlgorithm>,
}

/// What can be changed later, also with `moorage config`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits and features")]
struct LimitArguments {
    /// Most bytes; plain numbers count GiB, 0 is unlimited [default: 0]
    #[arg(long, value_name = "SIZE", value_parser = size::from_gib)]
    capacity: Option<u64>,

    /// Most files and folders, 0 is unlimited [default: 0]
    #[arg(long, value_name = "N")]
    inodes: Option<u64>,

    /// Days that removed files stay in the trash, 0 turns it off [default: 1]
    #[arg(long, value_name = "DAYS")]
    trash_days: Option<u32>,

    /// Keep POSIX access control lists; can not be turned off again
    #[arg(long)]
    enable_acl: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Compress {
    None,
    Lz4,
    Zstd,
}

impl Compress {
    fn text(self) -> &'static str {
        match self {
            Compress::None => "none",
            Compress::Lz4 => "lz4",
            Compress::Zstd => "zstd",
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EncryptAlgorithm {
    #[value(name = "aes256gcm-rsa")]
    Aes256GcmRsa,
    #[value(name = "chacha20-rsa")]
    ChaCha20Rsa,
    #[value(name = "sm4gcm")]
    Sm4Gcm,
}

impl EncryptAlgorithm {
    fn text(self) -> &'static str {
        match self {
            EncryptAlgorithm::Aes256GcmRsa => "aes256gcm-rsa",
            EncryptAlgorithm::ChaCha20Rsa => "chacha20-rsa",
            EncryptAlgorithm::Sm4Gcm => "sm4gcm",
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    let engine = volume::open_engine(&arguments.database.url, Database::MakeIfMissing)?;
    let existing = Meta::load_setting(&engine).await?;
    let stored = match existing {
        Some(existing) if arguments.new => {
            return Err(Error::new(
                ErrorKind::Exists,
                format!(
                    "the database {} holds the volume {} already",
                    engine.location(),
                    existing.name
                ),
            )
            .with_advice("Mount that volume, or name an empty database."));
        }
        Some(existing) if arguments.no_update => {
            context.say(&format!("Volume {} exists and stays as it is.", existing.name));
            making::finish(&engine, &existing, context).await?;
            existing
        }
        Some(existing) => {
            let changed = change(&engine, &existing, arguments, context).await?;
            making::finish(&engine, &changed, context).await?;
            changed
        }
        None => {
            let making = Making {
                force: arguments.force,
            };
            making::make(&engine, &new_setting(arguments)?, making, context).await?
        }
    };
    engine.make_durable().await?;
    engine.close().await?;
    output::print(arguments.output, &without_secrets(&stored), |setting| {
        describe(setting, &engine.location())
    })
}

/// Applies what the command line names to an existing volume.
async fn change(
    engine: &Arc<dyn Engine>,
    existing: &Setting,
    arguments: &Arguments,
    context: &Context,
) -> Result<Setting> {
    let mut setting = existing.with_opened_secrets()?;
    setting.name.clone_from(&arguments.name);
    apply(&mut setting, arguments)?;
    if setting.encrypt_key.is_empty() && arguments.layout.encrypt_algo.is_some() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "volume {} has data that is not encrypted, and --encrypt-algo does not change that",
                existing.name
            ),
        )
        .with_advice(
            "Leave --encrypt-algo out. Encryption needs a volume of its own, to which files are copied.",
        ));
    }
    if arguments.store.is_given() {
        let meta = volume::meta_to_look(engine).await?;
        let change = StoreChange {
            before: existing,
            after: &setting,
            force: arguments.force,
        };
        store_check::check_change(&meta, change, context).await?;
    }
    let sealed = making::seal(&setting)?;
    if arguments.force {
        Meta::format_forced(engine, &sealed, &SystemClock).await
    } else {
        Meta::format(engine, &sealed, &SystemClock).await
    }
}

/// The setting of a new volume, secrets in the open.
fn new_setting(arguments: &Arguments) -> Result<Setting> {
    let mut setting = arguments.store.new_setting(&arguments.name)?;
    apply(&mut setting, arguments)?;
    if setting.encrypt_key.is_empty() && arguments.layout.encrypt_algo.is_some() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "--encrypt-algo without a key encrypts nothing",
        )
        .with_advice("Give the key with --encrypt-rsa-key, or leave --encrypt-algo out."));
    }
    Ok(setting)
}

/// A block size as the setting keeps it, in KiB; which of them can be is for the setting's own rules.
fn block_kib(bytes: u64) -> Result<u32> {
    let kib = u32::try_from(bytes >> 10).ok();
    kib.filter(|_| bytes.trailing_zeros() >= 10).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("blocks of {bytes} bytes are not possible"),
        )
        .with_advice("Give --block-size a power of two from 64K to 16M.")
    })
}

/// Puts everything that the command line names into the setting.
fn apply(setting: &mut Setting, arguments: &Arguments) -> Result<()> {
    arguments.store.apply(setting)?;
    let layout = &arguments.layout;
    if let Some(bytes) = layout.block_size {
        setting.block_size = block_kib(bytes)?;
    }
    if let Some(compress) = layout.compress {
        compress.text().clone_into(&mut setting.compression);
    }
    if let Some(shards) = layout.shards {
        setting.shards = shards;
    }
    setting.hash_prefix |= layout.hash_prefix;
    if let Some(file) = &layout.encrypt_rsa_key {
        setting.encrypt_key = data_key::read(file)?;
    }
    if let Some(algorithm) = layout.encrypt_algo {
        algorithm.text().clone_into(&mut setting.encrypt_algo);
    }
    let limits = &arguments.limits;
    setting.capacity = limits.capacity.unwrap_or(setting.capacity);
    setting.inodes = limits.inodes.unwrap_or(setting.inodes);
    setting.trash_days = limits.trash_days.unwrap_or(setting.trash_days);
    setting.enable_acl |= limits.enable_acl;
    Ok(())
}

fn describe(setting: &Setting, location: &str) -> String {
    let limit = |value: u64, shown: String| if value == 0 { "unlimited".to_owned() } else { shown };
    let encryption = if setting.encrypt_key.is_empty() {
        "none"
    } else {
        &setting.encrypt_algo
    };
    let fields = [
        ("Volume", format!("{} ({})", setting.name, setting.uuid)),
        ("Database", location.to_owned()),
        ("Objects", format!("{} {}", setting.storage, setting.bucket)),
        ("Block size", size::show(u64::from(setting.block_size) << 10)),
        ("Compression", setting.compression.clone()),
        ("Encryption", encryption.to_owned()),
        ("Capacity", limit(setting.capacity, size::show(setting.capacity))),
        ("Inodes", limit(setting.inodes, setting.inodes.to_string())),
        ("Trash", DAYS.count(u64::from(setting.trash_days))),
    ];
    format!(
        "{}\nMount it with: moorage mount {location} MOUNTPOINT\n",
        output::fields(&fields)
    )
}
