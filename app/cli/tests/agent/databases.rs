//! A metadata database that goes away while the volume is mounted.

use crate::fixture::{Volume, succeed, until};
use crate::redis_server::Server;
use crate::running::Agent;

#[test]
fn a_volume_whose_database_is_away_is_degraded_until_it_is_back() {
    let Some(volume) = Volume::home() else { return };
    let Some(mut server) = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]) else {
        return;
    };
    let url = server.url();
    let mut format = volume.program();
    format
        .args(["format", "--storage", "file", "--bucket"])
        .arg(volume.path().join("objects"));
    succeed(format.args([url.as_str(), "testvolume"]));
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    let point = mount.point().display().to_string();
    agent.run(&["volume", "add", &url, &point, "--name", "disk", "--mount"]);
    until("it to be mounted", || agent.state() == "mounted");
    server.kill();
    until("the trouble to be told", || {
        agent.only_volume()["state"]["reasons"][0]["code"] == "metadata_unavailable"
    });
    assert_eq!(agent.state(), "degraded");
    server.start_again();
    until("it to be well", || agent.state() == "mounted");
}
