//! The connections to a server, which can be let go of: a client keeps idle ones for later, also those whose other end is gone
//! since the computer slept or changed its network, and each would hang until its deadline.

use std::sync::{Arc, PoisonError, RwLock};

use http::{Request, Response};
use opendal::{Buffer, HttpBody, HttpTransport, HttpTransporter, OperationContext, Operator, Result};
use opendal_http_transport_reqwest::ReqwestTransport;

/// A client of HTTP that can be replaced.
#[derive(Clone, Debug)]
pub(super) struct Line(Arc<RwLock<ReqwestTransport>>);

impl Line {
    pub(super) fn new() -> Line {
        Line(Arc::new(RwLock::new(fresh())))
    }

    /// The operator over this line.
    pub(super) fn carry(&self, operator: Operator) -> Operator {
        let transport = HttpTransporter::new(self.clone());
        let context = operator.base_context().clone();
        operator.with_context(OperationContext::with_http_transport(&context, transport))
    }

    /// Later requests go over new connections. Those under way keep theirs.
    pub(super) fn renew(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh();
    }
}

fn fresh() -> ReqwestTransport {
    ReqwestTransport::new(reqwest::Client::new())
}

impl HttpTransport for Line {
    async fn fetch(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let transport = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        transport.fetch(request).await
    }
}
