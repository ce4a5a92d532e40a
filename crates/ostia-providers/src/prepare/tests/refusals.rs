//! What clouds refuse, each with its public source: a client's request, and what of it is sent, left out or refused here. One
//! file for each cloud; those of Converse besides are held against `ostia-testkit`'s strict servers.
//!
//! A case: `name`, `why`, `source`; `provider` with its `settings`, `api` and `body` of the client, `headers` that the body's finish
//! reads; then `sent` (JSON pointers to values, `null` for what must be absent), `path`, `calls` (how many), `way`, `dropped`
//! (paths, all of them), or `refused` (the field of a 400).

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::prepare::finish;

const FILES: [(&str, &str, usize); 5] = [
    ("invoke", include_str!("refusals/invoke.json"), 22),
    ("embeddings", include_str!("refusals/embeddings.json"), 8),
    ("vertex", include_str!("refusals/vertex.json"), 14),
    ("azure", include_str!("refusals/azure.json"), 10),
    ("hosts", include_str!("refusals/hosts.json"), 24),
];

#[test]
fn what_clouds_refuse_does_not_reach_them() {
    let (mut names, mut problems) = (std::collections::HashSet::new(), Vec::new());
    for (file, text, least) in FILES {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= least, "{file} has {} cases", cases.len());
        for case in cases {
            let name = case["name"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            let told = |field: &str| case[field].as_str().is_some_and(|text| text.len() > 10);
            assert!(told("why") && told("source"), "{name} does not say why, or where that can be read");
            problems.extend(problem(&case).map(|problem| format!("{name}: {problem}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(names.len() >= CASES_MIN, "{} cases", names.len());
}

/// As many there have to be, those of Converse not counted.
const CASES_MIN: usize = 84;

/// What is otherwise than a case has it.
fn problem(case: &Value) -> Option<String> {
    match (asked(case), case["refused"].as_str()) {
        (Err(fault), Some(param)) => {
            let is_so = fault.status == 400 && fault.param.as_deref() == Some(param);
            (!is_so).then(|| format!("{fault} at {:?}", fault.param))
        }
        (Ok(sent), None) => difference(case, &sent),
        (Err(fault), None) => Some(fault.to_string()),
        (Ok(sent), Some(_)) => Some(format!("is sent: {}", sent.body)),
    }
}

struct Sent {
    way: &'static str,
    path: String,
    body: Value,
    calls: usize,
    dropped: Vec<String>,
}

fn asked(case: &Value) -> Result<Sent, ostia_dialect::Fault> {
    let text = |field: &str| case[field].as_str().unwrap();
    let bytes = Bytes::from(case["body"].to_string());
    let api = Api::from_name(text("api")).unwrap();
    let call = ApiCall::read(api, None, "", &bytes, usize::MAX)?;
    let row = provider(text("provider"));
    let mut values = Values::default();
    for (name, value) in case["settings"].as_object().into_iter().flatten() {
        values.insert(name, value.as_str().unwrap());
    }
    let (provider, model) = row.for_model(call.model().unwrap(), &values);
    let to = Recipient { provider, values: &values, model: model.as_deref(), ..recipient(text("provider")) };
    let way = way(&call, &to, false)?;
    let mut prepared = prepare(way, &call, &to, None, &Files::new())?;
    if let Prepared::Fetch(remotes) = &prepared {
        let files = remotes.iter().map(|remote| (remote.url.clone(), Ok(remote.stand_in().into())));
        prepared = prepare(way, &call, &to, None, &files.collect())?;
    }
    let Prepared::Request(mut prepared) = prepared else { unreachable!("{case}") };
    let mut headers = HeaderMap::new();
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
        headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    let calls = 1 + prepared.more.len();
    let body = json_of(&prepared, &bytes);
    let body = finish(&mut prepared, provider, body, &mut headers)?;
    let body = serde_json::from_slice(&body).unwrap();
    Ok(Sent { way: way.name(), path: prepared.path, body, calls, dropped: prepared.dropped })
}

fn difference(case: &Value, sent: &Sent) -> Option<String> {
    let found = |pointer: &str| sent.body.pointer(pointer).unwrap_or(&Value::Null);
    let mut wrong = case["sent"].as_object().into_iter().flatten();
    if let Some((pointer, _)) = wrong.find(|(pointer, expected)| found(pointer) != *expected) {
        return Some(format!("{pointer} in {}", sent.body));
    }
    let told = json!({"way": sent.way, "path": sent.path, "calls": sent.calls, "dropped": sent.dropped});
    let mut told = told.as_object().unwrap().clone().into_iter();
    let other = told.find(|(name, value)| case.get(name).is_some_and(|expected| expected != value));
    other.map(|(name, value)| format!("{name} is {value}"))
}
