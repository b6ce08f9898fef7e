//! moorage-engines
