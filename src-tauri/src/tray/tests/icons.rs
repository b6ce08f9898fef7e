//! The icon.

use std::collections::HashSet;

use super::super::Icon;
use super::*;

const ALL: [Icon; 5] = [
    Icon::Offline,
    Icon::Attention,
    Icon::Paused,
    Icon::Active,
    Icon::Idle,
];

#[test]
fn an_agent_that_is_not_heard_is_offline() {
    assert_eq!(Icon::of(&Seen::Silent { problem: None }), Icon::Offline);
}

#[test]
fn the_gravest_is_shown() {
    let broken = || {
        volume(
            "Clients",
            VolumeState::Error {
                problem: problem(ProblemCode::Authentication, "The key is refused."),
            },
        )
    };
    assert_eq!(
        show(heard(vec![volume("a", VolumeState::Mounted)])).icon,
        Icon::Idle
    );
    assert_eq!(show(heard(vec![uploading()])).icon, Icon::Active);
    let mut paused = heard(vec![uploading()]);
    paused.status.pause = Pause::Paused { until: None };
    assert_eq!(show(paused.clone()).icon, Icon::Paused);
    paused.volumes.push(broken());
    assert_eq!(show(paused).icon, Icon::Attention);
}

#[test]
fn a_notice_a_failed_transfer_or_lost_data_wants_attention() {
    let mut lost = heard(Vec::new());
    lost.status.truth = Truth::Lost {
        message: "photos: /a".to_owned(),
    };
    assert_eq!(show(lost).icon, Icon::Attention);
    let mut noticed = heard(Vec::new());
    noticed.status.notices = vec![problem(ProblemCode::Internal, "The settings were damaged")];
    assert_eq!(show(noticed).icon, Icon::Attention);
    let mut failed = heard(Vec::new());
    let progress = Progress::Failed {
        problem: problem(ProblemCode::Unreachable, "The store does not answer."),
    };
    failed.transfers = Transfers::Known(vec![transfer("a.jpg", progress)]);
    assert_eq!(show(failed).icon, Icon::Attention);
}

#[test]
fn a_volume_that_comes_or_goes_is_activity() {
    for state in [
        VolumeState::Connecting {
            attempt: 1,
            reason: None,
        },
        VolumeState::Unmounting { waiting_for: None },
    ] {
        assert_eq!(show(heard(vec![volume("a", state)])).icon, Icon::Active);
    }
}

#[test]
fn no_two_icons_look_alike() {
    let pictures: HashSet<Vec<u8>> = ALL.map(Icon::pixels).into();
    assert_eq!(pictures.len(), ALL.len());
    let length = (Icon::size() * Icon::size() * 4) as usize;
    assert!(pictures.iter().all(|picture| picture.len() == length));
}

/// The picture of the window and of menus; `MOORAGE_WRITE_ICON=1` draws it anew.
#[test]
fn the_picture_of_the_program_is_the_icon_at_rest() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/icons/icon.png");
    if std::env::var_os("MOORAGE_WRITE_ICON").is_some() {
        let file = std::fs::File::create(path).expect("the file");
        let mut encoder = png::Encoder::new(file, Icon::size(), Icon::size());
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().expect("the header");
        writer.write_image_data(&Icon::Idle.pixels()).expect("the pixels");
        return;
    }
    let file = std::io::BufReader::new(std::fs::File::open(path).expect("the file"));
    let mut reader = png::Decoder::new(file).read_info().expect("the header");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("the pixels");
    assert!(pixels == Icon::Idle.pixels(), "icons/icon.png is stale");
}
