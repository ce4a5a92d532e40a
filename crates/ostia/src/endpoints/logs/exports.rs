//! Exports of logs as jobs, as Portkey's SDKs ask for them
//! (<https://portkey.ai/docs/api-reference/admin-api/data-plane/logs/log-exports-beta/create-a-log-export>): made as a draft, started,
//! asked after, and fetched from an address that is signed, so that whoever has it needs no key for an hour.

use std::rc::Rc;

use aws_lc_rs::hmac;
use http::{Response, request};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{
    Busy, EXPORT_FIELDS, EXPORT_ROWS_MAX, EXPORTS_MAX, ExportFault, ExportJob, ExportPlan, ExportStatus,
    ExportStore, Exports,
};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::parameters::{Parameters, rfc3339, table};
use super::{admit, ask, busy, nothing_kept, now_ms};
use crate::client::ClientBody;
use crate::core::Core;
use crate::endpoints::{files, page};
use crate::errors::reply;
use crate::inbound::credentials::Credentials;
use crate::inbound::route::{ExportPath, KeptPath};
use crate::inbound::{browser, intake, query};
use crate::message::body::Body;

/// How long an address of a file holds, in seconds.
const ADDRESS_HOLDS_S: i64 = 3600;
/// Longest description and name of a workspace, in bytes.
const TEXT_BYTES_MAX: usize = 1000;

/// Answers one of these.
///
/// # Errors
/// 401 and 403 for whoever may not ask, 400 for what makes no sense, 404 where there is no such job, 409 where it is not in a state for
/// that, 429 where there are too many, 503 where it cannot be written.
pub(super) async fn answer(
    core: &Rc<Core>,
    parts: &request::Parts,
    credentials: &Credentials,
    path: ExportPath<'_>,
    body: ClientBody,
) -> Result<Response<Body>, Fault> {
    // Its address is signed, and is all that is needed.
    if let ExportPath::Content(id) = path {
        return content(core, parts, id).await;
    }
    admit(core, parts, credentials)?;
    let scheme = body.client().connection.scheme();
    match path {
        ExportPath::List => {
            let data: Vec<Value> = exports(core, |all| Ok(all.list())).await?.iter().map(told).collect();
            Ok(json_of(&json!({"object": "list", "total": data.len(), "data": data})))
        }
        ExportPath::Create => {
            let plan = Wish::read(core, parts, body).await?.plan()?;
            let (total, ids) = (total(core, &plan).await?, (core.new_id(), core.new_id()));
            Ok(made(&exports(core, move |all| all.create(ids.0, ids.1, plan)).await?, total))
        }
        ExportPath::One(id) => Ok(json_of(&told(&of(core, id, |all, id| all.one(id)).await?))),
        ExportPath::Change(id) => {
            let wish = Wish::read(core, parts, body).await?;
            let job = of(core, id, move |all, id| all.update(id, |plan| wish.change(plan))).await?;
            Ok(made(&job, total(core, &job.plan).await?))
        }
        ExportPath::Start(id) => {
            of(core, id, |all, id| all.begin(id)).await?;
            Ok(json_of(&json!({"message": "The export has begun.", "object": "export"})))
        }
        ExportPath::Cancel(id) => {
            of(core, id, |all, id| all.cancel(id)).await?;
            Ok(json_of(&json!({"message": "The export is stopped.", "object": "export"})))
        }
        ExportPath::Download(id) => {
            let job = of(core, id, |all, id| all.open(id).and_then(|_| all.one(id))).await?;
            let address = address(&job, now_ms() / 1000 + ADDRESS_HOLDS_S);
            let url = format!("{scheme}://{}{address}", page::host(parts));
            Ok(json_of(&json!({"signed_url": url})))
        }
        ExportPath::Content(id) => content(core, parts, id).await,
    }
}

/// How many requests there are for an export now.
async fn total(core: &Core, plan: &ExportPlan) -> Result<u64, Fault> {
    let readers = core.readers.as_ref().ok_or_else(nothing_kept)?;
    let filter = plan.filter.clone();
    ask(readers, move |reader| reader.count(&filter, EXPORT_ROWS_MAX)).await
}

fn made(job: &ExportJob, total: u64) -> Response<Body> {
    json_of(&json!({"id": job.id, "total": total, "object": "export"}))
}

fn json_of(told: &Value) -> Response<Body> {
    reply::json(told.to_string())
}

/// Has the thread of exports do this.
async fn exports<T: Send + 'static>(
    core: &Core,
    question: impl FnOnce(&mut Exports) -> Result<T, ExportFault> + Send + 'static,
) -> Result<T, Fault> {
    let store: &ExportStore = core.exports.as_ref().ok_or_else(nothing_kept)?;
    let (tell, told) = oneshot::channel();
    // Whoever asked may have left.
    store.ask(move |all| drop(tell.send(question(all)))).map_err(|Busy| busy())?;
    told.await.map_err(|_| busy())?.map_err(fault)
}

/// The same with one job.
async fn of<T: Send + 'static>(
    core: &Core,
    id: &str,
    question: impl FnOnce(&mut Exports, &str) -> Result<T, ExportFault> + Send + 'static,
) -> Result<T, Fault> {
    let id = id.to_owned();
    exports(core, move |all| question(all, &id)).await
}

fn fault(why: ExportFault) -> Fault {
    match why {
        ExportFault::Missing => missing(),
        ExportFault::State(state) => {
            let what = match state {
                ExportStatus::Draft => "has not been started: start it first",
                ExportStatus::InProgress => "is being written: wait for its end, or cancel it",
                ExportStatus::Success => "has come to its end",
                ExportStatus::Failed => "failed: make another one",
                ExportStatus::Stopped => "was stopped",
            };
            Fault::invalid(format!("The export {what}.")).with_status(409).with_code("export_state")
        }
        ExportFault::TooMany => {
            let message = format!("There are {EXPORTS_MAX} exports already: wait until some are a week old.");
            Fault::new(FaultKind::RateLimit, message).with_code("too_many_exports")
        }
        ExportFault::Lost => {
            let message = "The file of this export is gone: make another one.";
            Fault::new(FaultKind::NotFound, message).with_status(410).with_code("export_lost")
        }
        ExportFault::Unwritten => {
            let message = "The export cannot be written at the moment: try again later.";
            Fault::new(FaultKind::Overloaded, message).with_status(503)
        }
    }
}

fn missing() -> Fault {
    Fault::new(FaultKind::NotFound, "There is no such export.").with_param("id").with_code("export_not_found")
}

fn told(job: &ExportJob) -> Value {
    let ExportPlan { filters, fields, description, workspace, .. } = &job.plan;
    json!({
        "id": job.id,
        "object": "export",
        "status": job.status.as_str(),
        "filters": filters,
        "requested_data": fields,
        "description": description,
        "workspace_id": workspace,
        "created_at": rfc3339(job.created_ms),
        "last_updated_at": rfc3339(job.updated_ms),
        "total_records": job.rows,
        "bytes": job.bytes,
        "error": job.error,
    })
}

/// Where the file is, until then.
fn address(job: &ExportJob, expires_s: i64) -> String {
    let signature = hmac::sign(&key(job), signed(&job.id, expires_s).as_bytes());
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/v1/logs/exports/{}/content?expires={expires_s}&signature={digits}", job.id)
}

fn key(job: &ExportJob) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, job.secret.as_bytes())
}

fn signed(id: &str, expires_s: i64) -> String {
    format!("{id} {expires_s}")
}

/// Is it an address that was signed for this job, and is its time not over? Moments in seconds since 1970.
fn holds(job: &ExportJob, expires_s: i64, signature: &[u8], now_s: i64) -> bool {
    let text = signed(&job.id, expires_s);
    expires_s > now_s && hmac::verify(&key(job), text.as_bytes(), signature).is_ok()
}

/// The file, for whoever has an address of it that still holds.
async fn content(core: &Rc<Core>, parts: &request::Parts, id: &str) -> Result<Response<Body>, Fault> {
    let (mut expires_s, mut signature) = (0, Vec::new());
    for field in query::fields(parts.uri.query().unwrap_or_default()) {
        match field.name_and_value() {
            Some((name, value)) if name == "expires" => expires_s = value.parse().unwrap_or_default(),
            Some((name, value)) if name == "signature" => signature = bytes(&value).unwrap_or_default(),
            _ => {}
        }
    }
    let now_s = now_ms() / 1000;
    let opened = of(core, id, move |all, id| match holds(&all.one(id)?, expires_s, &signature, now_s) {
        true => all.open(id),
        false => Err(ExportFault::Missing),
    });
    let (file, bytes) = opened.await.map_err(|fault| match fault.status {
        // Whoever guesses learns nothing.
        404 => Fault::new(
            FaultKind::Permission,
            "This address does not hold, or not any more: ask for a new one.",
        )
        .with_code("signature_invalid"),
        _ => fault,
    })?;
    Ok(files::rows(file, bytes))
}

/// Digits of two as bytes.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// What somebody wants of an export; what is left out stays as it is.
#[derive(Debug, Default)]
struct Wish {
    filters: Option<(ostia_store::Filter, Value, u64)>,
    fields: Option<Vec<String>>,
    description: Option<String>,
    workspace: Option<String>,
}

impl Wish {
    async fn read(core: &Core, parts: &request::Parts, body: ClientBody) -> Result<Wish, Fault> {
        browser::check_media(&core.settings, &parts.headers)?;
        let body = intake::read_plain(body, &parts.headers, &core.settings.limits).await?;
        let no_json = |error: serde_json::Error| Fault::invalid(format!("The body is no JSON: {error}."));
        let body: Value = serde_json::from_slice(&body).map_err(no_json)?;
        Wish::of(body.as_object().ok_or_else(|| Fault::invalid("The body must be an object."))?)
    }

    fn of(body: &Map<String, Value>) -> Result<Wish, Fault> {
        let mut wish = Wish::default();
        for (name, value) in body {
            // SDKs send null for what nobody said.
            let given = Some(value).filter(|value| !value.is_null());
            match name.as_str() {
                "filters" => wish.filters = given.map(filters).transpose()?,
                "requested_data" => wish.fields = given.map(fields).transpose()?,
                "description" => wish.description = given.map(|value| text(name, value)).transpose()?,
                "workspace_id" => wish.workspace = given.map(|value| text(name, value)).transpose()?,
                _ => {
                    return Err(wrong(
                        name,
                        "is no field of an export; there are filters, requested_data, description, workspace_id",
                    ));
                }
            }
        }
        Ok(wish)
    }

    fn plan(self) -> Result<ExportPlan, Fault> {
        let Some((filter, filters, rows_max)) = self.filters else {
            return Err(wrong("filters", "is missing: an object, which may be empty"));
        };
        let fields = self.fields.unwrap_or_default();
        let (description, workspace) = (self.description, self.workspace);
        Ok(ExportPlan { filter, filters, fields, rows_max, description, workspace })
    }

    fn change(self, plan: &mut ExportPlan) {
        if let Some((filter, filters, rows_max)) = self.filters {
            (plan.filter, plan.filters, plan.rows_max) = (filter, filters, rows_max);
        }
        plan.fields = self.fields.unwrap_or_else(|| std::mem::take(&mut plan.fields));
        plan.description = self.description.or_else(|| plan.description.take());
        plan.workspace = self.workspace.or_else(|| plan.workspace.take());
    }
}

/// The same parameters as analytics have, as fields of an object; money is in cents there.
fn filters(value: &Value) -> Result<(ostia_store::Filter, Value, u64), Fault> {
    let object = value.as_object().ok_or_else(|| wrong("filters", "must be an object"))?;
    let mut rows_max = EXPORT_ROWS_MAX;
    let path = KeptPath::Exports(ExportPath::Create);
    let (mut named, mut kept) = (Vec::new(), Map::new());
    for (name, value) in object {
        let is_page = name == "page_size" || name == "current_page";
        if value.is_null() {
            if !is_page && !table::of(&path).any(|row| row.names.contains(&name.as_str())) {
                return Err(wrong(name, "is no filter of an export"));
            }
            continue;
        }
        kept.insert(name.clone(), value.clone());
        match (name.as_str(), value) {
            ("page_size", Value::Number(size)) => {
                let size = size.as_u64().filter(|size| (1..=EXPORT_ROWS_MAX).contains(size));
                rows_max = size.ok_or_else(|| wrong(name, &format!("must be 1 to {EXPORT_ROWS_MAX}")))?;
            }
            ("current_page", Value::Number(page)) if page.as_u64() == Some(0) => {}
            _ if is_page => return Err(wrong(name, "must be a number; an export has one page, 0")),
            (_, Value::String(text)) => named.push((name.clone(), text.clone())),
            (_, value) => named.push((name.clone(), value.to_string())),
        }
    }
    let named = named.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let parameters = Parameters::of(named, &path)?;
    Ok((parameters.filter, kept.into(), rows_max))
}

fn fields(value: &Value) -> Result<Vec<String>, Fault> {
    let told = || wrong("requested_data", &format!("must be a list of some of {}", EXPORT_FIELDS.join(", ")));
    let mut named: Vec<String> = Vec::new();
    for field in value.as_array().ok_or_else(told)? {
        let name = field.as_str().filter(|name| EXPORT_FIELDS.contains(name)).ok_or_else(told)?;
        if !named.iter().any(|known| known == name) {
            named.push(name.to_owned());
        }
    }
    Ok(named)
}

fn text(name: &str, value: &Value) -> Result<String, Fault> {
    let text = value.as_str().filter(|text| text.len() <= TEXT_BYTES_MAX);
    text.map(str::to_owned)
        .ok_or_else(|| wrong(name, &format!("must be a text of at most {TEXT_BYTES_MAX} bytes")))
}

fn wrong(name: &str, what: &str) -> Fault {
    Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wish(body: &Value) -> Result<ExportPlan, Fault> {
        Wish::of(body.as_object().unwrap()).and_then(Wish::plan)
    }

    #[test]
    fn what_portkeys_sdk_sends() {
        let plan = wish(&json!({
            "filters": {"time_of_generation_min": "2026-11-29T08:00:00Z", "cost_min": 0.5, "total_units_max": 10,
                        "status_code": "200,404", "metadata": {"team": "red"}, "page_size": 7, "current_page": 0},
            "requested_data": ["id", "cost"], "workspace_id": "w", "description": null,
        }))
        .unwrap();
        assert_eq!(
            (plan.filter.cost_nano.0, plan.filter.tokens.1, plan.rows_max),
            (Some(5_000_000), Some(10), 7)
        );
        assert_eq!(plan.filter.metadata, [("team".to_owned(), "red".to_owned())]);
        assert_eq!((plan.fields.len(), plan.workspace.as_deref()), (2, Some("w")));
        let all = wish(&json!({"filters": {}})).unwrap();
        assert_eq!((all.rows_max, all.filter), (EXPORT_ROWS_MAX, ostia_store::Filter::default()));
        let told =
            json!({"filters": {"cost_min": null, "page_size": null}, "requested_data": vec!["id"; 1000]});
        let bare = wish(&told).unwrap();
        assert_eq!((bare.filters, bare.fields), (json!({}), vec!["id".to_owned()]), "nothing else is kept");
    }

    #[test]
    fn every_field_wrong_once() {
        let check = |body: Value, param: &str| {
            let fault = wish(&body).unwrap_err();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}: {fault}");
        };
        check(json!({}), "filters");
        check(json!({"filters": 1}), "filters");
        check(json!({"filters": {}, "requested_data": "id"}), "requested_data");
        check(json!({"filters": {}, "requested_data": ["secrets"]}), "requested_data");
        check(json!({"filters": {}, "description": 1}), "description");
        check(json!({"filters": {}, "workspace_id": []}), "workspace_id");
        check(json!({"filters": {}, "colour": "red"}), "colour");
        check(json!({"filters": {}, "colour": null}), "colour");
        check(json!({"filters": {"colour": null}}), "colour");
        check(json!({"filters": {"page_size": 0}}), "page_size");
        check(json!({"filters": {"page_size": 50_001}}), "page_size");
        check(json!({"filters": {"current_page": 1}}), "current_page");
        check(json!({"filters": {"cost_min": -1}}), "cost_min");
        check(json!({"filters": {"colour": "red"}}), "colour");
        check(json!({"filters": {"configs": "c"}}), "configs");
    }

    #[test]
    fn addresses_hold_for_their_job_and_time_only() {
        let job = |id: &str, secret: &str| -> ExportJob {
            let job = json!({
                "id": id, "secret": secret, "plan": wish(&json!({"filters": {}})).unwrap(), "status": "success", "error": null,
                "created_ms": 0, "started_ms": 0, "updated_ms": 0, "rows": 0, "bytes": 0, "cursor": null,
            });
            serde_json::from_value(job).unwrap()
        };
        let own = job("e", "s");
        let address = address(&own, 10);
        let signature = bytes(address.rsplit_once('=').unwrap().1).unwrap();
        assert!(address.contains("/e/content?expires=10&"), "{address}");
        assert!(holds(&own, 10, &signature, 9));
        assert!(!holds(&own, 10, &signature, 10) && !holds(&own, 10, &signature, 11), "its time is over");
        assert!(!holds(&own, 11, &signature, 9), "for a time that was not signed");
        assert!(!holds(&job("f", "s"), 10, &signature, 9) && !holds(&job("e", "t"), 10, &signature, 9));
        assert!(!holds(&own, 10, &signature[1..], 9) && !holds(&own, 10, &[], 9));
        assert_eq!(bytes("0aff"), Some(vec![10, 255]));
        assert_eq!((bytes("0g"), bytes("é")), (None, None));
    }
}
