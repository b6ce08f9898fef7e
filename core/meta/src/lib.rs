//! moorage-meta
