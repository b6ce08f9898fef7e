//! Where the user may run no scripts, WATCH and MULTI keep the same promises.

use moorage_engines::open;

use crate::conformance::{self, Fresh, conformance};
use crate::redis_server::Server;

async fn fresh() -> Option<Fresh> {
    let server = Server::start(&[
        "--user",
        "ann",
        "on",
        ">secret",
        "~*",
        "&*",
        "+@all",
        "-@scripting",
    ])?;
    let url = format!("unix://ann:secret@{}", server.socket().display());
    let (engine, other) = (open(&url, None).unwrap(), open(&url, None).unwrap());
    engine.prepare().await.unwrap();
    Some(Fresh {
        engine,
        other,
        _keep: Box::new(server),
    })
}

conformance!(fresh);
