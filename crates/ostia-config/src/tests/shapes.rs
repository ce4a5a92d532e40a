//! The tables say what those who read say.

use ostia_providers::Row;
use ostia_routing::config::known_fields;
use serde_json::{Value, json};

use super::env;
use crate::shape::{FILE, Shape};
use crate::{Code, check};

fn names(shape: &Shape) -> Vec<&'static str> {
    let mut names: Vec<&str> = shape.fields().iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    names
}

/// The fields that a type of the providers' crate reads, from what it says of one that it does not know.
fn read_by_row(row: Value) -> Vec<String> {
    let fault = serde_json::from_value::<Row>(row).unwrap_err().to_string();
    let (_, list) = fault.split_once("expected ").unwrap_or_else(|| panic!("{fault}"));
    let mut names: Vec<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[test]
fn fields_of_providers_are_those_of_their_rows() {
    let provider = FILE.of("providers").of("any");
    let quirks = provider.of("quirks");
    let limits = quirks.of("limits");
    let mut row = names(provider);
    row.retain(|name| !["api_key", "credentials", "models", "tls", "proxy", "http2"].contains(name));
    assert_eq!(row, read_by_row(json!({"?": 1})));
    assert_eq!(names(quirks), read_by_row(json!({"quirks": {"?": 1}})));
    assert_eq!(names(limits), read_by_row(json!({"quirks": {"limits": {"?": 1}}})));
    assert_eq!(
        names(limits.of("tool_ids")),
        read_by_row(json!({"quirks": {"limits": {"tool_ids": {"?": 1}}}}))
    );
    assert_eq!(names(provider.of("oauth")), read_by_row(json!({"oauth": {"?": 1}})));
    let mut auth = read_by_row(json!({"auth": {"?": 1}}));
    auth.retain(|name| !["azure", "bearer", "google", "ibm", "none", "oracle"].contains(&name.as_str()));
    assert_eq!(names(provider.of("auth")), auth);
}

#[test]
fn fields_of_routing_configs_are_those_of_their_reader() {
    let config = FILE.of("configs").of("any");
    let strategy = config.of("strategy");
    for (object, known) in known_fields() {
        let (shape, all) = match object {
            "config" => (config, false),
            "strategy" => (strategy, true),
            "conditions" => (strategy.of("conditions").item(), true),
            "sticky" => (strategy.of("sticky"), true),
            object => (config.of(object), true),
        };
        let strangers: Vec<&str> = names(shape).into_iter().filter(|name| !known.contains(name)).collect();
        assert_eq!(strangers, Vec::<&str>::new(), "{object}");
        // Of what only another vendor's gateway does the name is enough.
        let missing: Vec<&&str> = known.iter().filter(|name| all && !names(shape).contains(name)).collect();
        assert_eq!(missing, Vec::<&&str>::new(), "{object}");
    }
}

/// What fits a shape, and what does not, for every field below a shape: the reader has to agree.
#[test]
fn values_are_taken_as_the_tables_say() {
    let mut wrong = Vec::new();
    let config = FILE.of("configs").of("any");
    let mut tried = 0;
    let mut try_all = |shape: &Shape, wrap: &dyn Fn(&str, Value) -> Value| {
        for (name, shape, _) in shape.fields() {
            let (good, bad) = samples(shape);
            for (value, is_good) in
                good.into_iter().map(|value| (value, true)).chain(bad.into_iter().map(|value| (value, false)))
            {
                tried += 1;
                let text = wrap(name, value).to_string();
                let report = check("o.yaml", &text, &env).report;
                // What is not supported yet is of the right shape all the same.
                let place = report.problems().iter().any(|problem| {
                    let is_of_shape = problem.is_error() && problem.code != Code::Unsupported;
                    is_of_shape && problem.place.path.split(['.', '[']).any(|step| step == *name)
                });
                if place == is_good {
                    wrong.push(format!("{text}: {report}"));
                }
            }
        }
    };
    try_all(&FILE, &|name, value| json!({ name: value }));
    let sections = [
        "timeouts",
        "limits",
        "websockets",
        "responses",
        "records",
        "telemetry",
        "auth",
        "egress",
        "cors",
        "upstream",
    ];
    for section in sections {
        try_all(FILE.of(section), &|name, value| json!({ section: { name: value } }));
    }
    for section in ["otlp", "metrics"] {
        let fields = FILE.of("telemetry").of(section);
        try_all(fields, &|name, value| json!({"telemetry": {section: { name: value }}}));
    }
    let provider = FILE.of("providers").of("any");
    try_all(provider, &|name, value| json!({"providers": {"groq": { name: value }}}));
    try_all(provider.of("tls"), &|name, value| json!({"providers": {"groq": {"tls": { name: value }}}}));
    let quirks = provider.of("quirks");
    try_all(quirks, &|name, value| json!({"providers": {"groq": {"quirks": { name: value }}}}));
    try_all(
        quirks.of("limits"),
        &|name, value| json!({"providers": {"groq": {"quirks": {"limits": { name: value }}}}}),
    );
    try_all(config, &|name, value| json!({"configs": {"a": {"provider": "groq", name: value}}}));
    for (object, needs) in
        [("retry", ("attempts", 1)), ("hedge", ("after", 1)), ("cb_config", ("failure_threshold", 1))]
    {
        try_all(config.of(object), &|name, value| {
            let mut fields = json!({ needs.0: needs.1 });
            fields[name] = value;
            json!({"configs": {"a": {"provider": "groq", object: fields}}})
        });
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(wrong, Vec::<String>::new());
}

/// Values that fit and values that do not. For shapes whose values mean something more, only what does not.
fn samples(shape: &Shape) -> (Vec<Value>, Vec<Value>) {
    match shape {
        Shape::Words(words) => {
            (words().into_iter().map(Value::from).collect(), vec!["no such word".into(), json!([])])
        }
        Shape::Bool => (vec![true.into(), false.into()], vec!["yes".into(), 1.into()]),
        Shape::Whole(least, most) => {
            let mut bad = vec![json!([]), json!({})];
            bad.extend((*most < u64::MAX).then(|| json!(most + 1)));
            bad.extend(least.checked_sub(1).map(Value::from));
            (vec![(*least).into()], bad)
        }
        Shape::Count(least, most) => (
            vec![(*least).into(), least.to_string().into(), (*most).into()],
            vec![json!(least - 1), json!(most + 1)],
        ),
        Shape::Bytes(least, most) => (
            vec![(*least).into(), format!("{most} B").into()],
            vec![json!(least - 1), json!(most + 1), "x".into()],
        ),
        Shape::Time => (vec!["5s".into(), 5.into()], vec!["off".into(), 0.into(), "x".into(), true.into()]),
        Shape::TimeOrOff => (vec!["5s".into(), "off".into(), 0.into()], vec!["x".into(), true.into()]),
        Shape::Age => (vec!["400d".into(), "5h".into()], vec!["off".into(), 0.into(), "99999d".into()]),
        Shape::Number(least, most) => {
            let mut bad = vec!["x".into(), json!(least - 1.0)];
            bad.extend((*most < f64::MAX).then(|| json!(most + 1.0)));
            (vec![json!(least + 0.5)], bad)
        }
        Shape::Text | Shape::Private | Shape::Secret => (vec![], vec![5.into(), json!([]), json!({})]),
        // `targets` needs more beside it.
        Shape::List(Shape::Named(..)) => (vec![], vec!["x".into(), 5.into()]),
        Shape::List(_) => (vec![json!([])], vec!["x".into(), 5.into(), json!([[]])]),
        Shape::ListOf(..) => (vec![], vec![json!([]), 5.into()]),
        Shape::Pair(_) => (vec![], vec![json!([1]), "x".into(), json!(["x", "y"])]),
        Shape::Map(_) | Shape::Fields(..) | Shape::Named(..) => (vec![], vec!["x".into(), json!([])]),
        Shape::Either(shapes) => {
            let good = shapes.iter().flat_map(|shape| samples(shape).0).collect();
            let takes_bools = shapes.iter().any(|shape| matches!(shape, Shape::Bool));
            (good, vec![if takes_bools { 5.into() } else { true.into() }])
        }
        Shape::Amount | Shape::Json => (vec![], vec![]),
    }
}
