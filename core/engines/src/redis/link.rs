//! Connections to whichever server holds the database.

use moorage_model::Result;
use parking_lot::RwLock;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, Pipeline,
    RedisFuture, RedisResult, TlsCertificates, TlsMode, Value,
};
use tokio::sync::Mutex;

use super::address::{Address, Host, Servers};
use super::failure::failure;
use super::tls::certificates;

/// Tries to connect again before a request fails; the caller repeats the request.
const RECONNECTS: usize = 2;

/// A connection that all callers share: requests are pipelined in the order of their callers.
#[derive(Clone)]
pub(super) enum Handle {
    Server(ConnectionManager),
    Cluster(Box<ClusterConnection>),
}

impl ConnectionLike for Handle {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Handle::Server(server) => server.req_packed_command(command),
            Handle::Cluster(cluster) => cluster.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Handle::Server(server) => server.req_packed_commands(pipeline, offset, count),
            Handle::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Handle::Server(server) => server.get_db(),
            Handle::Cluster(cluster) => cluster.get_db(),
        }
    }
}

impl Handle {
    /// Runs a command that names no key on the node that has the keys of this tag.
    pub(super) async fn on_node_of(&mut self, tag: &str, command: &Cmd) -> RedisResult<Value> {
        match self {
            Handle::Server(server) => server.req_packed_command(command).await,
            Handle::Cluster(cluster) => {
                let route = Route::with_key(tag, SlotAddr::Master);
                let route = RoutingInfo::SingleNode(SingleNodeRoutingInfo::SpecificNode(route));
                cluster.route_command(command.clone(), route).await
            }
        }
    }
}

/// How handles are made, and made again.
pub(super) struct Link {
    current: RwLock<Current>,
    sentinels: Option<Mutex<SentinelClient>>,
}

#[derive(Clone)]
struct Current {
    handle: Handle,
    /// Opens further connections to the same server; `None` for a cluster.
    client: Option<Client>,
    /// Counts the handles.
    generation: u64,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// What [`failure`] makes of it, and files for TLS that can not be read.
    pub(super) async fn open(address: &Address) -> Result<Link> {
        let files = match address.tls {
            true => Some(certificates(&address.options.tls)?),
            false => None,
        };
        let opened = match &address.servers {
            Servers::Sentinel(master, hosts) => Link::through(address, master, hosts, files).await,
            Servers::Cluster(hosts) => Link::cluster(address, hosts, files).await,
            Servers::One(host) => Link::direct(address, address.at(host), files).await,
            Servers::Socket(path) => Link::direct(address, ConnectionAddr::Unix(path.clone()), None).await,
        };
        opened.map_err(|error| failure(address, &error))
    }

    /// Connects to the cluster that this one node belongs to.
    pub(super) async fn open_cluster_of(address: &Address, node: &Host) -> Result<Link> {
        let files = match address.tls {
            true => Some(certificates(&address.options.tls)?),
            false => None,
        };
        Link::cluster(address, std::slice::from_ref(node), files)
            .await
            .map_err(|error| failure(address, &error))
    }

    async fn direct(
        address: &Address,
        server: ConnectionAddr,
        files: Option<TlsCertificates>,
    ) -> RedisResult<Link> {
        let info = server
            .into_connection_info()?
            .set_redis_settings(address.login.settings(address.database))
            .set_tcp_settings(undelayed());
        let client = match files {
            Some(files) => Client::build_with_tls(info, files)?,
            None => Client::open(info)?,
        };
        Ok(Link {
            current: RwLock::new(Current {
                handle: Handle::Server(managed(address, client.clone()).await?),
                client: Some(client),
                generation: 0,
            }),
            sentinels: None,
        })
    }

    async fn through(
        address: &Address,
        master: &str,
        hosts: &[Host],
        files: Option<TlsCertificates>,
    ) -> RedisResult<Link> {
        let sentinels = hosts
            .iter()
            .map(|(host, port)| ConnectionAddr::Tcp(host.clone(), *port));
        let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
            .set_client_to_redis_db(address.database);
        if let Some(files) = files {
            let mode = if address.options.tls.insecure {
                TlsMode::Insecure
            } else {
                TlsMode::Secure
            };
            builder = builder
                .set_client_to_redis_tls_mode(mode)
                .set_client_to_redis_certificates(files);
        }
        if let Some(user) = address.login.user() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = address.login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(password) = address.sentinel_login.password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        let mut sentinels = builder.build()?;
        let client = master_of(&mut sentinels).await?;
        Ok(Link {
            current: RwLock::new(Current {
                handle: Handle::Server(managed(address, client.clone()).await?),
                client: Some(client),
                generation: 0,
            }),
            sentinels: Some(Mutex::new(sentinels)),
        })
    }

    async fn cluster(address: &Address, hosts: &[Host], files: Option<TlsCertificates>) -> RedisResult<Link> {
        let nodes: RedisResult<Vec<ConnectionInfo>> = hosts
            .iter()
            .map(|host| address.at(host).into_connection_info())
            .collect();
        let mut builder = ClusterClient::builder(nodes?)
            .connection_timeout(address.options.dial_timeout)
            .response_timeout(address.options.read_timeout)
            .tcp_settings(undelayed());
        if let Some(user) = address.login.user() {
            builder = builder.username(user);
        }
        if let Some(password) = address.login.password() {
            builder = builder.password(password);
        }
        if let Some(files) = files {
            builder = builder.tls(if address.options.tls.insecure {
                TlsMode::Insecure
            } else {
                TlsMode::Secure
            });
            builder = builder.certs(files);
        }
        let cluster = builder.build()?.get_async_connection().await?;
        Ok(Link {
            current: RwLock::new(Current {
                handle: Handle::Cluster(Box::new(cluster)),
                client: None,
                generation: 0,
            }),
            sentinels: None,
        })
    }

    /// The shared connection.
    pub(super) fn handle(&self) -> Handle {
        self.current.read().handle.clone()
    }

    /// Whether the keys are spread over several servers.
    pub(super) fn is_cluster(&self) -> bool {
        self.current.read().client.is_none()
    }

    /// Opens further connections to the server; `None` for a cluster.
    pub(super) fn client(&self) -> Option<Client> {
        self.current.read().client.clone()
    }

    /// Counts the connections that were made; to be given to [`Link::renew`] and [`Link::connect_anew`].
    pub(super) fn generation(&self) -> u64 {
        self.current.read().generation
    }

    /// A connection for one caller alone, for transactions that WATCH; not on a cluster.
    pub(super) async fn own(&self, address: &Address) -> RedisResult<MultiplexedConnection> {
        let client = self.current.read().client.clone();
        let client = client.ok_or((redis::ErrorKind::Client, "a cluster without scripts"))?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(address.options.dial_timeout))
            .set_response_timeout(Some(address.options.read_timeout));
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Asks the sentinels for the master again, unless somebody did since `seen`. Does nothing without sentinels: the
    /// connection renews itself.
    pub(super) async fn renew(&self, address: &Address, seen: u64) -> RedisResult<()> {
        let Some(sentinels) = &self.sentinels else {
            return Ok(());
        };
        let mut sentinels = sentinels.lock().await;
        if self.generation() != seen {
            return Ok(());
        }
        let client = master_of(&mut sentinels).await?;
        let handle = Handle::Server(managed(address, client.clone()).await?);
        *self.current.write() = Current {
            handle,
            client: Some(client),
            generation: seen + 1,
        };
        Ok(())
    }

    /// Connects anew with the next request, unless somebody did since `seen`. The library tries again what broke, but
    /// keeps for good that a server refused a login. Does nothing on a cluster, whose nodes are connected one by one.
    ///
    /// # Errors
    /// None that depends on the server: nothing is sent.
    pub(super) fn connect_anew(&self, address: &Address, seen: u64) -> RedisResult<()> {
        let mut current = self.current.write();
        if current.generation != seen {
            return Ok(());
        }
        let Some(client) = current.client.clone() else {
            return Ok(());
        };
        let lazy = ConnectionManager::new_lazy_with_config(client, settings(address))?;
        current.handle = Handle::Server(lazy);
        current.generation += 1;
        Ok(())
    }

    /// Whether a sentinel may name another server.
    pub(super) fn has_sentinels(&self) -> bool {
        self.sentinels.is_some()
    }
}

/// Requests leave at once. Callers share a connection, and without this the system holds a small request back until the
/// server acknowledged the one before (RFC 896): callers would take turns instead of being pipelined.
fn undelayed() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// Opens connections to the master that the sentinels name.
async fn master_of(sentinels: &mut SentinelClient) -> RedisResult<Client> {
    let named = sentinels.async_get_client().await?;
    // The sentinels' client has no such setting; what it found out, certificates included, is in the address.
    Client::open(named.get_connection_info().clone().set_tcp_settings(undelayed()))
}

async fn managed(address: &Address, client: Client) -> RedisResult<ConnectionManager> {
    ConnectionManager::new_with_config(client, settings(address)).await
}

fn settings(address: &Address) -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_number_of_retries(RECONNECTS)
        .set_min_delay(address.options.min_backoff)
        .set_max_delay(address.options.max_backoff)
        .set_connection_timeout(Some(address.options.dial_timeout))
        .set_response_timeout(Some(address.options.read_timeout))
}

impl Address {
    /// Where a host of the URL is.
    fn at(&self, (host, port): &Host) -> ConnectionAddr {
        if self.tls {
            ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: self.options.tls.insecure,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host.clone(), *port)
        }
    }
}
