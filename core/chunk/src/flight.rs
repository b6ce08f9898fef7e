//! Single flight: however many readers miss the same block, it is fetched once.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use moorage_model::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::block::BlockId;

type Outcome = std::result::Result<Bytes, Arc<Error>>;

/// The fetches that are under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    flying: Mutex<HashMap<BlockId, watch::Receiver<Option<Outcome>>>>,
}

/// The duty to report a fetch. Dropped without a report, its followers see the fetch as cut off.
#[derive(Debug)]
pub(crate) struct Landing {
    flights: Arc<Flights>,
    block: BlockId,
    report: watch::Sender<Option<Outcome>>,
    landed: bool,
}

/// A seat on a fetch.
#[derive(Debug)]
pub(crate) struct Seat(watch::Receiver<Option<Outcome>>);

impl Flights {
    /// Joins the fetch of a block; the first one gets the duty to do it.
    pub(crate) fn join(self: &Arc<Self>, block: BlockId) -> (Seat, Option<Landing>) {
        let mut flying = self.flying.lock();
        if let Some(receiver) = flying.get(&block) {
            return (Seat(receiver.clone()), None);
        }
        let (report, receiver) = watch::channel(None);
        flying.insert(block, receiver.clone());
        (
            Seat(receiver),
            Some(Landing {
                flights: Arc::clone(self),
                block,
                report,
                landed: false,
            }),
        )
    }
}

impl Landing {
    /// Hands the outcome to all who wait.
    pub(crate) fn report(mut self, outcome: Result<Bytes>) {
        // Closed first: who comes after a failure was seen must not be told of it again.
        self.close();
        // Nobody left to hear it is fine.
        let _ = self.report.send(Some(outcome.map_err(Arc::new)));
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.landed, true) {
            self.flights.flying.lock().remove(&self.block);
        }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.close();
    }
}

impl Seat {
    /// Waits for the block.
    pub(crate) async fn wait(mut self) -> Result<Bytes> {
        use moorage_model::ErrorKind;
        let cut_off = || Error::new(ErrorKind::Io, "the fetch of a block was cut off");
        match self
            .0
            .wait_for(Option::is_some)
            .await
            .map_err(|_| cut_off())?
            .as_ref()
        {
            Some(Ok(block)) => Ok(block.clone()),
            Some(Err(error)) => Err(shared(error)),
            None => Err(cut_off()),
        }
    }
}

/// A copy of an error that several callers get: same kind, same words.
pub(crate) fn shared(error: &Arc<Error>) -> Error {
    match error.message() {
        Some(message) => {
            let copy = Error::new(error.kind(), message);
            let copy = match error.advice() {
                Some(advice) => copy.with_advice(advice),
                None => copy,
            };
            match std::error::Error::source(error.as_ref()) {
                Some(source) => copy.with_source(source.to_string()),
                None => copy,
            }
        }
        None => error.kind().into(),
    }
}
