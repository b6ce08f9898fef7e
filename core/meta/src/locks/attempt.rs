//! One try to get a lock that is carried through even when its caller goes away.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use moorage_model::Result;

use crate::Meta;

/// What a try came to.
#[derive(Debug)]
pub(super) enum Outcome<Undo, Blocker> {
    /// The lock is held now; what takes it back.
    Granted(Undo),
    /// These hold locks that are in the way.
    Blocked(Vec<Blocker>),
}

type Takeback<Undo> = Box<dyn FnOnce(Undo) -> BoxFuture<'static, ()> + Send>;

/// A try under way, polled in place. Dropped in between, it may have been granted without anybody knowing: then it
/// ends in the background and what it got is taken back, so that no lock is left behind.
pub(super) struct Attempt<Undo: Send + 'static, Blocker: Send + 'static> {
    meta: Arc<Meta>,
    state: Option<State<Undo, Blocker>>,
}

struct State<Undo, Blocker> {
    run: BoxFuture<'static, Result<Outcome<Undo, Blocker>>>,
    take_back: Takeback<Undo>,
}

impl<Undo: Send + 'static, Blocker: Send + 'static> Attempt<Undo, Blocker> {
    pub(super) fn new(
        meta: Arc<Meta>,
        run: impl Future<Output = Result<Outcome<Undo, Blocker>>> + Send + 'static,
        take_back: impl FnOnce(Undo) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Self {
        Attempt {
            meta,
            state: Some(State {
                run: Box::pin(run),
                take_back: Box::new(take_back),
            }),
        }
    }
}

impl<Undo: Send + 'static, Blocker: Send + 'static> Future for Attempt<Undo, Blocker> {
    type Output = Result<Outcome<Undo, Blocker>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(state) = &mut self.state else {
            return Poll::Pending;
        };
        let answer = state.run.as_mut().poll(context);
        if answer.is_ready() {
            self.state = None;
        }
        answer
    }
}

impl<Undo: Send + 'static, Blocker: Send + 'static> Drop for Attempt<Undo, Blocker> {
    fn drop(&mut self) {
        let Some(state) = self.state.take() else {
            return;
        };
        self.meta.tasks.carry_through(async move {
            if let Ok(Outcome::Granted(undo)) = state.run.await {
                (state.take_back)(undo).await;
            }
        });
    }
}
