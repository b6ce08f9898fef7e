//! Several stores, presented to clients before one server.
//!
//! A placement driver of our own names the stores and spreads the leaders of the server's regions over them; the rest
//! that a driver does is the server's. Each store answers for the regions that it leads, by asking the server, and refuses
//! the others as TiKV does. There is no replication and no election: the tests say which store leads.

mod http;
mod messages;

use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::{Place, Role, body, channel, forward, given, message, reply};
use messages::{
    Asked, AskedStore, Context, EpochNotMatch, Found, Header, Member, Members, NotFound, NotLeader, Peer,
    Refused, RegionError, Store, StoreNotMatch, Stores,
};
use prost::Message as _;
use tonic::body::BoxBody;
use tonic::codegen::http::{Request, Response};
use tonic::transport::{Body, Channel};

use crate::tikv_server::Server;

/// The stores: their numbers are not those of the server.
pub(crate) const STORES: [u64; 3] = [101, 102, 103];

/// What a store says of a region that another one leads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// It names the leader.
    Leader,
    /// An election goes on.
    NoLeader,
    /// It is no longer one of the region's stores.
    Gone,
    /// It has heard of a newer form of the region.
    Epoch,
}

pub(crate) struct Cluster {
    server: Server,
    driver: String,
    state: Arc<State>,
    places: Mutex<HashMap<u64, Place>>,
    _driver: Place,
}

struct State {
    driver: String,
    now: Mutex<Now>,
}

struct Now {
    /// By store.
    addresses: BTreeMap<u64, String>,
    running: Vec<u64>,
    /// By region.
    leaders: BTreeMap<u64, u64>,
    /// Who has a region at the server, by region.
    owners: HashMap<u64, Peer>,
    refusal: Refusal,
    /// The leader moves after so many answers to requests of a kind.
    moves: (&'static str, usize),
    /// So many requests wait that long before a store passes them on.
    delays: (u64, Duration, usize),
    served: BTreeMap<u64, usize>,
    named: BTreeMap<u64, usize>,
    refused: BTreeMap<&'static str, usize>,
}

impl Cluster {
    pub(crate) fn before(server: Server) -> Cluster {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let driver = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            driver: driver.clone(),
            now: Mutex::new(Now {
                addresses: BTreeMap::new(),
                running: Vec::new(),
                leaders: BTreeMap::new(),
                owners: HashMap::new(),
                refusal: Refusal::Leader,
                moves: ("", 0),
                delays: (0, Duration::ZERO, 0),
                served: BTreeMap::new(),
                named: BTreeMap::new(),
                refused: BTreeMap::new(),
            }),
        });
        let (behind, shared) = (server.driver(), Arc::clone(&state));
        let place = Place::open(listener, move || Driver {
            state: shared,
            behind: channel(&behind),
        });
        let cluster = Cluster {
            server,
            driver,
            state,
            places: Mutex::default(),
            _driver: place,
        };
        for store in STORES {
            cluster.start(store);
        }
        cluster
    }

    /// URL of a volume in it.
    pub(crate) fn url(&self) -> String {
        format!("tikv://{}/volume", self.driver)
    }

    /// As [`Cluster::url`], for a client that commits in two phases.
    pub(crate) fn two_phase_url(&self) -> String {
        format!("{}?commit=two-phase", self.url())
    }

    /// Starts a store at an address that it did not have.
    pub(crate) fn start(&self, store: u64) {
        self.listen(store, TcpListener::bind(("127.0.0.1", 0)).unwrap());
    }

    /// Starts two stores that are down, each where the other one was.
    pub(crate) fn start_swapped(&self, stores: [u64; 2]) {
        let [first, second] = stores.map(|store| self.state.now().addresses[&store].clone());
        for (store, address) in [(stores[0], second), (stores[1], first)] {
            let bound = (0..500).find_map(|_| {
                let bound = TcpListener::bind(&address).ok();
                if bound.is_none() {
                    std::thread::sleep(Duration::from_millis(10));
                }
                bound
            });
            self.listen(store, bound.expect("the address is free again"));
        }
    }

    fn listen(&self, store: u64, listener: TcpListener) {
        let address = listener.local_addr().unwrap().to_string();
        let (behind, state) = (self.server.store(), Arc::clone(&self.state));
        let place = Place::open(listener, move || Front {
            store,
            state,
            behind: channel(&behind),
        });
        self.places.lock().unwrap().insert(store, place);
        let mut now = self.state.now();
        now.addresses.insert(store, address);
        now.running.push(store);
    }

    /// Ends a store at once; the driver goes on to name it.
    pub(crate) fn stop(&self, store: u64) {
        self.state.now().running.retain(|running| *running != store);
        self.places.lock().unwrap().remove(&store);
    }

    /// Gives the regions of a store to the others that run.
    pub(crate) fn hand_over(&self, store: u64) {
        let mut now = self.state.now();
        let led: Vec<u64> = now.leaders.keys().copied().collect();
        for region in led {
            if now.leaders[&region] == store {
                now.pass_on(region);
            }
        }
    }

    pub(crate) fn refuse_as(&self, refusal: Refusal) {
        self.state.now().refusal = refusal;
    }

    /// Moves the leader of a region to another store whenever one of the next requests of this kind was answered.
    pub(crate) fn move_after(&self, method: &'static str, times: usize) {
        self.state.now().moves = (method, times);
    }

    /// Lets the next requests to a store wait before they reach it, whether their clients wait or not.
    pub(crate) fn delay(&self, store: u64, by: Duration, requests: usize) {
        self.state.now().delays = (store, by, requests);
    }

    /// How many requests are still to wait.
    pub(crate) fn to_delay(&self) -> usize {
        self.state.now().delays.2
    }

    /// How many requests a store passed on.
    pub(crate) fn served(&self, store: u64) -> usize {
        self.state.now().served.get(&store).copied().unwrap_or(0)
    }

    /// How often clients were told that a store leads a region.
    pub(crate) fn named(&self, store: u64) -> usize {
        self.state.now().named.get(&store).copied().unwrap_or(0)
    }

    /// How often a store refused a region, by reason.
    pub(crate) fn refused(&self, reason: &str) -> usize {
        self.state.now().refused.get(reason).copied().unwrap_or(0)
    }
}

impl State {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap()
    }
}

impl Now {
    /// The leader of a region. New regions go from store to store.
    fn leader(&mut self, region: u64) -> u64 {
        let next = STORES[self.leaders.len() % STORES.len()];
        *self.leaders.entry(region).or_insert(next)
    }

    fn pass_on(&mut self, region: u64) {
        let leader = self.leader(region);
        let at = STORES.iter().position(|store| *store == leader).unwrap();
        let others = STORES.iter().cycle().skip(at + 1).take(STORES.len() - 1);
        let next = others.copied().find(|store| self.running.contains(store));
        self.leaders.insert(region, next.expect("another store runs"));
    }

    /// Who has the region at the server, or why this store does not answer.
    fn judge(&mut self, store: u64, context: &Context) -> Result<Option<Peer>, RegionError> {
        let asked = context.peer.map_or(0, |peer| peer.store);
        let Some(owner) = self.owners.get(&context.region).copied() else {
            return Ok(None);
        };
        let mut error = RegionError::default();
        let leader = self.leader(context.region);
        let reason = if asked != store {
            error.store = Some(StoreNotMatch { asked, actual: store });
            "StoreNotMatch"
        } else if leader == store {
            *self.served.entry(store).or_default() += 1;
            return Ok(Some(owner));
        } else {
            let region = context.region;
            match self.refusal {
                Refusal::Leader | Refusal::NoLeader => {
                    let named = matches!(self.refusal, Refusal::Leader);
                    let leader = named.then(|| peer(region, leader));
                    error.not_leader = Some(NotLeader { region, leader });
                    "NotLeader"
                }
                Refusal::Gone => {
                    error.not_found = Some(NotFound { region });
                    "RegionNotFound"
                }
                Refusal::Epoch => {
                    error.epoch = Some(EpochNotMatch {});
                    "EpochNotMatch"
                }
            }
        };
        *self.refused.entry(reason).or_default() += 1;
        reason.clone_into(&mut error.message);
        Err(error)
    }

    /// What happens after a request was answered.
    fn answered(&mut self, method: &str, region: u64) {
        let (awaited, times) = &mut self.moves;
        if *awaited == method && *times > 0 {
            *times -= 1;
            self.pass_on(region);
        }
    }

    fn wait(&mut self, store: u64) -> Duration {
        let (slow, by, requests) = &mut self.delays;
        if *slow != store || *requests == 0 {
            return Duration::ZERO;
        }
        *requests -= 1;
        *by
    }
}

/// A region's peer at a store.
fn peer(region: u64, store: u64) -> Peer {
    Peer {
        id: region * 1000 + store,
        store,
    }
}

#[derive(Clone)]
struct Driver {
    state: Arc<State>,
    behind: Channel,
}

impl Role for Driver {
    const SERVICE: &'static str = "pdpb.PD";

    async fn answer(self, request: Request<Body>) -> Response<BoxBody> {
        let method = method(&request);
        let answer = match method.as_str() {
            "GetMembers" => self.members(request).await,
            "GetRegion" | "GetRegionByID" => self.region(request).await,
            "GetStore" | "GetAllStores" => self.stores(request).await,
            _ => forward(self.behind, request).await,
        };
        given(answer)
    }
}

impl Driver {
    async fn members(self, request: Request<Body>) -> Result<Response<Body>, String> {
        let answer = message(forward(self.behind, request).await?.into_body()).await?;
        let mut members = Members::decode(answer.as_slice()).map_err(|error| error.to_string())?;
        let member = Member {
            name: "driver".to_owned(),
            id: 1,
            urls: vec![format!("http://{}", self.state.driver)],
        };
        members.members = vec![member.clone()];
        members.leader = Some(member);
        Ok(reply(&members.encode_to_vec()))
    }

    async fn region(self, request: Request<Body>) -> Result<Response<Body>, String> {
        let answer = message(forward(self.behind, request).await?.into_body()).await?;
        let mut found = Found::decode(answer.as_slice()).map_err(|error| error.to_string())?;
        if let Some(region) = &mut found.region {
            let mut now = self.state.now();
            if let Some(owner) = region.peers.first() {
                now.owners.insert(region.id, *owner);
            }
            let leader = now.leader(region.id);
            *now.named.entry(leader).or_default() += 1;
            region.peers = STORES.map(|store| peer(region.id, store)).into();
            found.leader = Some(peer(region.id, leader));
        }
        Ok(reply(&found.encode_to_vec()))
    }

    async fn stores(self, request: Request<Body>) -> Result<Response<Body>, String> {
        let asked = message(request.into_body()).await?;
        let asked = AskedStore::decode(asked.as_slice()).map_err(|error| error.to_string())?;
        let now = self.state.now();
        let stores = now
            .addresses
            .iter()
            .filter(|(id, _)| [0, **id].contains(&asked.store));
        let answer = Stores {
            header: Some(Header {
                cluster: asked.header.unwrap_or_default().cluster,
            }),
            stores: stores
                .map(|(id, address)| Store {
                    id: *id,
                    address: address.clone(),
                    version: "7.5.0".to_owned(),
                })
                .collect(),
        };
        Ok(reply(&answer.encode_to_vec()))
    }
}

#[derive(Clone)]
struct Front {
    store: u64,
    state: Arc<State>,
    behind: Channel,
}

impl Role for Front {
    const SERVICE: &'static str = "tikvpb.Tikv";

    async fn answer(self, request: Request<Body>) -> Response<BoxBody> {
        // A task of its own: what reached the store is done, whether its client waits or not.
        let answer = tokio::spawn(self.decide(request)).await;
        given(answer.unwrap_or_else(|error| Err(error.to_string())))
    }
}

impl Front {
    async fn decide(self, request: Request<Body>) -> Result<Response<Body>, String> {
        let method = method(&request);
        let (head, asked) = request.into_parts();
        let mut asked = message(asked).await?;
        let context = Asked::decode(asked.as_slice())
            .map_err(|error| error.to_string())?
            .context;
        let context = context.unwrap_or_default();
        let wait = self.state.now().wait(self.store);
        tokio::time::sleep(wait).await;
        let judged = self.state.now().judge(self.store, &context);
        let owner = match judged {
            Ok(owner) => owner,
            Err(error) => return Ok(reply(&Refused { error: Some(error) }.encode_to_vec())),
        };
        if owner.is_some() {
            // Fields that come twice are merged: the last peer is the one that counts.
            let context = Some(Context {
                region: context.region,
                peer: owner,
            });
            asked.extend(Asked { context }.encode_to_vec());
        }
        let answer = forward(self.behind, Request::from_parts(head, body(&asked))).await?;
        self.state.now().answered(&method, context.region);
        Ok(answer)
    }
}

fn method(request: &Request<Body>) -> String {
    let path = request.uri().path();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
