//! Numbers that a node, a slice or a chunk can have.

use moorage_model::{CHUNK_SIZE, ChunkIndex, Error, ErrorKind, Ino, MAX_FILE_LENGTH, Result, SliceId};

fn impossible(what: String) -> Error {
    Error::new(ErrorKind::Corrupt, what)
}

/// Refuses numbers that no node has.
///
/// # Errors
/// `Corrupt` naming the number.
pub(super) fn check_inode(ino: Ino) -> Result<()> {
    if ino == Ino::NONE || ino.is_internal() || ino.0 > i64::MAX.unsigned_abs() {
        return Err(impossible(format!("{ino} is an inode number that no node has")));
    }
    Ok(())
}

/// Refuses an entry that leads to a number with another place: the root, or the directories of the trash.
///
/// # Errors
/// `Corrupt` naming the number and the directory.
pub(super) fn check_entry(directory: Ino, ino: Ino) -> Result<()> {
    check_inode(directory)?;
    check_inode(ino)?;
    if ino == Ino::ROOT || ino == Ino::TRASH {
        return Err(impossible(format!(
            "an entry of directory {directory} leads to inode {ino}, which is a root and has no name"
        )));
    }
    if ino.is_trash() && directory != Ino::TRASH {
        return Err(impossible(format!(
            "an entry of directory {directory} leads to inode {ino}, a number that only directories of the trash have"
        )));
    }
    if directory == Ino::TRASH && !ino.is_trash() {
        return Err(impossible(format!(
            "inode {ino} lies in the root of the trash and has no number of its directories"
        )));
    }
    Ok(())
}

/// Refuses slice ids that no counter gives.
///
/// # Errors
/// `Corrupt` naming the id.
pub(super) fn check_slice(id: SliceId) -> Result<()> {
    if id.0 >= i64::MAX.unsigned_abs() {
        return Err(impossible(format!("{id} is a slice id that no slice has")));
    }
    Ok(())
}

/// Refuses chunks behind the end of the longest file.
///
/// # Errors
/// `Corrupt` naming the chunk.
pub(super) fn check_chunk(ino: Ino, index: ChunkIndex) -> Result<()> {
    if u64::from(index.0) >= MAX_FILE_LENGTH / CHUNK_SIZE {
        return Err(impossible(format!(
            "inode {ino} has a chunk {index}, behind the end of the longest file"
        )));
    }
    Ok(())
}

/// The failure of a chunk that a file has twice: one of the two would hide the other.
pub(super) fn second_chunk(ino: Ino, index: ChunkIndex) -> Error {
    impossible(format!("inode {ino} has chunk {index} a second time"))
}
