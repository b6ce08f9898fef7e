//! Where the bytes of a dump go: blocks on a bounded channel, from tasks that wait for the database to a thread that
//! waits for a disk.

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use tokio::sync::mpsc;

/// Bytes collected before they are handed over: large enough that the channel costs nothing.
const BLOCK_BYTES: usize = 256 << 10;
/// Blocks on their way; more would only hide a slow disk.
const BLOCKS_UNDER_WAY: usize = 4;

/// The receiving end of a dump; the dump ends with an error when it is dropped early.
pub type DumpBlocks = mpsc::Receiver<Bytes>;

/// The two ends between a dump and whoever stores it.
pub fn dump_channel() -> (DumpOutput, DumpBlocks) {
    let (blocks, received) = mpsc::channel(BLOCKS_UNDER_WAY);
    let output = DumpOutput {
        blocks,
        collected: Vec::with_capacity(BLOCK_BYTES),
        written: 0,
    };
    (output, received)
}

/// The writing end of a dump.
#[derive(Debug)]
pub struct DumpOutput {
    blocks: mpsc::Sender<Bytes>,
    collected: Vec<u8>,
    written: u64,
}

impl DumpOutput {
    /// Adds bytes; waits while the reader is slower.
    ///
    /// # Errors
    /// `Io` when the other end is gone: it knows why.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.collected.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
        if self.collected.len() >= BLOCK_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Bytes so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Hands over what is collected.
    ///
    /// # Errors
    /// See [`DumpOutput::write`].
    pub(super) async fn flush(&mut self) -> Result<()> {
        let block = std::mem::replace(&mut self.collected, Vec::with_capacity(BLOCK_BYTES));
        if block.is_empty() {
            return Ok(());
        }
        self.blocks
            .send(Bytes::from(block))
            .await
            .map_err(|_| Error::new(ErrorKind::Io, "nobody takes the dump any more"))
    }
}
