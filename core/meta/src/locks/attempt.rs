//! One try to change a lock that is carried through even when its caller goes away.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use moorage_model::Result;

use super::turn::{Asker, Turn};
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

/// A try, polled in place. It begins when earlier ones of the same asker are done. Dropped after that, it may have been
/// granted without anybody knowing: then it ends in the background and what it got is taken back, so that no lock is
/// left behind.
pub(super) struct Attempt<Undo: Send + 'static, Blocker: Send + 'static> {
    meta: Arc<Meta>,
    turn: TurnState,
    /// `None` once it has ended.
    state: Option<State<Undo, Blocker>>,
}

enum TurnState {
    Queued(BoxFuture<'static, Turn>),
    Held(Turn),
    Over,
}

struct State<Undo, Blocker> {
    run: BoxFuture<'static, Result<Outcome<Undo, Blocker>>>,
    take_back: Takeback<Undo>,
}

impl<Undo: Send + 'static, Blocker: Send + 'static> Attempt<Undo, Blocker> {
    /// `take_back` runs inside the same turn, so it must not make an attempt itself.
    pub(super) fn new(
        meta: Arc<Meta>,
        asker: Asker,
        run: impl Future<Output = Result<Outcome<Undo, Blocker>>> + Send + 'static,
        take_back: impl FnOnce(Undo) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Self {
        let queue = meta.lock_waits.turns().queue(asker);
        let turn = match Arc::clone(&queue).try_lock_owned() {
            Ok(place) => TurnState::Held(Turn::new(Arc::clone(&meta), asker, place)),
            Err(_) => {
                let meta = Arc::clone(&meta);
                let queued = async move { Turn::new(meta, asker, queue.lock_owned().await) };
                TurnState::Queued(Box::pin(queued))
            }
        };
        Attempt {
            meta,
            turn,
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
        if let TurnState::Queued(queued) = &mut self.turn {
            let turn = ready!(queued.as_mut().poll(context));
            self.turn = TurnState::Held(turn);
        }
        let Some(state) = &mut self.state else {
            return Poll::Pending;
        };
        let answer = ready!(state.run.as_mut().poll(context));
        self.state = None;
        self.turn = TurnState::Over;
        Poll::Ready(answer)
    }
}

impl<Undo: Send + 'static, Blocker: Send + 'static> Drop for Attempt<Undo, Blocker> {
    fn drop(&mut self) {
        let turn = std::mem::replace(&mut self.turn, TurnState::Over);
        let (Some(state), TurnState::Held(turn)) = (self.state.take(), turn) else {
            return;
        };
        self.meta.tasks.carry_through(async move {
            if let Ok(Outcome::Granted(undo)) = state.run.await {
                (state.take_back)(undo).await;
            }
            drop(turn);
        });
    }
}
