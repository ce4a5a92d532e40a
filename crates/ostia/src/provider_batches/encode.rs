//! The rows of a file in a vendor's words: each is prepared as the call that it is, and what would be sent becomes a row of the vendor's.
//! They go to a file without a name while they are read, so that no more of them is in memory than one, and so that nothing is sent of a
//! batch with a bad row.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use ostia_dialect::batches::{AskedReading, AskedRow, BatchForm, Row, ToldCall};
use ostia_dialect::{Api, Fault};
use ostia_providers::Provider;
use ostia_providers::prepare::{self, ApiCall, Outgoing, Prepared, Reading, Way};
use ostia_store::{BatchFault, RemoteBatch};
use tokio::task::spawn_blocking;

use super::asked_rows;
use crate::batches::rows::{FileRow, Rows};
use crate::batches::{Batches, ROOM_CHECK_BYTES, files_unreadable};
use crate::exchange::{Exchange, ask};
use crate::inbound::Inbound;
use crate::inbound::route::Endpoint;
use crate::provider_jobs::leaf_of;
use crate::provider_jobs::spool::Spool;
use crate::record::booking::Booking;
use crate::routing::routes;
use crate::target::{self, Asked};
use crate::upstream::RequestBody;
use crate::upstream::pieces::Stored;

/// Most names of what could not be said that are told.
const DROPPED_MAX: usize = 100;

/// Rows that can be sent.
#[derive(Debug)]
pub struct EncodedRows {
    /// The rows.
    pub rows: Stored,
    /// How many they are.
    pub count: u64,
    /// The model, where all ask one.
    pub model: String,
    /// What the vendor calls that which they call.
    pub endpoint: &'static str,
    /// Headers that they ask for.
    pub headers: Vec<(String, String)>,
    /// Fields of clients that could not be said.
    pub dropped: Vec<String>,
}

/// Where rows come from, and where what is kept of them goes.
#[derive(Debug)]
pub struct Paths {
    /// The file.
    pub source: PathBuf,
    /// How each was asked.
    pub asked: PathBuf,
    /// Where files are made.
    pub folder: PathBuf,
}

/// Tells the rows of a file anew, for the batches of this provider.
///
/// # Errors
/// The first row that cannot be told, and why; or the disk is full.
pub async fn encode(
    inbound: Inbound<'_>,
    batches: &Batches,
    remote: &RemoteBatch,
    form: &'static BatchForm,
    paths: Paths,
) -> Result<EncodedRows, BatchFault> {
    let mut rows = Rows::open(paths.source).await.map_err(|error| files_unreadable(&error))?;
    let (folder, asked) = (paths.folder, paths.asked);
    let made =
        spawn_blocking(move || Ok((tempfile::tempfile_in(folder)?, asked_rows::Writer::create(&asked)?)));
    let (input, asked) =
        made.await.map_err(io::Error::other).flatten().map_err(|error| files_unreadable(&error))?;
    let mut encoding = Encoding {
        inbound,
        remote,
        form,
        known: None,
        count: 0,
        input: Spool::new(input),
        asked,
        first: None,
        headers: BTreeSet::new(),
        dropped: BTreeSet::new(),
    };
    let mut room_checked_at = 0;
    while let Some(row) = rows.next().await.map_err(|error| files_unreadable(&error))? {
        encoding.row(&row).await?;
        encoding.input.settle().await.map_err(|error| files_unreadable(&error))?;
        encoding.asked.settle().await.map_err(|error| files_unreadable(&error))?;
        if encoding.input.len() - room_checked_at >= ROOM_CHECK_BYTES {
            room_checked_at = encoding.input.len();
            batches.check_room().await.map_err(|fault| told(&fault, None))?;
        }
    }
    encoding.finish().await.map_err(|error| files_unreadable(&error))
}

/// Rows that are being told anew.
struct Encoding<'a> {
    inbound: Inbound<'a>,
    remote: &'a RemoteBatch,
    form: &'static BatchForm,
    /// The provider of the row before, and the same as it is for rows of batches.
    known: Option<(*const Provider, Rc<Provider>)>,
    /// Rows so far.
    count: u64,
    input: Spool,
    asked: asked_rows::Writer,
    /// What the first row asks, and by which name the vendor knows what it calls.
    first: Option<(String, &'static str)>,
    headers: BTreeSet<(String, String)>,
    dropped: BTreeSet<String>,
}

impl Encoding<'_> {
    async fn row(&mut self, row: &FileRow) -> Result<(), BatchFault> {
        let read = Row::read(&row.text).map_err(|fault| {
            let message = fault.of_line(row.line).message;
            BatchFault { code: fault.code.to_owned(), message, line: Some(row.line) }
        })?;
        let body = row.text.slice(read.body.clone());
        let encoded = self.encode(row.number, &read, &body).await;
        encoded.map_err(|fault| told(&fault, Some(row.line)))
    }

    async fn encode(&mut self, number: u64, row: &Row<'_>, body: &Bytes) -> Result<(), Fault> {
        let Endpoint::Api(path) = Endpoint::of(&Method::POST, &row.url) else {
            return Err(Fault::invalid(format!("`{}` is no call of a batch.", row.url)).with_param("url"));
        };
        let call = ApiCall::read(path.api, path.params(), "", body, usize::MAX)?;
        if call.refers_to_earlier() {
            let message = "A row of a provider's batch cannot go on from an earlier answer: send the whole conversation.";
            return Err(Fault::invalid(message).with_param("previous_response_id"));
        }
        let route = routes::find(self.inbound, call.model())?;
        let leaf = route.as_deref().map(|route| leaf_of(self.inbound, route)).transpose()?;
        let mut target = target::resolve(self.inbound, leaf, Asked::Row(&call))?;
        if target.provider.id != self.remote.provider {
            let message = format!(
                "The row asks provider `{}`, and the batch is made at `{}`.",
                target.provider.id, self.remote.provider
            );
            return Err(Fault::invalid(message).with_param("model").with_code("mismatched_provider"));
        }
        let provider = self.in_batches(target.provider);
        if provider.apis.is_empty() {
            return Err(no_row(call.api));
        }
        target.provider = &provider;
        let booking = Booking::default();
        let exchange = Exchange::new(self.inbound, &target, &booking);
        let (way, mut outgoing) = prepare(exchange, &call).await?;
        let endpoint = self.endpoint(&outgoing, call.api)?;
        let mut request = exchange.outgoing(&mut outgoing, call.body)?;
        let RequestBody::Full(Some(body)) = std::mem::replace(request.body_mut(), RequestBody::Full(None))
        else {
            return Err(no_row(call.api));
        };
        self.drop_fields(&outgoing, target.lossless)?;
        let (model, reading) = reading(outgoing.answer, way, exchange, &call)?;
        let model = model.or_else(|| target.model.clone()).or_else(|| call.model().map(str::to_owned));
        self.check_alike(model.unwrap_or_default(), endpoint)?;
        for (name, value) in outgoing.headers {
            self.headers.insert((name.to_owned(), value));
        }
        self.write(number, row, &body, reading)
    }

    /// The provider as it is for rows of batches, which may call fewer of its APIs: the others are told in the words of these.
    fn in_batches(&mut self, provider: &Provider) -> Rc<Provider> {
        if let Some((known, own)) = &self.known
            && std::ptr::eq(*known, provider)
        {
            return own.clone();
        }
        let mut own = provider.clone();
        own.apis.retain(|api| self.form.endpoint(*api).is_some());
        let own = Rc::new(own);
        self.known = Some((std::ptr::from_ref(provider), own.clone()));
        own
    }

    /// What the vendor calls that which a row calls.
    fn endpoint(&self, outgoing: &Outgoing, api: Api) -> Result<&'static str, Fault> {
        let endpoint = self.form.endpoint(outgoing.api).filter(|_| outgoing.upload.is_none());
        let endpoint = endpoint.ok_or_else(|| no_row(api))?;
        match outgoing.more.len() {
            0 => Ok(endpoint),
            more => Err(several_calls(more + 1)),
        }
    }

    fn drop_fields(&mut self, outgoing: &Outgoing, lossless: bool) -> Result<(), Fault> {
        if let Some(first) = outgoing.dropped.first().filter(|_| lossless) {
            let message =
                format!("The provider has no form for `{first}`: remove it, or do not ask for `lossless`.");
            return Err(Fault::invalid(message).with_param(first.as_str()).with_code("lossy_translation"));
        }
        let room = DROPPED_MAX.saturating_sub(self.dropped.len());
        self.dropped.extend(outgoing.dropped.iter().take(room).cloned());
        Ok(())
    }

    fn check_alike(&mut self, model: String, endpoint: &'static str) -> Result<(), Fault> {
        let (first_model, first_endpoint) = self.first.get_or_insert_with(|| (model.clone(), endpoint));
        if !self.form.one_model || (*first_model == model && *first_endpoint == endpoint) {
            return Ok(());
        }
        let message = format!(
            "The row asks model `{model}`, and the first one `{first_model}`: all rows of this provider's batches ask one \
             model, by one call. Make a batch for each."
        );
        Err(Fault::invalid(message).with_param("model").with_code("mismatched_model"))
    }

    fn write(&mut self, number: u64, row: &Row<'_>, body: &[u8], reading: AskedReading) -> Result<(), Fault> {
        let form = self.form;
        if number > form.rows_max {
            let message =
                format!("It is one more than the {} rows that the provider's batches have.", form.rows_max);
            return Err(Fault::invalid(message).with_code("too_many_rows"));
        }
        if number > 1 {
            self.input.memory.extend_from_slice(form.separator.as_bytes());
        }
        (form.encode_row)(&mut self.input.memory, &number.to_string(), body)?;
        if self.input.len() > form.bytes_max {
            let message = format!(
                "With it the rows are larger than the {} bytes that the provider's batches have.",
                form.bytes_max
            );
            return Err(Fault::invalid(message).with_code("file_too_large"));
        }
        self.count = number;
        self.asked.push(&AskedRow { custom_id: row.custom_id.clone().into_owned(), reading });
        Ok(())
    }

    async fn finish(self) -> io::Result<EncodedRows> {
        self.asked.finish().await?;
        let (file, bytes) = self.input.finish().await?;
        let (model, endpoint) = self.first.unwrap_or_default();
        Ok(EncodedRows {
            rows: Stored::Disk { file: Arc::new(file), start: 0, bytes },
            count: self.count,
            model,
            endpoint,
            headers: self.headers.into_iter().collect(),
            dropped: self.dropped.into_iter().collect(),
        })
    }
}

async fn prepare(exchange: Exchange<'_>, call: &ApiCall<'_>) -> Result<(Way, Outgoing), Fault> {
    let way = prepare::way(call, &exchange.recipient(), false)?;
    match ask::prepare(exchange, call, way, None).await? {
        Prepared::Request(outgoing) => Ok((way, outgoing)),
        Prepared::Estimate { .. } | Prepared::Fetch(_) => Err(no_row(call.api)),
    }
}

/// How the answer of a row is told, and the model where it is told anew.
fn reading(
    answer: Reading,
    way: Way,
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
) -> Result<(Option<String>, AskedReading), Fault> {
    match (answer, way) {
        (Reading::AsItIs { .. }, _) => Ok((None, AskedReading::AsItIs(call.api))),
        (Reading::Conversation(told), _) => {
            let (client, upstream, model, undo) = (told.client, told.upstream, told.model, told.undo);
            Ok((Some(model.clone()), AskedReading::Conversation { client, upstream, model, undo }))
        }
        (Reading::Whole { .. }, Way::Translate(upstream)) => {
            let edited = prepare::with_params(call, &exchange.recipient())?;
            let told = ToldCall {
                api: call.api,
                upstream,
                path_model: call.path.unwrap_or_default().model.to_owned(),
                model: exchange.target.model.clone(),
                body: edited.as_ref().unwrap_or(call.body).to_vec(),
            };
            Ok((None, AskedReading::Told(told)))
        }
        (Reading::Whole { .. } | Reading::Media { .. }, _) => Err(no_row(call.api)),
    }
}

fn several_calls(calls: usize) -> Fault {
    let message = format!(
        "To the provider this row is {calls} calls, because that is as many as its list of inputs needs with this model, and a row \
         of its batches is one: spread the list over {calls} rows, or have the gateway ask for the rows (`completion_window: \
         \"immediate\"`)."
    );
    Fault::invalid(message).with_param("input").with_code("too_many_inputs")
}

fn no_row(api: Api) -> Fault {
    let message = format!(
        "The provider's batches have no rows for {}: ask for it row by row, by a batch with `completion_window: \"immediate\"`.",
        api.name()
    );
    Fault::invalid(message).with_param("url").with_code("unsupported_operation")
}

/// What a client hears of it.
pub fn told(fault: &Fault, line: Option<u64>) -> BatchFault {
    let message = match line {
        Some(line) => format!("Line {line} of the file: {}", fault.message),
        None => fault.message.clone(),
    };
    let code = fault.code.clone().unwrap_or_else(|| fault.kind.as_str().replace(' ', "_"));
    BatchFault { code, message, line }
}
