//! Extended attributes, ACLs, locks and quotas: claims that hold on every engine, and what JuiceFS answers.

mod acls;
mod fixture;
mod gated;
mod locks;
mod quotas;
mod usage_model;
mod volume;
mod xattrs;
