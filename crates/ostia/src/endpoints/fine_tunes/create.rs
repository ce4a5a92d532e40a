//! A job that is made.

use bytes::Bytes;
use http::Response;
use ostia_dialect::fine_tuning::{NewJob, RowKind, TuningForm};
use ostia_dialect::json::Document;
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_providers::Provider;
use ostia_routing::{Leaf, Route};
use ostia_store::{FilePurpose, StoredFile, StoredTuning, TuningStatus};

use super::told;
use crate::batches::{self, Batches, OPEN_MAX, Order};
use crate::client::ClientBody;
use crate::endpoints::batches::sender::{self, Sender};
use crate::endpoints::batches::{owner, plain};
use crate::endpoints::{files, handed_on};
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::{Inbound, browser, intake};
use crate::message::body::Body;
use crate::provider_jobs;
use crate::provider_tunings;
use crate::record::Record;
use crate::routing::{pass, routes};
use crate::target::{self, Asked};

/// Most providers that are named in the place of one.
const NAMED_MAX: usize = 8;
/// The fields that name files.
const FILES: [&str; 2] = ["training_file", "validation_file"];

/// Makes a job here, or has the provider make it whom the request names.
///
/// # Errors
/// 400 for what makes no sense, 429 where too many are open.
pub async fn answer(
    inbound: Inbound<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let body = intake::read(body, &inbound.core.settings.limits).await?;
    let text = plain(inbound, &body)?;
    let named = Named::read(&text);
    let sender = sender::of(inbound, &[])?;
    let mut parts = inbound.parts.clone();
    parts.headers = sender.headers.clone();
    let gateway = &GatewayHeaders::read(&parts.headers)?;
    let as_sent = Inbound { gateway, parts: &parts, ..inbound };
    let route = routes::find(as_sent, named.model.as_deref())?;
    let Some(leaf) = at_vendor(as_sent, route.as_deref(), &named)? else {
        return hand_on(inbound, &named, body, record).await;
    };
    browser::check_media(&inbound.core.settings, &inbound.parts.headers)?;
    let batches = inbound.core.batches.as_ref().ok_or_else(batches::missing)?;
    let mut job = NewJob::decode(&Document::of_request(&text)?)?;
    let target = target::resolve(as_sent, leaf, Asked::Unread(named.model.as_deref()))?;
    provider_jobs::refuse_clients_host(as_sent, leaf, &target)?;
    let id = &target.provider.id;
    let (api, form) = form_of(whole(inbound, target.provider)).ok_or_else(|| has_none(id))?;
    provider_jobs::check_settings(inbound.core, &target, api)?;
    let recalled = provider_jobs::Recalled::of(as_sent, &[], id)?;
    provider_jobs::check_storage(recalled.inbound(as_sent), id, api, form.storage)?;
    if let Some(model) = &target.model {
        job.model.clone_from(model);
    }
    refuse_method(id, form, &job)?;
    record.target(id, target.index_path, None);
    record.dropped(dropped(form, &job), target.lossless)?;
    make(inbound, batches, (id, api, form), (sender, job)).await
}

/// # Errors
/// 400 for a way to train that the vendor does not have.
fn refuse_method(provider: &str, form: &TuningForm, job: &NewJob) -> Result<(), Fault> {
    if !(form.rows)(job).is_empty() {
        return Ok(());
    }
    let message = format!("Provider `{provider}` trains no models by `{}`.", job.method.name());
    Err(Fault::invalid(message).with_param("method.type").with_code("unsupported_operation"))
}

/// What the vendor has no form for, or nobody here knows.
fn dropped(form: &TuningForm, job: &NewJob) -> Vec<String> {
    let unsaid = (form.unsaid)(job).into_iter().map(str::to_owned);
    job.unknown.iter().cloned().chain(unsaid).collect()
}

/// A provider's jobs in its vendor's own form, where it does not have OpenAI's too.
pub fn form_of(provider: &Provider) -> Option<(Api, &'static TuningForm)> {
    let api = provider_tunings::api_of(provider).filter(|_| !provider.offers(Api::OpenaiFineTunes))?;
    Some((api, api.fine_tuning()?))
}

/// Jobs are the provider's, whatever it is for the model that they train.
fn whole<'a>(inbound: Inbound<'a>, provider: &'a Provider) -> &'a Provider {
    inbound.core.settings.providers.get(&provider.id).unwrap_or(provider)
}

fn has_none(provider: &str) -> Fault {
    let message =
        format!("Provider `{provider}` trains no models for which the gateway has a form: name another one.");
    Fault::invalid(message).with_param("provider").with_code("unsupported_operation")
}

/// What the body names.
#[derive(Debug, Default)]
struct Named {
    model: Option<String>,
    files: Vec<(&'static str, String)>,
}

impl Named {
    fn read(body: &[u8]) -> Named {
        let Ok(document) = Document::parse_to(body, 1) else { return Named::default() };
        let text = |name: &str| document.root().str(name).map(|text| text.into_owned());
        let files = FILES.into_iter().filter_map(|name| Some((name, text(name)?)));
        Named { model: text("model"), files: files.collect() }
    }

    /// The field that names a file of the gateway's own.
    fn own_file(&self) -> Option<&'static str> {
        self.files.iter().find(|(_, id)| batches::is_file_id(id)).map(|(field, _)| *field)
    }
}

/// The target of the config that it is made at, if a provider with a form of its vendor's own is asked; `None`: it is handed on.
fn at_vendor<'r>(
    inbound: Inbound<'_>,
    route: Option<&'r Route>,
    named: &Named,
) -> Result<Option<Option<&'r Leaf>>, Fault> {
    if route.is_some_and(|route| route.only_leaf().is_none()) && named.own_file().is_none() {
        // There is something to decide, and that is done when it is handed on.
        return Ok(None);
    }
    let leaf = route.map(|route| provider_jobs::leaf_of(inbound, route)).transpose()?;
    // Where nobody is named, or nobody that is known, handing it on says so.
    let provider = target::provider_for(inbound, leaf, named.model.as_deref()).ok().flatten();
    Ok(provider.and_then(|provider| form_of(whole(inbound, provider))).map(|_| leaf))
}

/// Has the provider make the job as it is.
async fn hand_on(
    inbound: Inbound<'_>,
    named: &Named,
    body: Bytes,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    if let Some(field) = named.own_file() {
        let message = "This file is the gateway's own, and the provider that is asked trains no models for which the gateway has a form, \
                       or none is named: name one that does (its name in x-ostia-provider, or `@name/` before the model), or upload \
                       the file to the provider itself.";
        return Err(Fault::invalid(message).with_param(field).with_code("invalid_training_file"));
    }
    let route = routes::find(inbound, named.model.as_deref())?;
    refuse_ended(inbound, route.as_deref(), named.model.as_deref())?;
    record.account().call(None);
    // What is in somebody else's file would come back in the model.
    for (field, id) in &named.files {
        handed_on::find(inbound, id).await.map_err(|fault| fault.with_param(*field))?;
    }
    let answer = Box::pin(pass::pass_read(inbound, body, record)).await?;
    Ok(handed_on::remember(inbound, answer, record).await)
}

/// Has the vendor that is asked ended its fine-tuning?
///
/// # Errors
/// 404 that says so, and who has it.
pub fn refuse_ended(inbound: Inbound<'_>, route: Option<&Route>, model: Option<&str>) -> Result<(), Fault> {
    let leaf = route.and_then(Route::only_leaf);
    if route.is_some() && leaf.is_none() {
        return Ok(());
    }
    let provider = target::provider_for(inbound, leaf, model).ok().flatten();
    let Some((provider, page)) = provider.and_then(|own| Some((own, own.ended.get(&Api::OpenaiFineTunes)?)))
    else {
        return Ok(());
    };
    let trains = |other: &&Provider| other.offers(Api::OpenaiFineTunes) || form_of(other).is_some();
    let others = inbound.core.settings.providers.iter().filter(trains);
    let others: Vec<&str> = others.map(|other| other.id.as_str()).take(NAMED_MAX).collect();
    let message = format!(
        "Provider `{}` has ended its fine-tuning ({page}). Name one that trains models: {}.",
        provider.id,
        others.join(", ")
    );
    let fault = Fault::new(FaultKind::NotFound, message).with_param("provider");
    Err(fault.with_code("unsupported_operation"))
}

async fn make(
    inbound: Inbound<'_>,
    batches: &Batches,
    (provider, api, form): (&str, Api, &TuningForm),
    (sender, job): (Sender, NewJob),
) -> Result<Response<Body>, Fault> {
    let owner = owner(inbound, batches).await?;
    let files = [(FILES[0], Some(&job.training_file)), (FILES[1], job.validation_file.as_ref())];
    for (field, id) in files {
        let Some(id) = id else { continue };
        let file = find(batches, &owner, id).await.map_err(|fault| fault.with_param(field))?;
        check(form, &job, &file).map_err(|fault| fault.with_param(field))?;
        let is_validation = field == FILES[1];
        check_count(form, &file, is_validation).map_err(|fault| fault.with_param(field))?;
    }
    let Sender { headers, kept, .. } = sender;
    let tuning = StoredTuning {
        id: batches::tuning_id(&inbound.core.new_id()),
        owner,
        created_s: batches::now_s(),
        status: TuningStatus::ValidatingFiles,
        model: job.model.clone(),
        training_file: job.training_file.clone(),
        validation_file: job.validation_file.clone(),
        told: job.told().to_value(),
        metadata: job.metadata.iter().cloned().collect(),
        headers: kept,
        run: batches.run.to_string(),
        provider: provider.to_owned(),
        api: api.name().to_owned(),
        remote_id: None,
        fine_tuned_model: None,
        trained_tokens: None,
        ended_s: None,
        fault: None,
    };
    let own = tuning.clone();
    if !batches.ask(move |tables| tables.add_tuning(&own, OPEN_MAX)).await? {
        let message = format!("{OPEN_MAX} jobs are not at their providers yet: try again later.");
        return Err(Fault::new(FaultKind::RateLimit, message).with_code("fine_tuning_open_limit"));
    }
    let (answer, own) = (told(&tuning), tuning.clone());
    if let Err(fault) = batches.order(Order::Tune(Box::new(tuning), headers, Box::new(job))) {
        // Nobody hears of it.
        batches.tell(move |tables| {
            let give_up = |tuning: &mut StoredTuning| tuning.ends(TuningStatus::Failed, batches::now_s());
            tables.change_tuning(&own.owner, &own.id, give_up).map(|_| ())
        });
        return Err(fault);
    }
    Ok(answer)
}

async fn find(batches: &Batches, owner: &str, id: &str) -> Result<StoredFile, Fault> {
    if !batches::is_file_id(id) {
        let message = "This is no file of the gateway's own, and it makes the provider's jobs of no others: upload the rows to it, by \
                       POST /v1/files with `purpose=fine-tune` and the provider's name in x-ostia-provider.";
        return Err(Fault::invalid(message).with_code("invalid_training_file"));
    }
    let (owner, own) = (owner.to_owned(), id.to_owned());
    let found = batches.ask(move |tables| tables.file(&owner, &own)).await?;
    found.ok_or_else(|| files::not_found(id))
}

/// Has the file as many rows as the vendor takes?
fn check_count(form: &TuningForm, file: &StoredFile, is_validation: bool) -> Result<(), Fault> {
    let refused = |message: String| Err(Fault::invalid(message).with_code("invalid_training_file"));
    let (rows, rows_max) = (file.rows, form.validation_rows_max);
    if rows < form.rows_min {
        return refused(format!(
            "The file has {rows} rows, and the provider takes {} at least.",
            form.rows_min
        ));
    }
    if is_validation && rows > rows_max {
        return refused(format!(
            "The file has {rows} rows, and the provider takes {rows_max} at most for validation."
        ));
    }
    Ok(())
}

/// Does the file hold what the vendor trains with in this way?
fn check(form: &TuningForm, job: &NewJob, file: &StoredFile) -> Result<(), Fault> {
    let refused = |message: String| Err(Fault::invalid(message).with_code("invalid_training_file"));
    let kind = file.training.as_deref().and_then(RowKind::named);
    let Some(kind) = kind.filter(|_| file.purpose == FilePurpose::FineTune) else {
        let purpose = file.purpose.as_str();
        return refused(format!("The file is for `{purpose}`: upload its rows with `purpose=fine-tune`."));
    };
    let rows = (form.rows)(job);
    if !rows.contains(&kind) {
        let fields: Vec<String> =
            rows.iter().map(|kind| format!("`{}`", kind.fields().join("`, `"))).collect();
        return refused(format!(
            "The rows of the file have `{}`, and for the method `{}` the provider takes rows with {}.",
            kind.fields().join("`, `"),
            job.method.name(),
            fields.join(", or with ")
        ));
    }
    if file.bytes > form.bytes_max {
        return refused(format!(
            "The file has {} bytes, and the provider takes {} at most in one request.",
            file.bytes, form.bytes_max
        ));
    }
    Ok(())
}
