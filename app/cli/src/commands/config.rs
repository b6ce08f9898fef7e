//! `moorage config`

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, builder::BoolishValueParser};
use moorage_meta::admin::SettingChange;
use moorage_meta::{Counting, Engine, Meta, MetaOptions, without_secrets};
use moorage_model::{Error, ErrorKind, Result, Setting, SystemClock, Tier};
use serde_json::Value;

use crate::arguments::{MetaUrlArgument, SecretsArguments, whole_bucket};
use crate::commands::quota::idle_limits;
use crate::context::Context;
use crate::noun::NODES;
use crate::output::{self, OutputArguments};
use crate::store_check::{self, StoreChange};
use crate::volume::{self, Database};
use crate::{data_key, making, size};

/// Show the options of a volume, or change those that are given
///
/// Running mounts take limits of space, files and bandwidth, the trash and features up with their next heartbeat, within
/// seconds; the place of the objects, credentials and storage classes when they are mounted again. Secrets are shown as
/// `removed`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) database: MetaUrlArgument,

    #[command(flatten)]
    store: StoreArguments,

    #[command(flatten)]
    limits: LimitArguments,

    #[command(flatten)]
    features: FeatureArguments,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Object store")]
struct StoreArguments {
    /// Kind of the object store
    #[arg(long)]
    storage: Option<String>,

    /// Bucket URL or folder. Objects are not moved: copy them first. Refused where objects of the volume are missing
    #[arg(long)]
    bucket: Option<String>,

    /// Take a bucket that lacks objects of the volume: files can not be read before they are there
    #[arg(long)]
    force: bool,

    /// Access key
    #[arg(long)]
    access_key: Option<String>,

    /// Secret key
    #[arg(long)]
    secret_key: Option<String>,

    /// Session token
    #[arg(long)]
    session_token: Option<String>,

    /// Private key (PEM) of an encrypted volume that lacks it, because it was loaded from a dump without it; its
    /// passphrase goes into JFS_RSA_PASSPHRASE. No other key can be set
    #[arg(long, value_name = "FILE")]
    encrypt_rsa_key: Option<PathBuf>,

    /// Seal secrets that an old client stored in the open
    #[arg(long)]
    encrypt_secret: bool,

    /// Tier whose storage class or tag is changed, 0 (of new files) to 3
    #[arg(long, value_name = "0..3", value_parser = clap::value_parser!(u8).range(0..=3))]
    tier: Option<u8>,

    /// Storage class of that tier, of tier 0 without --tier
    #[arg(long)]
    storage_class: Option<String>,

    /// Tag of the objects of that tier, as KEY=VALUE: kept for JuiceFS clients, Moorage sends none
    #[arg(long, requires = "tier")]
    tag: Option<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Most bytes; plain numbers count GiB, 0 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::from_gib)]
    capacity: Option<u64>,

    /// Most files and folders, 0 is unlimited
    #[arg(long, value_name = "N")]
    inodes: Option<u64>,

    /// Days that removed files stay in the trash, 0 turns it off
    #[arg(long, value_name = "DAYS")]
    trash_days: Option<u32>,

    /// Mbit/s that each mount may upload with, 0 is unlimited
    #[arg(long, value_name = "MBPS", value_parser = clap::value_parser!(i64).range(0..))]
    upload_limit: Option<i64>,

    /// Mbit/s that each mount may download with, 0 is unlimited
    #[arg(long, value_name = "MBPS", value_parser = clap::value_parser!(i64).range(0..))]
    download_limit: Option<i64>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Features")]
struct FeatureArguments {
    /// Keep statistics of each folder, which folder quotas need
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    dir_stats: Option<bool>,

    /// Count what users and groups use, which their quotas need
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    user_group_quota: Option<bool>,

    /// Keep POSIX access control lists; can not be turned off again
    #[arg(long)]
    enable_acl: bool,

    /// Lowest version of the format that a client must speak
    #[arg(long, value_name = "VERSION")]
    min_client_version: Option<String>,

    /// Highest version of the format that a client may speak; empty for any
    #[arg(long, value_name = "VERSION")]
    max_client_version: Option<String>,

    /// Append a line to the changelog of the volume for every change
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          value_parser = BoolishValueParser::new())]
    changelog: Option<bool>,

    /// Seconds that changelog lines are kept, 0 for ever
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(0..))]
    changelog_max_age: Option<i64>,

    /// Changelog lines that are kept, 0 for all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    changelog_max_lines: Option<i64>,
}

/// Secrets to be replaced, in the open.
#[derive(Clone, Default, PartialEq, Eq)]
struct NewSecrets {
    secret_key: Option<String>,
    session_token: Option<String>,
    encrypt_key: Option<String>,
    seal: bool,
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    arguments.secrets.take()?;
    let engine = volume::open_engine(&arguments.database.url, Database::Existing)?;
    let setting = Meta::load_setting(&engine).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFormatted,
            format!("the database {} holds no volume", engine.location()),
        )
        .with_advice("Make one with `moorage format`, or check the metadata URL.")
    })?;
    let (change, secrets) = wanted(arguments, &setting)?;
    let shown = if change == SettingChange::default() && secrets == NewSecrets::default() {
        setting
    } else {
        update(&engine, &setting, change, secrets, arguments.store.force, context).await?
    };
    engine.close().await?;
    output::print(arguments.output, &without_secrets(&shown), as_lines)
}

/// What the command line asks for.
fn wanted(arguments: &Arguments, setting: &Setting) -> Result<(SettingChange, NewSecrets)> {
    let (store, limits, features) = (&arguments.store, &arguments.limits, &arguments.features);
    let storage = store.storage.as_ref().map(|storage| storage.to_ascii_lowercase());
    let kind = storage.as_deref().unwrap_or(&setting.storage);
    let bucket = store
        .bucket
        .as_ref()
        .map(|bucket| whole_bucket(kind, bucket))
        .transpose()?;
    let change = SettingChange {
        bucket,
        storage,
        access_key: store.access_key.clone(),
        tiers: tier(store, setting).into_iter().collect(),
        capacity: limits.capacity,
        inodes: limits.inodes,
        trash_days: limits.trash_days,
        upload_limit: limits.upload_limit,
        download_limit: limits.download_limit,
        dir_stats: features.dir_stats,
        user_group_quota: features.user_group_quota,
        enable_acl: features.enable_acl.then_some(true),
        min_client_version: features.min_client_version.clone(),
        max_client_version: features.max_client_version.clone(),
        change_log: features.changelog,
        change_log_max_age: features.changelog_max_age,
        change_log_max_lines: features.changelog_max_lines,
    };
    let encrypt_key = match &store.encrypt_rsa_key {
        Some(file) => data_key::wanted(setting, data_key::read(file)?)?,
        None => None,
    };
    let secrets = NewSecrets {
        secret_key: store.secret_key.clone(),
        session_token: store.session_token.clone(),
        encrypt_key,
        seal: store.encrypt_secret,
    };
    Ok((change, secrets))
}

fn tier(store: &StoreArguments, setting: &Setting) -> Option<Tier> {
    if store.storage_class.is_none() && store.tag.is_none() {
        return None;
    }
    let id = store.tier.unwrap_or(0);
    let tiers = setting.tiers.as_ref();
    let mut tier = tiers
        .and_then(|tiers| tiers.get(&id.to_string()).cloned())
        .unwrap_or(Tier {
            id,
            ..Tier::default()
        });
    if let Some(class) = &store.storage_class {
        tier.storage_class.clone_from(class);
    }
    if let Some(tag) = &store.tag {
        tier.tag.clone_from(tag);
    }
    Some(tier)
}

/// Tests the store when its place or credentials change, then stores the setting.
async fn update(
    engine: &Arc<dyn Engine>,
    setting: &Setting,
    change: SettingChange,
    secrets: NewSecrets,
    force: bool,
    context: &Context,
) -> Result<Setting> {
    let new_place = change.storage.is_some() || change.bucket.is_some() || change.access_key.is_some();
    let new_secrets = NewSecrets {
        seal: false,
        ..secrets.clone()
    };
    if new_place || new_secrets != NewSecrets::default() {
        let mut trial = open_all_but(setting, &secrets)?;
        change.apply(&mut trial)?;
        test_store(engine, setting, &trial, force, context).await?;
    }
    let changed = Meta::change_setting(engine, &SystemClock, move |setting| {
        if secrets != NewSecrets::default() {
            *setting = making::seal(&open_all_but(setting, &secrets)?)?;
        }
        change.apply(setting)
    })
    .await?;
    let (before, after) = (&changed.before, &changed.after);
    if (after.user_group_quota && !before.user_group_quota) || (after.dir_stats && !before.dir_stats) {
        count_quotas(engine).await?;
    }
    engine.make_durable().await?;
    for line in differences(before, after) {
        context.say(&line);
    }
    if (before.dir_stats && !after.dir_stats) || (before.user_group_quota && !after.user_group_quota) {
        say_what_is_not_enforced(engine, context).await?;
    }
    Ok(changed.after)
}

/// Tests the store of a changed setting, unless secrets that a dump removed are still missing.
async fn test_store(
    engine: &Arc<dyn Engine>,
    before: &Setting,
    after: &Setting,
    force: bool,
    context: &Context,
) -> Result<()> {
    if let Err(missing) = after.refuse_removed_secrets() {
        context.say(&format!(
            "warning: the object store was not tested yet: {missing}"
        ));
        return Ok(());
    }
    let meta = volume::meta_to_look(engine).await?;
    let change = StoreChange { before, after, force };
    store_check::check_change(&meta, change, context).await
}

/// Counts what is there by now of what quotas are about, so that they start from there.
async fn count_quotas(engine: &Arc<dyn Engine>) -> Result<()> {
    let options = MetaOptions {
        background_jobs: false,
        ..MetaOptions::default()
    };
    let meta = Meta::open(Arc::clone(engine), options, Arc::new(SystemClock)).await?;
    let counted = meta.check_quotas(Counting::Entries, true).await?;
    match counted.checks.iter().find(|check| check.unreadable > 0) {
        None => Ok(()),
        Some(check) => Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "{} can not be read, so what is below quotas was not counted",
                NODES.count(check.unreadable)
            ),
        )
        .with_advice(
            "`moorage fsck` names what is damaged. Restore it, then run `moorage quota check --repair`.",
        )),
    }
}

/// Says that limits which stay on record are not kept any more.
async fn say_what_is_not_enforced(engine: &Arc<dyn Engine>, context: &Context) -> Result<()> {
    let meta = volume::meta_to_look(engine).await?;
    let list = meta.list_quotas().await?;
    for warning in idle_limits(&meta.setting(), &list.quotas) {
        context.say(&format!("warning: {warning}"));
    }
    Ok(())
}

/// The setting with its secrets in the open, the new ones in place of the stored.
fn open_all_but(setting: &Setting, secrets: &NewSecrets) -> Result<Setting> {
    let mut setting = setting.clone();
    // One that is replaced need not be readable any more.
    if secrets.secret_key.is_some() {
        setting.secret_key.clear();
    }
    if secrets.session_token.is_some() {
        setting.session_token.clear();
    }
    if secrets.encrypt_key.is_some() {
        setting.encrypt_key.clear();
    }
    let mut opened = setting.with_readable_secrets()?;
    if let Some(key) = &secrets.secret_key {
        opened.secret_key.clone_from(key);
    }
    if let Some(token) = &secrets.session_token {
        opened.session_token.clone_from(token);
    }
    if let Some(key) = &secrets.encrypt_key {
        opened.encrypt_key.clone_from(key);
    }
    Ok(opened)
}

/// One line per member that changed, without secrets.
fn differences(before: &Setting, after: &Setting) -> Vec<String> {
    let members = |setting: &Setting| match serde_json::to_value(without_secrets(setting)) {
        Ok(Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (members(before), members(after));
    after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| match before.get(name) {
            Some(old) => format!("{name}: {old} -> {value}"),
            None => format!("{name}: {value}"),
        })
        .collect()
}

fn as_lines(setting: &Setting) -> String {
    match serde_json::to_value(setting) {
        Ok(Value::Object(members)) => {
            let fields: Vec<(&str, String)> = members
                .iter()
                .map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (name.as_str(), text)
                })
                .collect();
            output::fields(&fields)
        }
        _ => String::new(),
    }
}
