//! moorage-chunk
