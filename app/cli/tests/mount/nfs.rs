//! A volume that is served over NFS to this computer, without a mount.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use nfs3_client::nfs3_types::nfs3::{
    COMMIT3args, CREATE3args, Nfs3Result, READ3args, WRITE3args, createhow3, diropargs3, nfs_fh3, sattr3,
    stable_how,
};
use nfs3_client::nfs3_types::rpc::{auth_unix, opaque_auth};
use nfs3_client::nfs3_types::xdr_codec::Opaque;
use nfs3_client::tokio::{TokioConnector, TokioIo};
use nfs3_client::{Nfs3Connection, Nfs3ConnectionBuilder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpStream;

use crate::fixture::{Volume, end_of, succeed};

/// A server that was started, and what it said of how to reach it.
struct Server {
    child: Child,
    port: u16,
    export: String,
}

impl Server {
    fn start(volume: &Volume) -> Server {
        let (point, mut command) = volume.mount_command("served");
        let mut child = command
            .args(["--backend", "nfs", "--no-mount"])
            .arg(volume.url())
            .arg(point)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let line = lines
            .by_ref()
            .map(|line| line.expect("text"))
            .find(|line| line.contains("mountport="))
            .expect("a command that mounts it");
        // It may say more, and is not to be stopped by that.
        std::thread::spawn(move || lines.for_each(drop));
        let behind = |mark: &str| {
            let rest = line.split_once(mark).expect(mark).1;
            rest.split([',', ' ']).next().unwrap_or_default().to_owned()
        };
        Server {
            child,
            port: behind("mountport=").parse().expect("a port"),
            export: behind("127.0.0.1:"),
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("it lives");
    }

    async fn connect(&self) -> Nfs3Connection<TokioIo<TcpStream>> {
        Nfs3ConnectionBuilder::new(TokioConnector, "127.0.0.1", &self.export)
            .connect_from_privileged_port(false)
            .mount_port(self.port)
            .nfs3_port(self.port)
            .credential(opaque_auth::auth_unix(&auth_unix::default()))
            .mount()
            .await
            .expect("it lets the caller in")
    }
}

fn content(number: u8) -> Vec<u8> {
    (0..200_000_u32).map(|at| (at >> 3) as u8 ^ number).collect()
}

#[tokio::test]
async fn what_a_commit_acknowledged_is_there_after_a_kill_under_the_same_handle() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mut server = Server::start(&volume);
    let mut client = server.connect().await;
    let root = client.root_nfs_fh3();
    let mut files: Vec<nfs_fh3> = Vec::new();
    let mut verifier = None;
    for number in 0..8 {
        let name = format!("file-{number}");
        let create = CREATE3args {
            where_: diropargs3 {
                dir: root.clone(),
                name: name.as_bytes().into(),
            },
            how: createhow3::GUARDED(sattr3::default()),
        };
        let file = client
            .create(&create)
            .await
            .expect("an answer")
            .unwrap()
            .obj
            .unwrap();
        let data = content(number);
        let write = WRITE3args {
            file: file.clone(),
            offset: 0,
            count: data.len() as u32,
            stable: stable_how::UNSTABLE,
            data: Opaque::borrowed(&data),
        };
        client.write(&write).await.expect("an answer").unwrap();
        // The last one is acknowledged as written alone.
        if number < 7 {
            let commit = COMMIT3args {
                file: file.clone(),
                offset: 0,
                count: 0,
            };
            verifier = Some(client.commit(&commit).await.expect("an answer").unwrap().verf);
        }
        files.push(file);
    }
    server.signal(Signal::SIGKILL);
    end_of(&mut server.child);

    let mut again = Server::start(&volume);
    assert_eq!((again.port, &again.export), (server.port, &server.export));
    let mut client = again.connect().await;
    for (file, number) in files.iter().zip(0..7) {
        let read = READ3args {
            file: file.clone(),
            offset: 0,
            count: 1 << 20,
        };
        let read = client.read(&read).await.expect("an answer").unwrap();
        assert!(read.eof && read.data.as_ref() == content(number), "file {number}");
    }
    let commit = COMMIT3args {
        file: files.last().expect("files").clone(),
        offset: 0,
        count: 0,
    };
    let committed = client.commit(&commit).await.expect("an answer");
    let Nfs3Result::Ok(committed) = committed else {
        panic!("the name that was made is gone: {committed:?}")
    };
    assert_ne!(
        Some(committed.verf),
        verifier,
        "the client would not send the last file again"
    );

    again.signal(Signal::SIGTERM);
    assert!(end_of(&mut again.child).success());
    succeed(volume.program().arg("fsck").arg(volume.url()));
}

#[test]
fn flags_that_do_not_fit_the_way_to_mount_are_named() {
    let Some(volume) = Volume::format(&[]) else { return };
    for (flags, named) in [
        (["--no-mount", "--no-bgjob"].as_slice(), "--backend nfs"),
        (&["--backend", "nfs", "--no-mount", "-o", "allow_other"], "-o"),
        (&["--backend", "nfs", "--no-mount", "-d"], "--background"),
    ] {
        let (point, mut command) = volume.mount_command("refused");
        let output = refused(command.args(flags).arg(volume.url()).arg(point));
        assert!(output.contains(named), "{output}");
    }
}

/// What a command that fails says.
fn refused(command: &mut Command) -> String {
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let mut errors = child.stderr.take().expect("piped");
    errors.read_to_string(&mut said).expect("text");
    assert!(!end_of(&mut child).success());
    said
}
