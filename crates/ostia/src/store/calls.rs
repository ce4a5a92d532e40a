//! Calls of the store to a server that the operator named, through the one place that opens connections. The store's threads wait
//! for the answers, and a thread of its own makes the calls, as many at once as there are threads that ask.

use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request};
use ostia_store::{Http, HttpAnswer, HttpCall};
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::credentials::Network;
use crate::upstream::egress::Origin;
use crate::upstream::transport::TransportId;
use crate::upstream::{RequestBody, SendFault, Timeouts, UpstreamBody, Upstreams};

/// The largest answer that is read: a page of requests with all that is kept of their bodies.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How much longer than a call itself its caller waits.
const GRACE: Duration = Duration::from_secs(2);
/// How often connections that are over are let go of.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Makes calls to one server.
pub struct Calls(mpsc::UnboundedSender<Asked>);

/// A call, and who waits for its answer.
struct Asked {
    call: HttpCall,
    answer: SyncSender<Result<HttpAnswer, String>>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl Calls {
    /// Starts the thread that makes calls to this server (`http://host:8123`) over this network. What the operator wrote may be private,
    /// under whatever guard is in force later.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(base: String, network: Network) -> io::Result<Calls> {
        let (calls, mut asked) = mpsc::unbounded_channel();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all();
        thread::Builder::new().name("ostia-store".to_owned()).spawn(move || {
            // Where there is none, whoever asks hears that nobody makes calls.
            if let Ok(runtime) = builder.build_local(LocalOptions::default()) {
                runtime.block_on(run(&base, network, &mut asked));
            }
        })?;
        Ok(Calls(calls))
    }
}

impl Http for Calls {
    fn call(&self, call: HttpCall) -> Result<HttpAnswer, String> {
        let nobody = || "nobody makes calls any more".to_owned();
        let within = call.within + GRACE;
        let (answer, told) = sync_channel(1);
        self.0.send(Asked { call, answer }).map_err(|_| nobody())?;
        told.recv_timeout(within).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("no answer came within {} s", within.as_secs()),
            RecvTimeoutError::Disconnected => nobody(),
        })?
    }
}

async fn run(base: &str, Network { guard, transports }: Network, asked: &mut mpsc::UnboundedReceiver<Asked>) {
    let upstreams = Rc::new(Upstreams::new(guard, &transports));
    let mut sweeps = interval(SWEEP_EVERY);
    sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let asked = tokio::select! {
            asked = asked.recv() => asked,
            _ = sweeps.tick() => {
                upstreams.sweep();
                continue;
            }
        };
        let Some(Asked { call, answer }) = asked else { return };
        let (upstreams, base) = (upstreams.clone(), base.to_owned());
        tokio::task::spawn_local(async move {
            // Whoever asked may wait no longer.
            let _ = answer.send(answered(&upstreams, &base, call).await);
        });
    }
}

/// Makes a call, and once more where the server had closed the connection meanwhile: whatever the store asks may be asked twice.
async fn answered(upstreams: &Upstreams, base: &str, call: HttpCall) -> Result<HttpAnswer, String> {
    let HttpCall { target, headers, body, within } = call;
    let (began, body) = (Instant::now(), Bytes::from(body));
    let mut is_last = false;
    loop {
        match send(upstreams, base, (&target, &headers, body.clone()), (began, within)).await {
            Err(Failure::Send(SendFault::Closed | SendFault::Http(_))) if !is_last => is_last = true,
            Err(Failure::Send(fault)) => return Err(fault.to_string()),
            Err(Failure::Words(words)) => return Err(words.to_owned()),
            Ok(answer) => return Ok(answer),
        }
    }
}

/// Why there is no whole answer.
enum Failure {
    Send(SendFault),
    Words(&'static str),
}

type Message<'a> = (&'a str, &'a [(&'static str, String)], Bytes);

async fn send(
    upstreams: &Upstreams,
    base: &str,
    (target, headers, body): Message<'_>,
    (began, within): (Instant, Duration),
) -> Result<HttpAnswer, Failure> {
    let wrong = Failure::Words;
    let base_url = upstreams.base_url(base, Origin::Operator, TransportId::default(), || Ok((base, "")));
    let base_url = base_url.map_err(|_| wrong("its address is none"))?;
    let mut request = Request::new(RequestBody::Full(Some(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.parse().map_err(|_| wrong("what is asked cannot be put into an address"))?;
    for (name, value) in headers {
        let value = HeaderValue::from_str(value);
        let mut value = value.map_err(|_| wrong("user or password cannot stand in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
    request.headers_mut().insert(header::HOST, base_url.authority().clone());
    let timeouts = Timeouts { connect: CONNECT_WITHIN, first_byte: within, idle: within, total: within };
    let sent = upstreams.send(&base_url, Box::new(request), timeouts, began).await;
    let (head, body) = sent.map_err(Failure::Send)?.into_parts();
    let body = whole(body).await.map_err(Failure::Words)?;
    Ok(HttpAnswer { status: head.status.as_u16(), body })
}

async fn whole(mut body: UpstreamBody) -> Result<Vec<u8>, &'static str> {
    let mut read = Vec::new();
    while let Some(piece) = body.bytes().await {
        let piece = piece.map_err(|_| "its answer broke off")?;
        if read.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err("its answer is too large");
        }
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_answer_is_told() {
        let (calls, asked) = mpsc::unbounded_channel();
        let calls = Calls(calls);
        let check = |expected: &str| {
            let (target, headers, body) = ("/".to_owned(), Vec::new(), Vec::new());
            let told = calls.call(HttpCall { target, headers, body, within: Duration::ZERO });
            assert_eq!(told.err().as_deref(), Some(expected));
        };
        check("no answer came within 2 s");
        drop(asked);
        check("nobody makes calls any more");
    }
}
