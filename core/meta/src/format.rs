//! Making a volume, and changing the setting of one (spec 10-setting sections 2 and 7).

use std::collections::HashMap;
use std::sync::Arc;

use moorage_model::{
    Attr, Clock, Counter, DirStat, Error, ErrorKind, Gid, Ino, META_VERSION, NodeType, Quota, QuotaKey,
    Result, Setting, Tier, Timestamp, Uid, VersionGate, compare_versions,
};

use crate::open::refuse_missing_structures;
use crate::setting_text::{decode_setting, encode_setting};
use crate::{Engine, Key, Meta, Record, Scan, Txn, TxnExt as _, engine};

/// Most buckets of a sharded volume.
const MAX_SHARDS: u32 = 256;
/// Highest user-defined tier.
const MAX_TIER: u8 = 3;
/// The cipher that an empty member means (spec 10-setting section 2).
const DEFAULT_ALGORITHM: &str = "aes256gcm-rsa";
/// Most days of the trash, 9999 years: what is older than the calendar has no date.
const MAX_TRASH_DAYS: u32 = 3_652_059;
/// Records removed per transaction when statistics or quotas are cleared.
const CLEAR_BATCH: usize = 1000;
/// Value of a counter in a fresh volume (spec 40-sql section 3).
const FRESH_COUNTERS: [(Counter, i64); 6] = [
    (Counter::NextInode, 2),
    (Counter::NextChunk, 1),
    (Counter::NextSession, 0),
    (Counter::UsedSpace, 0),
    (Counter::TotalInodes, 0),
    (Counter::NextCleanupSlices, 0),
];

/// Edits the setting of an existing volume; may be called several times.
pub(crate) type Edit = Arc<dyn Fn(&mut Setting) -> Result<()> + Send + Sync>;

/// What the stored setting shall be.
enum Target {
    /// This one, merged with what is there.
    Wanted(Box<Setting>, Fixed),
    /// What is there, edited.
    Edited(Edit),
}

impl Target {
    fn setting(&self, before: Option<&Setting>) -> Result<Setting> {
        match (self, before) {
            (Target::Wanted(wanted, fixed), Some(existing)) => merge(existing, wanted, *fixed),
            (Target::Wanted(wanted, _), None) => Ok(Setting::clone(wanted)),
            (Target::Edited(_), None) => Err(ErrorKind::NotFormatted.into()),
            (Target::Edited(edit), Some(existing)) => {
                VersionGate::check(existing)?;
                let mut edited = existing.clone();
                edit(&mut edited)?;
                check_changeable(&edited)?;
                if existing.uuid != edited.uuid {
                    return Err(invalid("UUID", "it is fixed when the volume is made"));
                }
                let mut merged = merge(existing, &edited, Fixed::Refuse)?;
                // The floor that the operator asks for; `complete` raises it to what the members need.
                merged.min_client_version = edited.min_client_version;
                Ok(merged)
            }
        }
    }
}

/// Edits the setting of the volume in this database; returns it as it was and as it is.
pub(crate) async fn change(
    engine: &Arc<dyn Engine>,
    now: Timestamp,
    edit: Edit,
) -> Result<(Setting, Setting)> {
    let (before, after) = store_target(engine, Target::Edited(edit), now).await?;
    Ok((before.unwrap_or_default(), after))
}

/// Whether members that a volume fixes at its creation may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fixed {
    Refuse,
    Overwrite,
}

impl Meta {
    /// The setting of the volume in this database, secrets as stored; `None` when it holds no volume.
    ///
    /// # Errors
    /// `Corrupt` when the record is damaged; what the engine answers.
    pub async fn load_setting(engine: &Arc<dyn Engine>) -> Result<Option<Setting>> {
        let text = engine.get(&[Key::Setting]).await?.setting()?;
        text.map(|text| decode_setting(&text, &engine.location()))
            .transpose()
    }

    /// Makes a volume in an empty database, or updates the changeable members of the one there.
    /// Returns the setting as stored.
    ///
    /// The UUID of an existing volume wins; secrets must come sealed for it. Members unknown to this release
    /// stay, `MinClientVersion` is never lowered, and a setting without tiers gets the default tier.
    ///
    /// # Errors
    /// `InvalidArgument` naming the member that breaks a rule of spec 10-setting section 2 or that an existing
    /// volume fixes; `Exists` when the database holds something that is no volume; `VersionMismatch` when the
    /// volume is of a newer format; what the engine answers.
    pub async fn format(engine: &Arc<dyn Engine>, setting: &Setting, clock: &dyn Clock) -> Result<Setting> {
        store(engine, setting, clock.now(), Fixed::Refuse).await
    }

    /// Refuses a new volume that [`Meta::format`] would refuse, before anything outside of the database is touched.
    ///
    /// # Errors
    /// See [`Meta::format`].
    pub async fn check_new(engine: &Arc<dyn Engine>, setting: &Setting) -> Result<()> {
        check_changeable(setting)?;
        check_fixed(setting)?;
        check_empty(engine).await
    }

    /// As [`Meta::format`], and overwrites also the members that a volume fixes at its creation
    /// (name, block size, compression, shards, hash prefix, metadata version). Data written before becomes
    /// unreadable when they differ.
    ///
    /// # Errors
    /// See [`Meta::format`].
    pub async fn format_forced(
        engine: &Arc<dyn Engine>,
        setting: &Setting,
        clock: &dyn Clock,
    ) -> Result<Setting> {
        store(engine, setting, clock.now(), Fixed::Overwrite).await
    }
}

async fn store(engine: &Arc<dyn Engine>, wanted: &Setting, now: Timestamp, fixed: Fixed) -> Result<Setting> {
    check_changeable(wanted)?;
    let existing = Meta::load_setting(engine).await?;
    match &existing {
        Some(existing) => {
            VersionGate::check(existing)?;
            refuse_missing_structures(engine).await?;
        }
        None => {
            check_fixed(wanted)?;
            check_empty(engine).await?;
        }
    }
    engine.prepare().await?;
    let target = Target::Wanted(Box::new(wanted.clone()), fixed);
    store_target(engine, target, now).await.map(|(_, after)| after)
}

async fn check_empty(engine: &Arc<dyn Engine>) -> Result<()> {
    if engine.is_empty().await? {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Exists,
        format!("the database {} holds data of another program", engine.location()),
    )
    .with_advice("Give an empty database, or another table prefix or database number."))
}

async fn store_target(
    engine: &Arc<dyn Engine>,
    target: Target,
    now: Timestamp,
) -> Result<(Option<Setting>, Setting)> {
    let target = Arc::new(target);
    let location: Arc<str> = engine.location().into();
    let (before, after) = engine::run(engine.as_ref(), "format", move |txn| {
        let (target, location) = (Arc::clone(&target), Arc::clone(&location));
        Box::pin(async move { write(txn, &target, &location, now).await })
    })
    .await?;
    if let Some(before) = &before {
        if after.dir_stats && !before.dir_stats {
            forget(engine, Scan::DirStats, |_| true).await?;
        }
        if after.user_group_quota && !before.user_group_quota {
            forget(engine, Scan::Quotas, |key| {
                matches!(key, Key::Quota(QuotaKey::User(_) | QuotaKey::Group(_)))
            })
            .await?;
        }
    }
    Ok((before, after))
}

/// Writes setting, root, trash root and counters as far as they are missing.
async fn write(
    txn: &mut dyn Txn,
    target: &Target,
    location: &str,
    now: Timestamp,
) -> Result<(Option<Setting>, Setting)> {
    let mut keys = vec![Key::Setting, Key::Node(Ino::ROOT), Key::Node(Ino::TRASH)];
    keys.extend(FRESH_COUNTERS.map(|(counter, _)| Key::Counter(counter)));
    let mut found = txn.get_locked(&keys).await?;
    let before = found
        .setting()?
        .map(|text| decode_setting(&text, location))
        .transpose()?;
    let mut after = target.setting(before.as_ref())?;
    complete(&mut after);
    txn.put(Key::Setting, Record::Setting(encode_setting(&after)?));
    let directory = |mode| {
        Record::Node(Attr::new(
            NodeType::Directory,
            mode,
            Uid::ROOT,
            Gid(0),
            now,
            Ino::ROOT,
        ))
    };
    if found.node()?.is_none() {
        txn.insert(Key::Node(Ino::ROOT), directory(0o777));
        if after.dir_stats {
            // Statistics are kept only where a record is.
            txn.put(Key::DirStat(Ino::ROOT), Record::DirStat(DirStat::default()));
        }
    }
    if found.node()?.is_none() && after.trash_days > 0 {
        txn.insert(Key::Node(Ino::TRASH), directory(0o555));
    }
    for (counter, value) in FRESH_COUNTERS {
        if found.counter()?.is_none() {
            txn.insert(Key::Counter(counter), Record::Counter(value));
        }
    }
    Ok((before, after))
}

/// Default tier, metadata version and the client floor that the members ask for (spec 10-setting section 4).
fn complete(setting: &mut Setting) {
    let storage_class = setting.storage_class.clone();
    let tiers = setting.tiers.get_or_insert_default();
    if tiers.is_empty() {
        tiers.insert(
            "0".to_owned(),
            Tier {
                id: 0,
                storage_class,
                tag: String::new(),
            },
        );
    }
    let user_tiers = tiers.keys().any(|id| id != "0");
    if setting.meta_version == 0 {
        setting.meta_version = META_VERSION;
    }
    let ranger = !setting.ranger_rest_url.is_empty() || !setting.ranger_service.is_empty();
    let floors = [
        ("1.1.0-A", true),
        ("1.2.0-A", setting.enable_acl),
        ("1.3.0-A", ranger),
        ("1.4.0-A", user_tiers || !setting.kerb_conf.is_empty()),
    ];
    for (floor, _) in floors.into_iter().filter(|(_, needed)| *needed) {
        if compare_versions(&setting.min_client_version, floor).is_lt() {
            floor.clone_into(&mut setting.min_client_version);
        }
    }
}

/// The record to store for an existing volume.
fn merge(existing: &Setting, wanted: &Setting, fixed: Fixed) -> Result<Setting> {
    let mut merged = wanted.clone();
    if fixed == Fixed::Refuse {
        let same_text = |a: &str, b: &str| normal(a).eq_ignore_ascii_case(normal(b));
        let members = [
            ("Name", existing.name.clone(), existing.name == wanted.name),
            (
                "BlockSize",
                format!("{} KiB", existing.block_size),
                existing.block_size == wanted.block_size,
            ),
            (
                "Compression",
                normal(&existing.compression).to_owned(),
                same_text(&existing.compression, &wanted.compression),
            ),
            (
                "Shards",
                existing.shards.to_string(),
                existing.shards.max(1) == wanted.shards.max(1),
            ),
            (
                "HashPrefix",
                existing.hash_prefix.to_string(),
                existing.hash_prefix == wanted.hash_prefix,
            ),
            (
                "MetaVersion",
                existing.meta_version.to_string(),
                wanted.meta_version == 0 || existing.meta_version.max(1) == wanted.meta_version,
            ),
        ];
        for (member, has, same) in members {
            refuse_change(member, &has, same)?;
        }
        merged.compression.clone_from(&existing.compression);
        merged.shards = existing.shards;
        merged.meta_version = existing.meta_version;
    } else {
        check_fixed(wanted)?;
    }
    if existing.enable_acl && !wanted.enable_acl {
        return Err(invalid("EnableACL", "it can not be turned off again"));
    }
    if existing.uuid != wanted.uuid {
        if wanted.key_encrypted {
            return Err(invalid(
                "UUID",
                "the secrets are sealed for another volume; seal them for the existing UUID",
            ));
        }
        merged.uuid.clone_from(&existing.uuid);
    }
    refuse_other_encryption(existing, wanted)?;
    merged.encrypt_algo.clone_from(&existing.encrypt_algo);
    if existing.key_encrypted == wanted.key_encrypted && !existing.lacks_encrypt_key() {
        merged.encrypt_key.clone_from(&existing.encrypt_key);
    }
    if compare_versions(&existing.min_client_version, &wanted.min_client_version).is_gt() {
        merged.min_client_version.clone_from(&existing.min_client_version);
    }
    let mut unknown = existing.unknown.clone();
    unknown.extend(wanted.unknown.clone());
    merged.unknown = unknown;
    Ok(merged)
}

fn refuse_change(member: &str, has: &str, same: bool) -> Result<()> {
    if same {
        Ok(())
    } else {
        let why = format!("the volume has {has}, which is fixed since it was made");
        Err(invalid(member, &why).with_advice(
            "Leave it as it is. Other data needs a volume of its own, to which files are copied.",
        ))
    }
}

/// Key and cipher of the data are never changed (spec 10-setting section 2), and a volume that took others without a
/// word would be one that is not encrypted with them.
fn refuse_other_encryption(existing: &Setting, wanted: &Setting) -> Result<()> {
    let refused = |member, has: &str| {
        Err(
            invalid(member, &format!("the volume has {has}, which is fixed since it was made")).with_advice(
                "Leave key and cipher as they are. Another encryption needs a volume of its own, to which files are \
                 copied. A key gets another passphrase where it is kept, not here.",
            ),
        )
    };
    match (existing.encrypt_key.is_empty(), wanted.encrypt_key.is_empty()) {
        (true, false) => return refused("EncryptKey", "data that is not encrypted"),
        (false, true) => return refused("EncryptKey", "encrypted data"),
        (true, true) | (false, false) => {}
    }
    // Sealed twice, the same key is two texts. A volume that was loaded without its key takes it.
    if existing.encrypt_key != wanted.encrypt_key
        && !existing.lacks_encrypt_key()
        && existing.with_readable_secrets()?.encrypt_key.trim()
            != wanted.with_readable_secrets()?.encrypt_key.trim()
    {
        return refused("EncryptKey", "another key");
    }
    let algorithm = |setting: &Setting| match setting.encrypt_algo.as_str() {
        "" => DEFAULT_ALGORITHM.to_owned(),
        named => named.to_owned(),
    };
    let has = algorithm(existing);
    if has == algorithm(wanted) {
        Ok(())
    } else {
        refused("EncryptAlgo", &has)
    }
}

/// Empty compression means none.
fn normal(compression: &str) -> &str {
    if compression.is_empty() {
        "none"
    } else {
        compression
    }
}

fn invalid(member: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("volume setting {member}: {why}"),
    )
}

/// Rules for the members that are fixed when a volume is made.
fn check_fixed(setting: &Setting) -> Result<()> {
    let name = setting.name.as_bytes();
    let letter = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = name.iter().all(|b| letter(b) || *b == b'-');
    let ends = name.first().is_some_and(letter) && name.last().is_some_and(letter);
    if !(3..=63).contains(&name.len()) || !inner || !ends {
        return Err(invalid(
            "Name",
            "3 to 63 lower-case letters, digits and dashes are needed, with a letter or digit at both ends",
        ));
    }
    if uuid::Uuid::try_parse(&setting.uuid).map(|id| id.to_string()) != Ok(setting.uuid.clone()) {
        return Err(invalid("UUID", "a lower-case UUID with dashes is needed"));
    }
    if !setting.has_valid_block_size() {
        return Err(invalid(
            "BlockSize",
            "a power of two from 64 to 16384 KiB is needed",
        ));
    }
    if !["none", "lz4", "zstd"].contains(&normal(&setting.compression).to_ascii_lowercase().as_str()) {
        return Err(invalid("Compression", "none, lz4 or zstd is needed"));
    }
    if !["", "aes256gcm-rsa", "chacha20-rsa", "sm4gcm"].contains(&setting.encrypt_algo.as_str()) {
        return Err(invalid(
            "EncryptAlgo",
            "aes256gcm-rsa, chacha20-rsa or sm4gcm is needed",
        ));
    }
    if setting.shards > MAX_SHARDS {
        return Err(invalid("Shards", "at most 256 buckets are possible"));
    }
    if setting.meta_version > META_VERSION {
        return Err(invalid("MetaVersion", "this client makes volumes of version 1"));
    }
    Ok(())
}

/// Refuses a setting that no volume can have.
///
/// # Errors
/// `InvalidArgument` naming the member.
pub(crate) fn refuse_impossible(setting: &Setting) -> Result<()> {
    check_fixed(setting)?;
    check_changeable(setting)
}

/// Rules for the members that may change later.
fn check_changeable(setting: &Setting) -> Result<()> {
    let limit = i64::MAX.unsigned_abs();
    if setting.storage.is_empty() {
        return Err(invalid("Storage", "the kind of the object store is missing"));
    }
    if setting.capacity > limit || setting.inodes > limit {
        return Err(invalid("Capacity", "limits are below 2^63"));
    }
    if setting.trash_days > MAX_TRASH_DAYS {
        return Err(invalid("TrashDays", "at most 3652059 days are possible"));
    }
    if setting.upload_limit < 0 || setting.download_limit < 0 {
        return Err(invalid("UploadLimit", "a rate limit is 0 or more Mbit/s"));
    }
    if setting.change_log_max_age < 0 || setting.change_log_max_lines < 0 {
        return Err(invalid("ChangeLogMaxAge", "a changelog limit is 0 or more"));
    }
    for (key, tier) in setting.tiers.iter().flatten() {
        if tier.id > MAX_TIER || *key != tier.id.to_string() {
            return Err(invalid("Tiers", "ids are 0 to 3 and equal to their keys"));
        }
    }
    Ok(())
}

/// Forgets the figures in the records of a range that are chosen by their key, in batches: removes the records, but those
/// that hold limits of a quota, which somebody set.
async fn forget(engine: &Arc<dyn Engine>, range: Scan, chosen: fn(&Key) -> bool) -> Result<()> {
    let mut after: Option<Key> = None;
    loop {
        let page = engine.scan(&range, after.as_ref(), CLEAR_BATCH).await?;
        after = page.items.last().map(|(key, _)| key.clone());
        let keys: Arc<[Key]> = page
            .items
            .into_iter()
            .map(|(key, _)| key)
            .filter(chosen)
            .collect();
        if !keys.is_empty() {
            engine::run(engine.as_ref(), "forget", move |txn| {
                let keys = Arc::clone(&keys);
                Box::pin(async move { forget_page(txn, &keys).await })
            })
            .await?;
        }
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

async fn forget_page(txn: &mut dyn Txn, keys: &[Key]) -> Result<()> {
    let quotas: Vec<Key> = keys
        .iter()
        .filter(|key| matches!(key, Key::Quota(_)))
        .cloned()
        .collect();
    let mut limits = HashMap::new();
    if !quotas.is_empty() {
        let mut found = txn.get_locked(&quotas).await?;
        for key in quotas {
            // A record that can not be read has no limits that could be kept.
            if let Ok(Some(quota)) = found.quota()
                && quota.has_limits()
            {
                limits.insert(key, quota);
            }
        }
    }
    for key in keys {
        match limits.get(key) {
            Some(quota) => txn.put(
                key.clone(),
                Record::Quota(Quota {
                    used_space: 0,
                    used_inodes: 0,
                    ..*quota
                }),
            ),
            None => txn.delete(key.clone()),
        }
    }
    Ok(())
}
