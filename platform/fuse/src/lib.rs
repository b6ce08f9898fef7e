//! moorage-fuse
