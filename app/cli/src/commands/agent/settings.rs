//! `moorage agent settings`

use clap::{Args, ValueEnum};
use moorage_control::settings::Settings;
use moorage_model::Result;

use crate::agent::{connect, error_of};
use crate::output::{self, OutputArguments};
use crate::size;

/// Bytes a second in the unit of the limits, a megabit per second.
const MEGABIT_BYTES: u64 = 1_000_000 / 8;

/// Show what holds for all volumes of this user, or change it
///
/// The limits hold for all volumes of the list together: those that transfer share them, anew every few seconds, beside what
/// each volume may have as its own limit. They hold for as long as the agent runs; a mount that it does not hear from keeps its last share.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Whether Moorage starts when this user logs in: the tray where it is installed beside this program, else the agent
    #[arg(long, value_enum, value_name = "ON_OR_OFF")]
    start_at_login: Option<Switch>,

    /// Limit of all uploads together, in Mbps; 0 for none
    #[arg(long, value_name = "MBPS")]
    upload_limit: Option<u32>,

    /// Limit of all downloads together, in Mbps; 0 for none
    #[arg(long, value_name = "MBPS")]
    download_limit: Option<u32>,

    /// Whether transfers are held while the connection is metered, as NetworkManager says; where nobody says, nothing is held
    #[arg(long, value_enum, value_name = "ON_OR_OFF")]
    hold_on_metered: Option<Switch>,

    /// Whether transfers are held while the computer runs on its battery, as UPower says; where nobody says, nothing is held
    #[arg(long, value_enum, value_name = "ON_OR_OFF")]
    hold_on_battery: Option<Switch>,

    /// Whether the tray tells of what a person has to know while no window shows it
    #[arg(long, value_enum, value_name = "ON_OR_OFF")]
    notifications: Option<Switch>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let client = connect().await?;
    let before = client.settings().await.map_err(error_of)?;
    let wanted = changed(arguments, before.clone());
    let settings = if wanted == before {
        before
    } else {
        client.change_settings(wanted).await.map_err(error_of)?
    };
    output::print(arguments.output, &settings, shown)
}

fn changed(arguments: &Arguments, before: Settings) -> Settings {
    let limit = |given: Option<u32>, before: Option<u64>| match given {
        None => before,
        Some(0) => None,
        Some(megabits) => Some(u64::from(megabits) * MEGABIT_BYTES),
    };
    let switched = |given: Option<Switch>, before: bool| given.map_or(before, |switch| switch == Switch::On);
    Settings {
        start_at_login: switched(arguments.start_at_login, before.start_at_login),
        hold_on_metered: switched(arguments.hold_on_metered, before.hold_on_metered),
        hold_on_battery: switched(arguments.hold_on_battery, before.hold_on_battery),
        notifications: switched(arguments.notifications, before.notifications),
        upload_limit: limit(arguments.upload_limit, before.upload_limit),
        download_limit: limit(arguments.download_limit, before.download_limit),
        ..before
    }
}

fn shown(settings: &Settings) -> String {
    let limit = |limit: Option<u64>| {
        limit.map_or_else(|| "none".to_owned(), |bytes| format!("{}/s", size::show(bytes)))
    };
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    output::fields(&[
        ("start at login", switch(settings.start_at_login)),
        ("upload limit", limit(settings.upload_limit)),
        ("download limit", limit(settings.download_limit)),
        ("hold on a metered connection", switch(settings.hold_on_metered)),
        ("hold on battery", switch(settings.hold_on_battery)),
        ("notifications", switch(settings.notifications)),
    ])
}
