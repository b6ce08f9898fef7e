//! The few messages of the protocols that name regions and stores, with the fields that matter here.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Header {
    #[prost(uint64, tag = "1")]
    pub(super) cluster: u64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Peer {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(uint64, tag = "2")]
    pub(super) store: u64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Epoch {
    #[prost(uint64, tag = "1")]
    pub(super) configuration: u64,
    #[prost(uint64, tag = "2")]
    pub(super) version: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Region {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) start: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) end: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    pub(super) epoch: Option<Epoch>,
    #[prost(message, repeated, tag = "5")]
    pub(super) peers: Vec<Peer>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Store {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(string, tag = "2")]
    pub(super) address: String,
    #[prost(string, tag = "5")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Member {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(uint64, tag = "2")]
    pub(super) id: u64,
    #[prost(string, repeated, tag = "4")]
    pub(super) urls: Vec<String>,
}

/// `GetMembersResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Members {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<Header>,
    #[prost(message, repeated, tag = "2")]
    pub(super) members: Vec<Member>,
    #[prost(message, optional, tag = "3")]
    pub(super) leader: Option<Member>,
}

/// `GetRegionResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Found {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<Header>,
    #[prost(message, optional, tag = "2")]
    pub(super) region: Option<Region>,
    #[prost(message, optional, tag = "3")]
    pub(super) leader: Option<Peer>,
}

/// `GetStoreRequest`, and `GetAllStoresRequest`, which names no store.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AskedStore {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<Header>,
    #[prost(uint64, tag = "2")]
    pub(super) store: u64,
}

/// `GetAllStoresResponse`, and `GetStoreResponse`, which has one.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Stores {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<Header>,
    #[prost(message, repeated, tag = "2")]
    pub(super) stores: Vec<Store>,
}

/// What every request to a store begins with.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Asked {
    #[prost(message, optional, tag = "1")]
    pub(super) context: Option<Context>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Context {
    #[prost(uint64, tag = "1")]
    pub(super) region: u64,
    #[prost(message, optional, tag = "3")]
    pub(super) peer: Option<Peer>,
}

/// An answer of a store that does nothing: `region_error` is the first field of all of them.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Refused {
    #[prost(message, optional, tag = "1")]
    pub(super) error: Option<RegionError>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RegionError {
    #[prost(string, tag = "1")]
    pub(super) message: String,
    #[prost(message, optional, tag = "2")]
    pub(super) not_leader: Option<NotLeader>,
    #[prost(message, optional, tag = "3")]
    pub(super) not_found: Option<NotFound>,
    #[prost(message, optional, tag = "5")]
    pub(super) epoch: Option<EpochNotMatch>,
    #[prost(message, optional, tag = "8")]
    pub(super) store: Option<StoreNotMatch>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct NotLeader {
    #[prost(uint64, tag = "1")]
    pub(super) region: u64,
    #[prost(message, optional, tag = "2")]
    pub(super) leader: Option<Peer>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct NotFound {
    #[prost(uint64, tag = "1")]
    pub(super) region: u64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct EpochNotMatch {}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct StoreNotMatch {
    #[prost(uint64, tag = "1")]
    pub(super) asked: u64,
    #[prost(uint64, tag = "2")]
    pub(super) actual: u64,
}
