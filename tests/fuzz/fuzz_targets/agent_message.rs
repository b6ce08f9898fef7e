//! What a client sends to the agent, frame by frame, and what an agent sends to a client: what is read is written and read
//! again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_control::frame::{self, MAX_TO_AGENT, MAX_TO_CLIENT};
use moorage_control::message::{AgentMessage, ClientMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

async fn read_all<M>(mut stream: &[u8], limit: usize)
where
    M: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    while let Ok(Some(message)) = frame::read::<M>(&mut stream, limit).await {
        let mut again = Vec::new();
        frame::write(&mut again, &message, limit)
            .await
            .expect("a message that was read can be written");
        let read = frame::read::<M>(&mut again.as_slice(), limit).await;
        assert_eq!(read.ok().flatten().as_ref(), Some(&message));
    }
}

thread_local! {
    static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
}

fuzz_target!(|bytes: &[u8]| {
    RUNTIME.with(|runtime| {
        runtime.block_on(read_all::<ClientMessage>(bytes, MAX_TO_AGENT));
        runtime.block_on(read_all::<AgentMessage>(bytes, MAX_TO_CLIENT));
    });
});
