//! A volume in memory, served, and a client.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{ChunkConfig, ChunkStore, MemoryStore};
use moorage_engines::MemoryEngine;
use moorage_host::{MountBackend as _, MountPoint, MountSession as _};
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::{Setting, SystemClock};
use moorage_nfs::{NfsBackend, NfsOptions, NfsSession};
use moorage_vfs::{Vfs, VfsOptions};
use nfs3_client::tokio::{TokioConnector, TokioIo};
use nfs3_client::{ConnectError, Nfs3Connection, Nfs3ConnectionBuilder};
use nfs3_types::nfs3::*;
use nfs3_types::rpc::{auth_unix, opaque_auth};
use nfs3_types::xdr_codec::Opaque;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

const UUID: &str = "5a2f1a3e-9d0c-4a6e-8f3f-0f6f0c1d2e3f";
/// A user with no rights of its own.
pub(crate) const USER: u32 = 1000;

/// A volume, and the folder of what is kept of its mount.
pub(crate) struct Volume {
    engine: Arc<dyn Engine>,
    store: Arc<MemoryStore>,
    folder: tempfile::TempDir,
}

/// A server of it.
pub(crate) struct Served {
    pub(crate) vfs: Arc<Vfs>,
    session: NfsSession,
    pub(crate) port: u16,
    pub(crate) export: String,
}

pub(crate) type Connection = Nfs3Connection<TokioIo<TcpStream>>;

/// A client with a user, whose requests have to succeed unless a test says otherwise.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) root: nfs_fh3,
}

impl Volume {
    pub(crate) async fn new() -> Volume {
        Volume::limited(0).await
    }

    /// One that takes so many bytes; 0 is no limit.
    pub(crate) async fn limited(capacity: u64) -> Volume {
        let engine = Arc::new(MemoryEngine::new());
        engine.prepare().await.unwrap();
        let setting = Setting {
            name: "test".into(),
            uuid: UUID.into(),
            storage: "mem".into(),
            block_size: 64,
            compression: "none".into(),
            meta_version: 1,
            dir_stats: true,
            capacity,
            ..Setting::default()
        };
        let engine: Arc<dyn Engine> = engine;
        Meta::format(&engine, &setting, &SystemClock).await.unwrap();
        Volume {
            engine,
            store: Arc::new(MemoryStore::new()),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_with(VfsOptions::default()).await
    }

    pub(crate) async fn serve_with(&self, options: VfsOptions) -> Served {
        let meta_options = MetaOptions {
            read_only: options.read_only,
            ..MetaOptions::default()
        };
        let meta = Meta::open(Arc::clone(&self.engine), meta_options, Arc::new(SystemClock))
            .await
            .unwrap();
        let config = ChunkConfig {
            buffer_size: 24 << 20,
            cache: None,
            ..ChunkConfig::from_setting(&meta.setting()).unwrap()
        };
        let store = Arc::clone(&self.store);
        let chunks = ChunkStore::open(store, config, &meta.setting().uuid)
            .await
            .unwrap();
        let options = VfsOptions {
            check_permissions: true,
            attr_ttl: Duration::ZERO,
            ..options
        };
        let how = NfsOptions {
            uuid: UUID.into(),
            state: self.folder.path().join("state"),
            read_only: options.read_only,
            attributes: Duration::from_secs(1),
            serve_only: true,
        };
        let vfs = Vfs::open_volume(meta, chunks, options).await.unwrap();
        let session = NfsBackend::new(Handle::current())
            .mount(&vfs, &self.point(), &how)
            .unwrap();
        Served {
            vfs,
            port: session.port(),
            export: session.export().to_owned(),
            session,
        }
    }

    fn point(&self) -> MountPoint {
        MountPoint::resolve(Path::new(self.folder.path())).unwrap()
    }
}

impl Served {
    pub(crate) async fn client(&self) -> Client {
        self.client_of(0, 0, &[]).await
    }

    pub(crate) async fn client_of(&self, uid: u32, gid: u32, groups: &[u32]) -> Client {
        let connection = self.connect(uid, gid, groups, &self.export).await.unwrap();
        let root = connection.root_nfs_fh3();
        Client { connection, root }
    }

    pub(crate) async fn connect(
        &self,
        uid: u32,
        gid: u32,
        groups: &[u32],
        export: &str,
    ) -> Result<Connection, ConnectError> {
        let user = auth_unix {
            uid,
            gid,
            gids: groups.to_vec(),
            ..auth_unix::default()
        };
        Nfs3ConnectionBuilder::new(TokioConnector, "127.0.0.1", export)
            .connect_from_privileged_port(false)
            .mount_port(self.port)
            .nfs3_port(self.port)
            .credential(opaque_auth::auth_unix(&user))
            .mount()
            .await
    }

    /// Ends in an orderly way: everything is stored.
    pub(crate) async fn end(self) {
        let session = self.session;
        session.stopper().unwrap().stop();
        tokio::task::spawn_blocking(move || session.wait())
            .await
            .unwrap()
            .unwrap();
        self.vfs.shutdown().await.unwrap();
    }
}

pub(crate) fn at<'a>(directory: &nfs_fh3, name: &'a str) -> diropargs3<'a> {
    diropargs3 {
        dir: directory.clone(),
        name: name.as_bytes().into(),
    }
}

/// The status of a request that failed.
pub(crate) fn refusal<T: std::fmt::Debug, E>(result: Nfs3Result<T, E>) -> nfsstat3 {
    match result {
        Nfs3Result::Ok(done) => panic!("it succeeded: {done:?}"),
        Nfs3Result::Err((status, _)) => status,
    }
}

pub(crate) fn mode(mode: u32) -> sattr3 {
    sattr3 {
        mode: Nfs3Option::Some(mode),
        ..sattr3::default()
    }
}

impl Client {
    /// Makes a file with this mode, which is new.
    pub(crate) async fn create(&mut self, directory: &nfs_fh3, name: &str, permissions: u32) -> nfs_fh3 {
        let args = CREATE3args {
            where_: at(directory, name),
            how: createhow3::GUARDED(mode(permissions)),
        };
        self.connection.create(&args).await.unwrap().unwrap().obj.unwrap()
    }

    pub(crate) async fn mkdir(&mut self, directory: &nfs_fh3, name: &str, permissions: u32) -> nfs_fh3 {
        let args = MKDIR3args {
            where_: at(directory, name),
            attributes: mode(permissions),
        };
        self.connection.mkdir(&args).await.unwrap().unwrap().obj.unwrap()
    }

    pub(crate) async fn lookup(&mut self, directory: &nfs_fh3, name: &str) -> LOOKUP3res {
        let args = LOOKUP3args {
            what: at(directory, name),
        };
        self.connection.lookup(&args).await.unwrap()
    }

    pub(crate) async fn getattr(
        &mut self,
        node: &nfs_fh3,
    ) -> Nfs3Result<fattr3, nfs3_types::xdr_codec::Void> {
        let args = GETATTR3args { object: node.clone() };
        match self.connection.getattr(&args).await.unwrap() {
            Nfs3Result::Ok(found) => Nfs3Result::Ok(found.obj_attributes),
            Nfs3Result::Err(failed) => Nfs3Result::Err(failed),
        }
    }

    pub(crate) async fn setattr(&mut self, node: &nfs_fh3, changes: sattr3) -> SETATTR3res {
        let args = SETATTR3args {
            object: node.clone(),
            new_attributes: changes,
            guard: Nfs3Option::None,
        };
        self.connection.setattr(&args).await.unwrap()
    }

    pub(crate) async fn write(
        &mut self,
        file: &nfs_fh3,
        offset: u64,
        data: &[u8],
        stable: stable_how,
    ) -> WRITE3res {
        let args = WRITE3args {
            file: file.clone(),
            offset,
            count: data.len() as u32,
            stable,
            data: Opaque::borrowed(data),
        };
        self.connection.write(&args).await.unwrap()
    }

    pub(crate) async fn read(&mut self, file: &nfs_fh3, offset: u64, count: u32) -> READ3res<'static> {
        let args = READ3args {
            file: file.clone(),
            offset,
            count,
        };
        self.connection.read(&args).await.unwrap()
    }

    pub(crate) async fn commit(&mut self, file: &nfs_fh3) -> COMMIT3res {
        let args = COMMIT3args {
            file: file.clone(),
            offset: 0,
            count: 0,
        };
        self.connection.commit(&args).await.unwrap()
    }

    pub(crate) async fn remove(&mut self, directory: &nfs_fh3, name: &str) -> REMOVE3res {
        let args = REMOVE3args {
            object: at(directory, name),
        };
        self.connection.remove(&args).await.unwrap()
    }

    /// The whole content, in pieces of an odd size.
    pub(crate) async fn content(&mut self, file: &nfs_fh3) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let part = self.read(file, all.len() as u64, 100_003).await.unwrap();
            assert_eq!(part.count as usize, part.data.len());
            all.extend_from_slice(&part.data);
            if part.eof {
                return all;
            }
        }
    }
}
