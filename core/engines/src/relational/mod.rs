//! Records as rows: the relational layout that SQL engines share (spec 40-sql section 3). An engine adds the
//! dialect, its driver and the transaction.

mod address;
mod cell;
mod decode;
mod encode;
mod range;
mod table;

pub(crate) use address::{address, owner_quota_key};
pub(crate) use cell::{Cell, Cells};
pub(crate) use decode::{Decoded, decode, decode_entry, decode_listed, decode_node, decode_value};
pub(crate) use encode::{as_stored, encode_value};
pub(crate) use range::{Part, first_behind, parts};
pub(crate) use table::{NODE_COLUMNS, Table};
