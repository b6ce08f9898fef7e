//! Requests about sync pairs.

use super::{ANSWER_DEADLINE, Client, ClientError, PREVIEW_DEADLINE};
use crate::message::{Request, Response};
use crate::sync::{SyncAnswer, SyncConflict, SyncKeep, SyncPair, SyncPairId, SyncPairSettings, SyncPreview};

impl Client {
    /// All sync pairs, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn sync_pairs(&self) -> Result<Vec<SyncPair>, ClientError> {
        match self.ask(Request::SyncPairs, ANSWER_DEADLINE).await? {
            Response::SyncPairs { pairs } => Ok(pairs),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// Adds a sync pair.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn add_sync_pair(&self, settings: SyncPairSettings) -> Result<SyncPair, ClientError> {
        self.for_pair(Request::SyncPairAdd { settings }).await
    }

    /// Changes the mode of a sync pair, and what it leaves alone.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn change_sync_pair(
        &self,
        id: &SyncPairId,
        settings: SyncPairSettings,
    ) -> Result<SyncPair, ClientError> {
        let id = id.clone();
        self.for_pair(Request::SyncPairChange { id, settings }).await
    }

    /// Takes a sync pair off the list; both folders stay as they are.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn remove_sync_pair(&self, id: &SyncPairId) -> Result<(), ClientError> {
        self.for_nothing(Request::SyncPairRemove { id: id.clone() }).await
    }

    /// Holds a sync pair, or lets it go on.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn pause_sync_pair(&self, id: &SyncPairId, paused: bool) -> Result<SyncPair, ClientError> {
        let id = id.clone();
        self.for_pair(Request::SyncPairPause { id, paused }).await
    }

    /// Runs a sync pair now.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn run_sync_pair(&self, id: &SyncPairId) -> Result<SyncPair, ClientError> {
        self.for_pair(Request::SyncPairRun { id: id.clone() }).await
    }

    /// Answers what a sync pair asks.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn answer_sync_pair(
        &self,
        id: &SyncPairId,
        answer: SyncAnswer,
    ) -> Result<SyncPair, ClientError> {
        let id = id.clone();
        self.for_pair(Request::SyncPairAnswer { id, answer }).await
    }

    /// Settles a conflict of a sync pair, as it was told.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn resolve_sync_conflict(
        &self,
        id: &SyncPairId,
        conflict: SyncConflict,
        keep: SyncKeep,
    ) -> Result<SyncPair, ClientError> {
        let id = id.clone();
        self.for_pair(Request::SyncPairResolve { id, conflict, keep })
            .await
    }

    /// What a run of a pair would do. `id` is that of a pair of the list.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn preview_sync_pair(
        &self,
        id: Option<SyncPairId>,
        settings: SyncPairSettings,
    ) -> Result<SyncPreview, ClientError> {
        let request = Request::SyncPairPreview { id, settings };
        match self.ask(request, PREVIEW_DEADLINE).await? {
            Response::SyncPreview { preview } => Ok(preview),
            _ => Err(ClientError::Unexpected),
        }
    }

    async fn for_pair(&self, request: Request) -> Result<SyncPair, ClientError> {
        match self.ask(request, ANSWER_DEADLINE).await? {
            Response::SyncPair { pair } => Ok(*pair),
            _ => Err(ClientError::Unexpected),
        }
    }
}
