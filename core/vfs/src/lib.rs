//! moorage-vfs
