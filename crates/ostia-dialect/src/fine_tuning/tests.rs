#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::Api;
use crate::json::{Document, Json};
use crate::step::{self, Content, Place, Step};

fn job(body: &Value) -> Result<NewJob, crate::Fault> {
    let text = body.to_string();
    NewJob::decode(&Document::parse(text.as_bytes()).unwrap())
}

fn value(json: &Json) -> Value {
    serde_json::from_str(json.as_str()).unwrap()
}

#[test]
fn what_a_client_asks_for_in_both_spellings() {
    let check = |more: Value, method: Method, numbers: Hyperparameters| {
        let mut body = json!({"model": "m", "training_file": "f"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let job = job(&body).unwrap();
        assert_eq!((job.method, job.hyperparameters), (method, numbers), "{body}");
        assert_eq!(job.unknown, Vec::<String>::new(), "{body}");
    };
    let none = Hyperparameters::default();
    check(json!({}), Method::Supervised, none);
    check(json!({"method": null, "hyperparameters": null, "seed": null}), Method::Supervised, none);
    let auto = json!({"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"});
    check(json!({"hyperparameters": auto}), Method::Supervised, none);
    let numbers = json!({"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 0.5});
    let read = Hyperparameters {
        n_epochs: Some(3),
        batch_size: Some(8),
        learning_rate_multiplier: Some(0.5),
        ..none
    };
    check(json!({"hyperparameters": numbers}), Method::Supervised, read);
    let newer = json!({"type": "supervised", "supervised": {"hyperparameters": numbers}});
    check(json!({"method": newer}), Method::Supervised, read);
    let older = json!({"n_epochs": 9, "learning_rate": 0.001});
    let both = Hyperparameters { learning_rate: Some(0.001), ..read };
    check(json!({"method": newer, "hyperparameters": older}), Method::Supervised, both);
    let dpo = json!({"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 1}}});
    check(
        json!({"method": dpo}),
        Method::Dpo,
        Hyperparameters { beta: Some(0.2), n_epochs: Some(1), ..none },
    );
    check(json!({"method": {"type": "dpo"}}), Method::Dpo, none);
}

#[test]
fn what_makes_no_sense_is_named() {
    let check = |more: Value, param: &str| {
        let mut body = json!({"model": "m", "training_file": "f"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let fault = job(&body).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}");
    };
    check(json!({"model": null}), "model");
    check(json!({"training_file": 1}), "training_file");
    check(json!({"suffix": "x".repeat(65)}), "suffix");
    check(json!({"seed": -1}), "seed");
    check(json!({"method": {"type": "reinforcement", "reinforcement": {}}}), "method.type");
    check(json!({"method": {}}), "method.type");
    check(json!({"method": {"type": "dpo", "dpo": 1}}), "method.dpo");
    check(json!({"hyperparameters": {"n_epochs": 0}}), "hyperparameters.n_epochs");
    check(json!({"hyperparameters": {"batch_size": "max"}}), "hyperparameters.batch_size");
    check(
        json!({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": -1}}}}),
        "method.dpo.hyperparameters.beta",
    );
    check(json!({"hyperparameters": {"learning_rate": 0}}), "hyperparameters.learning_rate");
    check(json!({"integrations": [{"type": "mlflow"}]}), "integrations[0].type");
    check(json!({"integrations": [{"type": "wandb", "wandb": {}}]}), "integrations[0].wandb.project");
    check(json!({"metadata": {"a": 1}}), "metadata.a");
    check(json!({"metadata": {"a": "x".repeat(513)}}), "metadata");
}

#[test]
fn what_means_nothing_is_told_by_its_path() {
    let body = json!({
        "model": "m", "training_file": "f", "lora": true, "hyperparameters": {"warmup": 1},
        "method": {"type": "supervised", "dpo": {}, "supervised": {"x": 1}},
        "integrations": [{"type": "wandb", "wandb": {"project": "p", "color": "red"}}],
    });
    let unknown = job(&body).unwrap().unknown;
    assert_eq!(
        unknown,
        [
            "lora",
            "method.dpo",
            "method.supervised.x",
            "hyperparameters.warmup",
            "integrations[0].wandb.color"
        ]
    );
}

#[test]
fn a_job_tells_what_was_asked_for_and_no_key() {
    let body = json!({
        "model": "m", "training_file": "f", "seed": 7, "hyperparameters": {"n_epochs": 2},
        "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
        "integrations": [{"type": "wandb", "wandb": {"project": "p", "name": "n", "api_key": "wandb-secret"}}],
    });
    let told = value(&job(&body).unwrap().told());
    let auto = json!("auto");
    assert_eq!(
        told,
        json!({
            "hyperparameters": {"n_epochs": 2, "batch_size": auto, "learning_rate_multiplier": auto},
            "method": {"type": "dpo", "dpo": {"hyperparameters": {
                "n_epochs": 2, "batch_size": auto, "learning_rate_multiplier": auto, "beta": 0.1}}},
            "integrations": [{"type": "wandb", "wandb": {"project": "p", "name": "n"}}],
            "seed": 7,
        })
    );
}

#[test]
fn rows() {
    let check = |line: &str, expected: Result<RowKind, &str>| {
        let read = RowKind::read(line.as_bytes());
        match expected {
            Ok(kind) => assert_eq!(read, Ok(kind), "{line}"),
            Err(words) => assert!(read.unwrap_err().message.contains(words), "{line}"),
        }
    };
    let said = r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#;
    check(&format!(r#"{{"messages":{said},"tools":[]}}"#), Ok(RowKind::Conversation));
    let preference =
        |input: &str, more: &str| format!(r#"{{"input":{input},"preferred_output":{said}{more}}}"#);
    let other = format!(r#","non_preferred_output":{said}"#);
    check(&preference(&format!(r#"{{"messages":{said}}}"#), &other), Ok(RowKind::Preference));
    check(r#"{"prompt":"a","completion":"b"}"#, Ok(RowKind::Completion));
    check(r#"{"text":"a"}"#, Ok(RowKind::Text));
    check("{", Err("is no JSON"));
    check("[]", Err("is no JSON object"));
    check("{}", Err("has none of `messages`"));
    check(r#"{"messages":[]}"#, Err("`messages` that is no list"));
    check(r#"{"messages":"hi"}"#, Err("`messages` that is no list"));
    check(r#"{"messages":[{"role":"user"},{"content":"x"}]}"#, Err("no `role` in `messages[1]`"));
    check(r#"{"prompt":"a"}"#, Err("has `prompt` and no `completion`"));
    check(r#"{"prompt":"a","completion":1}"#, Err("`completion` that is no text"));
    check(&preference("{}", &other), Err("`input` without `messages`"));
    check(&preference(&format!(r#"{{"messages":{said}}}"#), ""), Err("no `non_preferred_output`"));
    for kind in [RowKind::Conversation, RowKind::Preference, RowKind::Completion, RowKind::Text] {
        assert_eq!(RowKind::named(kind.name()), Some(kind));
    }
}

const FORMS: [&TuningForm; 2] = [&TOGETHER, &FIREWORKS];
const FILES: Files<'static> =
    Files { name: "ftjob-ostia-AbC_12", training: "train", validation: Some("valid") };

fn made(form: &TuningForm, body: Value) -> (Step, Value) {
    let step = (form.create)(&job(&body).unwrap(), &FILES);
    let text = match &step.content {
        Content::Json(text) => text.as_slice(),
        Content::Nothing | Content::Rows { .. } => b"null",
    };
    let sent = serde_json::from_slice(text).unwrap();
    (step, sent)
}

#[test]
fn jobs_are_made() {
    let everything = json!({
        "model": "m", "training_file": "f", "validation_file": "g", "suffix": "My model!", "seed": 7,
        "hyperparameters": {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 2},
        "integrations": [{"type": "wandb", "wandb": {"project": "p", "name": "n", "entity": "e", "api_key": "k"}}],
    });
    let (step, sent) = made(&TOGETHER, everything.clone());
    assert_eq!(step.place, Place::Behind(Api::TogetherFineTunes, String::new()));
    assert_eq!(
        sent,
        json!({
            "model": "m", "training_file": "train", "validation_file": "valid", "n_evals": 3, "n_epochs": 3, "batch_size": 8,
            "random_seed": 7, "learning_rate": 0.00002, "suffix": "My model!",
            "training_method": {"method": "sft", "train_on_inputs": "auto"},
            "wandb_api_key": "k", "wandb_project_name": "p", "wandb_name": "n", "wandb_entity": "e",
        })
    );
    let (step, sent) = made(&FIREWORKS, everything);
    let at = |path: &str| Place::Beside(Api::FireworksFineTunes, "/inference/v1", path.to_owned());
    assert_eq!(step.place, at("/supervisedFineTuningJobs"));
    assert_eq!(
        sent,
        json!({
            "displayName": "ftjob-ostia-AbC_12", "dataset": "train", "evaluationDataset": "valid", "baseModel": "m",
            "outputModel": "my-model-21cbaait", "epochs": 3, "batchSizeSamples": 8,
            "wandbConfig": {"enabled": true, "apiKey": "k", "project": "p", "entity": "e"},
        })
    );
    let preferences = json!({
        "model": "m", "training_file": "f",
        "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "learning_rate": 0.0001}}},
    });
    let (_, sent) = made(&TOGETHER, preferences.clone());
    assert_eq!(sent["training_method"], json!({"method": "dpo", "dpo_beta": 0.2}));
    assert_eq!((&sent["learning_rate"], &sent["n_evals"]), (&json!(0.0001), &json!(1)));
    let (step, sent) = made(&FIREWORKS, preferences);
    assert_eq!(step.place, at("/dpoJobs"));
    assert_eq!(
        sent,
        json!({
            "displayName": "ftjob-ostia-AbC_12", "dataset": "train",
            "trainingConfig": {"baseModel": "m", "learningRate": 0.0001},
            "lossConfig": {"method": "DPO", "dpo": {"beta": 0.2}},
        })
    );
}

#[test]
fn what_a_vendor_has_no_form_for() {
    let check = |form: &TuningForm, more: Value, expected: &[&str]| {
        let mut body = json!({"model": "m", "training_file": "f"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!((form.unsaid)(&job(&body).unwrap()), expected, "{body}");
    };
    let wandb = |more: Value| {
        let mut wandb = json!({"project": "p"});
        wandb.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"integrations": [{"type": "wandb", "wandb": wandb}]})
    };
    for form in FORMS {
        check(form, json!({}), &[]);
        check(form, wandb(json!({})), &["integrations"]);
        check(form, wandb(json!({"api_key": "k", "tags": ["t"]})), &["integrations[0].wandb.tags"]);
    }
    check(&TOGETHER, json!({"seed": 1, "hyperparameters": {"learning_rate_multiplier": 2}}), &[]);
    check(
        &FIREWORKS,
        json!({"seed": 1, "hyperparameters": {"learning_rate_multiplier": 2}}),
        &["seed", "hyperparameters.learning_rate_multiplier"],
    );
    check(&FIREWORKS, json!({"hyperparameters": {"learning_rate_multiplier": 2, "learning_rate": 0.1}}), &[]);
    check(&FIREWORKS, json!({"method": {"type": "dpo"}, "validation_file": "g"}), &["validation_file"]);
}

#[test]
fn steps() {
    let check = |step: Step, method: step::Method, place: Place| {
        assert_eq!((step.method, step.place), (method, place));
    };
    let together = |path: &str| Place::Behind(Api::TogetherFineTunes, path.to_owned());
    let fireworks = |path: &str| Place::Beside(Api::FireworksFineTunes, "/inference/v1", path.to_owned());
    use step::Method::{Get, Post};
    check((TOGETHER.status)("ft-1"), Get, together("/ft-1"));
    check((TOGETHER.cancel)("ft-1"), Post, together("/ft-1/cancel"));
    check((TOGETHER.events.as_ref().unwrap().step)("ft-1"), Get, together("/ft-1/events"));
    check((TOGETHER.checkpoints.as_ref().unwrap().step)("ft-1"), Get, together("/ft-1/checkpoints"));
    check((FIREWORKS.status)("dpoJobs/j"), Get, fireworks("/dpoJobs/j"));
    check((FIREWORKS.cancel)("dpoJobs/j"), Post, fireworks("/dpoJobs/j:cancel"));
}

#[test]
fn states() {
    let check = |form: &TuningForm, body: Value, expected: State| {
        assert_eq!(form.read(body.to_string().as_bytes()).unwrap(), expected, "{body}");
    };
    let together = |status: &str| {
        json!({
            "id": "ft-1", "status": status, "updated_at": "2026-08-19T14:44:51.5Z", "token_count": 850, "model_output_name": "me/m-1",
            "events": [
                {"type": "job_error", "level": "error", "message": "Out of memory.", "created_at": "2026-08-19T14:44:51Z"},
                {"type": "job_start", "level": "info", "message": "Started.", "created_at": "2026-08-19T14:44:52Z"},
            ],
        })
    };
    let ended = State { ended_s: Some(1_787_150_691), trained_tokens: Some(850), ..State::default() };
    let state = |id: &str, status: Status, more: State| State { id: id.to_owned(), status, ..more };
    let model = Some("me/m-1".to_owned());
    let reason = Some("Out of memory.".to_owned());
    for (word, status, more) in [
        ("pending", Status::Queued, State::default()),
        ("queued", Status::Queued, State::default()),
        ("running", Status::Running, State::default()),
        ("uploading", Status::Running, State::default()),
        ("cancel_requested", Status::Running, State::default()),
        ("a_new_word", Status::Running, State::default()),
        ("completed", Status::Succeeded, State { model: model.clone(), ..ended.clone() }),
        ("cancelled", Status::Cancelled, ended.clone()),
        ("error", Status::Failed, State { reason: reason.clone(), ..ended.clone() }),
        ("user_error", Status::Failed, State { reason, ..ended.clone() }),
    ] {
        check(&TOGETHER, together(word), state("ft-1", status, more));
    }
    let fireworks = |status: &str| {
        json!({
            "name": "accounts/acme/supervisedFineTuningJobs/j-1", "state": format!("JOB_STATE_{status}"), "dataset": "d",
            "completedTime": "2026-08-19T14:44:51.645723285Z", "outputModel": "accounts/acme/models/m-1",
            "status": {"code": "OK", "message": "Out of memory."}, "jobProgress": {"inputTokens": 850},
        })
    };
    let model = Some("accounts/acme/models/m-1".to_owned());
    let reason = Some("Out of memory.".to_owned());
    for (word, status, more) in [
        ("VALIDATING", Status::ValidatingFiles, State::default()),
        ("PENDING", Status::Queued, State::default()),
        ("RUNNING", Status::Running, State::default()),
        ("CANCELLING", Status::Running, State::default()),
        ("COMPLETED", Status::Succeeded, State { model: model.clone(), ..ended.clone() }),
        ("EARLY_STOPPED", Status::Succeeded, State { model, ..ended.clone() }),
        ("FAILED", Status::Failed, State { reason: reason.clone(), ..ended.clone() }),
        ("EXPIRED", Status::Failed, State { reason, ..ended.clone() }),
        ("CANCELLED", Status::Cancelled, ended.clone()),
    ] {
        check(&FIREWORKS, fireworks(word), state("supervisedFineTuningJobs/j-1", status, more));
    }
    let preferences = json!({
        "name": "accounts/acme/dpoJobs/j-2", "state": "JOB_STATE_COMPLETED", "trainingConfig": {"outputModel": "m-2"},
    });
    let more = State { model: Some("m-2".to_owned()), ..State::default() };
    check(&FIREWORKS, preferences, state("dpoJobs/j-2", Status::Succeeded, more));
}

#[test]
fn what_says_nothing_of_a_job_is_the_vendors_fault() {
    for form in FORMS {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"id":"../x","status":"running"}"#,
            r#"{"id":"a b","status":"running"}"#,
            r#"{"name":"accounts/a/../../x","state":"JOB_STATE_RUNNING"}"#,
            r#"{"name":"x","state":"JOB_STATE_RUNNING"}"#,
        ] {
            assert_eq!(form.read(body.as_bytes()).unwrap_err().status, 502, "{body}");
        }
    }
}

#[test]
fn events_come_in_pages_the_last_first() {
    let body = json!({"object": "list", "data": [
        {"type": "job_pending", "level": "info", "message": "Made.", "created_at": "2026-08-19T14:44:51Z"},
        {"type": "JOB_ERROR", "level": null, "message": "", "created_at": "2026-08-19T14:44:53Z"},
        {"type": "warning", "level": "legacy_iwarning", "message": "Slow.", "created_at": "2026-08-19T14:44:52Z"},
        {"type": "no time", "message": "?"},
    ]});
    let events = TOGETHER.events.as_ref().unwrap().read(body.to_string().as_bytes()).unwrap();
    let page = |after: Option<&str>, limit: usize| {
        value(&encode_events("ftjob-ostia-1", events.clone(), after, limit))
    };
    let told = page(None, 2);
    assert_eq!(
        told["data"],
        json!([
            {"object": "fine_tuning.job.event", "id": "ftevent-ostia-1-2", "created_at": 1_787_150_693, "level": "error",
             "message": "job_error", "type": "message"},
            {"object": "fine_tuning.job.event", "id": "ftevent-ostia-1-1", "created_at": 1_787_150_692, "level": "warn",
             "message": "Slow.", "type": "message"},
        ])
    );
    assert_eq!((&told["has_more"], &told["last_id"]), (&json!(true), &json!("ftevent-ostia-1-1")));
    let rest = page(Some("ftevent-ostia-1-1"), 20);
    assert_eq!((rest["data"][0]["message"].as_str(), &rest["has_more"]), (Some("Made."), &json!(false)));
    let none = page(Some("ftevent-of-nobody"), 20);
    assert_eq!(
        (&none["data"], &none["first_id"], &none["has_more"]),
        (&json!([]), &Value::Null, &json!(false))
    );
}

#[test]
fn checkpoints_name_models_that_can_be_asked() {
    let body = json!({"data": [
        {"checkpoint_type": "Intermediate", "created_at": "2026-08-19T14:44:51Z", "path": "s3://x/1", "step": 10},
        {"checkpoint_type": "Final", "created_at": "2026-08-19T14:44:52Z", "path": "s3://x/2", "step": 20, "object_name": "me/m-20"},
        {"step": 1},
    ]});
    let listed = TOGETHER.checkpoints.as_ref().unwrap().read(body.to_string().as_bytes()).unwrap();
    let told = value(&encode_checkpoints("ftjob-ostia-1", listed, None, 10));
    let names: Vec<_> =
        told["data"].as_array().unwrap().iter().map(|entry| &entry["fine_tuned_model_checkpoint"]).collect();
    assert_eq!(names, ["me/m-20", "s3://x/1"]);
    assert_eq!(
        told["data"][0],
        json!({
            "object": "fine_tuning.job.checkpoint", "id": "ftckpt-ostia-1-1", "created_at": 1_787_150_692,
            "fine_tuned_model_checkpoint": "me/m-20", "fine_tuning_job_id": "ftjob-ostia-1", "step_number": 20,
            "metrics": {"step": 20},
        })
    );
}
