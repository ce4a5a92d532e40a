//! AWS's library speaks HTTP through this: each request becomes a call of ours.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;
use std::time::SystemTime;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::credentials::net::{Answer, Call, Net, Reach};

type Asked = (Call, oneshot::Sender<Result<Answer, String>>);

/// Hands calls over to whoever may make them.
#[derive(Debug, Clone)]
pub struct Client {
    calls: mpsc::UnboundedSender<Asked>,
    reach: Reach,
}

impl Client {
    /// A client, and the work of making its calls, which has to go on as long as it is used.
    /// `date` gets the time by the last answer's clock, and by ours.
    pub fn new(
        net: Rc<Net>,
        reach: Reach,
        date: Rc<Cell<Option<[SystemTime; 2]>>>,
    ) -> (Client, impl Future<Output = Infallible>) {
        let (calls, mut asked) = mpsc::unbounded_channel::<Asked>();
        let own = calls.clone();
        let work = async move {
            // Held, so that the channel stays open.
            let _own = own;
            loop {
                let Some((call, answer)) = asked.recv().await else { continue };
                let (net, date) = (net.clone(), date.clone());
                tokio::task::spawn_local(async move {
                    let answered = net.send(call).await.map_err(|failure| failure.words);
                    let theirs = answered.as_ref().ok().and_then(Answer::date);
                    date.set(theirs.map(|theirs| [theirs, SystemTime::now()]).or(date.get()));
                    // Whoever asked may have given up.
                    let _ = answer.send(answered);
                });
            }
        };
        (Client { calls, reach }, work)
    }
}

impl HttpClient for Client {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, answered) = oneshot::channel();
        let handed = call(request, self.reach).map(|call| self.calls.send((call, answer)).is_ok());
        HttpConnectorFuture::new(async move {
            let gone = || ConnectorError::other("nobody makes calls any more".into(), None);
            handed?.then_some(()).ok_or_else(gone)?;
            let answer = answered.await.map_err(|_| gone())?;
            response(answer.map_err(|why| ConnectorError::io(why.into()))?)
        })
    }
}

fn call(request: HttpRequest, reach: Reach) -> Result<Call, ConnectorError> {
    let unusable = |error| ConnectorError::user(Box::new(error));
    let request = request.try_into_http1x().map_err(unusable)?;
    let (head, body) = request.into_parts();
    // What the library asks for credentials are forms and documents: their bodies are all there.
    let body = body.bytes().map(Bytes::copy_from_slice).unwrap_or_default();
    Ok(Call { method: head.method, url: head.uri.to_string(), headers: head.headers, body, reach })
}

fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let mut response = http::Response::new(SdkBody::from(answer.body.to_vec()));
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
    *response.status_mut() =
        http::StatusCode::from_u16(answer.status).map_err(|error| unusable(error.into()))?;
    *response.headers_mut() = answer.headers;
    HttpResponse::try_from(response).map_err(|error| unusable(error.into()))
}
