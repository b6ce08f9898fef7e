//! moorage-host
