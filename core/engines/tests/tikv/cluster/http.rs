//! Single messages over HTTP/2 as gRPC frames them.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream;
use tokio::runtime::{Builder, Runtime};
use tonic::Status;
use tonic::body::BoxBody;
use tonic::codegen::http::{HeaderMap, HeaderValue, Request, Response};
use tonic::codegen::{Body as _, Service};
use tonic::server::NamedService;
use tonic::transport::{Body, Channel, Endpoint, Server};

/// One byte for compression, four for the length.
const PREFIX_BYTES: usize = 5;

/// What answers the requests of one service.
pub(super) trait Role: Clone + Send + 'static {
    const SERVICE: &'static str;

    fn answer(self, request: Request<Body>) -> impl Future<Output = Response<BoxBody>> + Send;
}

/// A listening address that answers until it is dropped, and then breaks its connections.
pub(super) struct Place {
    runtime: Option<Runtime>,
}

impl Place {
    /// `role` is made where its connections belong.
    pub(super) fn open<R: Role>(listener: TcpListener, role: impl FnOnce() -> R) -> Place {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let guard = runtime.enter();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let door = Door(role());
        drop(guard);
        runtime.spawn(async move {
            let incoming = stream::unfold(listener, |listener| async {
                let accepted = listener.accept().await.map(|(stream, _)| stream);
                Some((accepted, listener))
            });
            Server::builder()
                .add_service(door)
                .serve_with_incoming(incoming)
                .await
        });
        Place {
            runtime: Some(runtime),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// To the server behind.
pub(super) fn channel(address: &str) -> Channel {
    Endpoint::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_lazy()
}

#[derive(Clone)]
struct Door<R>(R);

impl<R: Role> NamedService for Door<R> {
    const NAME: &'static str = R::SERVICE;
}

impl<R: Role> Service<Request<Body>> for Door<R> {
    type Response = Response<BoxBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let role = self.0.clone();
        Box::pin(async move { Ok(role.answer(request).await) })
    }
}

/// Lets a request through as it is, streams included.
pub(super) async fn forward(mut behind: Channel, request: Request<Body>) -> Result<Response<Body>, String> {
    let passed = async {
        poll_fn(|context| behind.poll_ready(context)).await?;
        behind.call(request.map(boxed)).await
    };
    passed.await.map_err(|error| error.to_string())
}

/// The answer as a server gives it.
pub(super) fn given(answer: Result<Response<Body>, String>) -> Response<BoxBody> {
    match answer {
        Ok(answer) => answer.map(boxed),
        Err(error) => Status::unavailable(error).to_http(),
    }
}

fn boxed(body: Body) -> BoxBody {
    body.map_err(|error| Status::unavailable(error.to_string()))
        .boxed_unsync()
}

/// The message of a request or an answer.
pub(super) async fn message(mut body: Body) -> Result<Vec<u8>, String> {
    let mut framed = Vec::new();
    while let Some(piece) = body.data().await {
        framed.extend(piece.map_err(|error| error.to_string())?);
    }
    if framed.len() < PREFIX_BYTES {
        return Err("no message".to_owned());
    }
    Ok(framed.split_off(PREFIX_BYTES))
}

/// A message as the body of a request.
pub(super) fn body(message: &[u8]) -> Body {
    Body::from(framed(message))
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// An answer with a message.
pub(super) fn reply(message: &[u8]) -> Response<Body> {
    let (mut sender, body) = Body::channel();
    let framed = framed(message);
    tokio::spawn(async move {
        sender.send_data(framed.into()).await?;
        let status = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
        sender.send_trailers(status).await
    });
    let mut answer = Response::new(body);
    answer
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/grpc"));
    answer
}
