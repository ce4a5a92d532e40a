#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::Api;
use crate::batches::Settings;
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

const FORMS: [&TuningForm; 4] = [&TOGETHER, &FIREWORKS, &VERTEX, &BEDROCK];
const FILES: Files<'static> = Files {
    name: "ftjob-ostia-AbC_12",
    training: "train",
    validation: Some("valid"),
    settings: Settings(&[]),
};

fn made(form: &TuningForm, body: Value) -> (Step, Value) {
    let step = (form.create)(&job(&body).unwrap(), &FILES);
    let sent = body_of(&step);
    (step, sent)
}

fn body_of(step: &Step) -> Value {
    let text = match &step.content {
        Content::Json(text) => text.as_slice(),
        Content::Nothing | Content::Rows { .. } => b"null",
    };
    serde_json::from_slice(text).unwrap()
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
    let everything = json!({
        "model": "m", "training_file": "f", "suffix": "My model!",
        "hyperparameters": {"n_epochs": 3, "learning_rate_multiplier": 2, "adapter_size": 4},
    });
    let (step, sent) = made(&VERTEX, everything);
    assert_eq!(step.place, Place::Behind(Api::VertexFineTunes, String::new()));
    assert_eq!(
        sent,
        json!({
            "baseModel": "m", "tunedModelDisplayName": "My model!", "description": "ftjob-ostia-AbC_12",
            "supervisedTuningSpec": {
                "trainingDatasetUri": "gs://train", "validationDatasetUri": "gs://valid",
                "hyperParameters": {"epochCount": 3, "learningRateMultiplier": 2, "adapterSize": "ADAPTER_SIZE_FOUR"},
            },
        })
    );
    let settings = [
        ("aws_s3_bucket".to_owned(), "b".to_owned()),
        ("aws_s3_prefix".to_owned(), "p/".to_owned()),
        ("aws_batch_role_arn".to_owned(), "role".to_owned()),
    ];
    let bedrock = |body: Value| {
        let files = Files { settings: Settings(&settings), ..FILES };
        let step = (BEDROCK.create)(&job(&body).unwrap(), &files);
        assert_eq!(step.place, Place::Behind(Api::BedrockFineTunes, String::new()));
        body_of(&step)
    };
    let asked = |model: &str, numbers: Value| json!({"model": model, "training_file": "f", "suffix": "My -- model!", "hyperparameters": numbers});
    let nova = "amazon.nova-lite-v1:0:300k";
    let numbers = json!({"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 2});
    assert_eq!(
        bedrock(asked(nova, numbers.clone())),
        json!({
            "jobName": "ftjob-ostia-AbC-12", "clientRequestToken": "ftjob-ostia-AbC-12", "baseModelIdentifier": nova,
            "customModelName": "My-model-tiaAbC12", "customizationType": "FINE_TUNING", "roleArn": "role",
            "trainingDataConfig": {"s3Uri": "s3://train"}, "validationDataConfig": {"validators": [{"s3Uri": "s3://valid"}]},
            "outputDataConfig": {"s3Uri": "s3://b/p/ftjob-ostia-AbC_12/"},
            "hyperParameters": {"epochCount": "3", "learningRate": "0.00002"},
        })
    );
    let claude = "anthropic.claude-3-haiku-20240307-v1:0:200k";
    let scaled = json!({"epochCount": "3", "batchSize": "8", "learningRateMultiplier": "2"});
    assert_eq!(bedrock(asked(claude, numbers))["hyperParameters"], scaled);
    let (rate, twice) = (json!({"learning_rate": 0.0003}), json!({"learning_rate_multiplier": 2}));
    for (model, numbers, rate) in [
        ("meta.llama3-1-8b-instruct-v1:0:128k", &rate, Some("0.0003")),
        ("meta.llama3-1-8b-instruct-v1:0:128k", &twice, Some("0.0002")),
        ("amazon.titan-text-premier-v1:0:32k", &twice, Some("0.000002")),
        ("amazon.titan-text-lite-v1:0:4k", &twice, Some("0.00002")),
        ("cohere.command-light-text-v14:7:4k", &twice, Some("0.00002")),
        ("another.model", &twice, None),
    ] {
        let sent = &bedrock(asked(model, numbers.clone()))["hyperParameters"];
        assert_eq!(sent["learningRate"].as_str(), rate, "{model}");
    }
    let further = json!({"model": "projects/p/locations/l/models/8@1", "training_file": "f"});
    let (_, sent) = made(&VERTEX, further);
    assert_eq!(sent["preTunedModel"], json!({"tunedModelName": "projects/p/locations/l/models/8@1"}));
    assert_eq!((sent.get("baseModel"), &sent["tunedModelDisplayName"]), (None, &json!("ftjob-ostia-AbC_12")));
    let preferences = json!({
        "model": "m", "training_file": "f",
        "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "learning_rate": 0.0001}}},
    });
    let (_, sent) = made(&VERTEX, preferences.clone());
    assert_eq!(sent["preferenceOptimizationSpec"]["hyperParameters"], json!({"beta": 0.2}));
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
    }
    for form in [&TOGETHER, &FIREWORKS] {
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
    for form in [&TOGETHER, &FIREWORKS] {
        check(form, json!({"hyperparameters": {"adapter_size": 4}}), &["hyperparameters.adapter_size"]);
    }
    let numbers = |numbers: Value| json!({"seed": 1, "hyperparameters": numbers});
    check(&VERTEX, numbers(json!({"learning_rate_multiplier": 2, "adapter_size": 4})), &["seed"]);
    let of = |model: &str, numbers: Value| json!({"model": model, "hyperparameters": numbers});
    let all = json!({"batch_size": 8, "learning_rate_multiplier": 2});
    check(&BEDROCK, of("amazon.nova-lite-v1:0:300k", all.clone()), &["hyperparameters.batch_size"]);
    check(&BEDROCK, of("anthropic.claude-3-haiku-20240307-v1:0:200k", all.clone()), &[]);
    check(&BEDROCK, of("meta.llama3-1-8b", all.clone()), &[]);
    check(&BEDROCK, of("another.model", all), &["hyperparameters.learning_rate_multiplier"]);
    let rate = json!({"learning_rate": 0.1, "adapter_size": 4, "beta": 1});
    check(
        &BEDROCK,
        of("anthropic.claude-3-haiku-20240307-v1:0:200k", rate),
        &["hyperparameters.learning_rate", "hyperparameters.adapter_size", "hyperparameters.beta"],
    );
    check(
        &VERTEX,
        numbers(json!({"batch_size": 8, "learning_rate": 0.1, "adapter_size": 5, "beta": 0.1})),
        &[
            "seed",
            "hyperparameters.batch_size",
            "hyperparameters.learning_rate",
            "hyperparameters.adapter_size",
            "hyperparameters.beta",
        ],
    );
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
    let vertex = |path: &str| Place::Behind(Api::VertexFineTunes, path.to_owned());
    let bedrock = |path: &str| Place::Behind(Api::BedrockFineTunes, path.to_owned());
    check((BEDROCK.status)("arn:a/b"), Get, bedrock("/arn%3Aa%2Fb"));
    check((BEDROCK.cancel)("arn:a/b"), Post, bedrock("/arn%3Aa%2Fb/stop"));
    check((VERTEX.status)("7"), Get, vertex("/7"));
    check((VERTEX.cancel)("7"), Post, vertex("/7:cancel"));
    check((VERTEX.checkpoints.as_ref().unwrap().step)("7"), Get, vertex("/7"));
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
    let vertex = |status: &str| {
        json!({
            "name": "projects/1/locations/l/tuningJobs/7", "state": format!("JOB_STATE_{status}"),
            "endTime": "2026-08-19T14:44:51.645723285Z", "error": {"code": 3, "message": "Out of memory."},
            "tunedModel": {"model": "projects/1/locations/l/models/8@1", "endpoint": "projects/1/locations/l/endpoints/9"},
            "tuningDataStats": {"supervisedTuningDataStats": {"totalBillableTokenCount": "850"}},
        })
    };
    let model = Some("projects/1/locations/l/endpoints/9".to_owned());
    let reason = Some("Out of memory.".to_owned());
    for (word, status, more) in [
        ("QUEUED", Status::Queued, State::default()),
        ("PENDING", Status::Queued, State::default()),
        ("RUNNING", Status::Running, State::default()),
        ("CANCELLING", Status::Running, State::default()),
        ("A_NEW_WORD", Status::Running, State::default()),
        ("SUCCEEDED", Status::Succeeded, State { model, ..ended.clone() }),
        ("FAILED", Status::Failed, State { reason: reason.clone(), ..ended.clone() }),
        ("EXPIRED", Status::Failed, State { reason, ..ended.clone() }),
        ("CANCELLED", Status::Cancelled, ended.clone()),
    ] {
        check(&VERTEX, vertex(word), state("7", status, more));
    }
    let arn = "arn:aws:bedrock:us-east-1:1:model-customization-job/amazon.nova-lite-v1:0:300k/abcdefghij12";
    let bedrock = |status: &str| {
        json!({
            "jobArn": arn, "status": status, "endTime": "2026-08-19T14:44:51.645Z", "failureMessage": "Out of memory.",
            "outputModelArn": "arn:aws:bedrock:us-east-1:1:custom-model/amazon.nova-lite-v1:0:300k/abcdefghij12",
        })
    };
    let model = bedrock("")["outputModelArn"].as_str().map(str::to_owned);
    let over = State { ended_s: Some(1_787_150_691), ..State::default() };
    for (word, status, more) in [
        ("InProgress", Status::Running, State::default()),
        ("Stopping", Status::Running, State::default()),
        ("Completed", Status::Succeeded, State { model, ..over.clone() }),
        ("Failed", Status::Failed, State { reason: Some("Out of memory.".to_owned()), ..over.clone() }),
        ("Stopped", Status::Cancelled, over.clone()),
    ] {
        check(&BEDROCK, bedrock(word), state(arn, status, more));
    }
    check(&BEDROCK, json!({"jobArn": arn}), state(arn, Status::Queued, State::default()));
    let bare = json!({
        "name": "projects/1/locations/l/tuningJobs/7", "state": "JOB_STATE_SUCCEEDED", "tunedModel": {"model": "m@1"},
        "tuningDataStats": {"preferenceOptimizationDataStats": {"totalBillableTokenCount": 5}},
    });
    let more = State { model: Some("m@1".to_owned()), trained_tokens: Some(5), ..State::default() };
    check(&VERTEX, bare, state("7", Status::Succeeded, more));
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
            r#"{"jobArn":"job"}"#,
            r#"{"jobArn":"arn:aws:bedrock:r:1:model-customization-job/../x"}"#,
            r#"{"jobArn":"arn:aws:bedrock:r:1:model-customization-job/a?x"}"#,
            r#"{"name":"projects/1/locations/l/tuningJobs/../../x","state":"JOB_STATE_RUNNING"}"#,
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

/// A row as this job has it told: what is written, and what is lost.
fn told_row(form: &TuningForm, job_body: Value, row: &Value) -> Result<(Value, Vec<String>), String> {
    let (mut out, job) = (Vec::new(), job(&job_body).unwrap());
    let lost = (form.encode_row.unwrap())(&mut out, &job, row.to_string().as_bytes());
    let lost = lost.map_err(|fault| fault.message)?;
    assert!(!out.contains(&b'\n'), "one row is one line");
    Ok((serde_json::from_slice(&out).unwrap(), lost))
}

#[test]
fn rows_are_told_as_generate_content_has_them() {
    let supervised = json!({"model": "gemini-2.5-flash", "training_file": "f"});
    let check = |row: Value, expected: Value, expected_lost: &[&str]| {
        let (told, lost) = told_row(&VERTEX, supervised.clone(), &row).unwrap();
        assert_eq!(
            (told, lost),
            (expected, expected_lost.iter().map(|path| (*path).to_owned()).collect()),
            "{row}"
        );
    };
    let said = |role: &str, content: &str| json!({"role": role, "content": content});
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let more = json!({"messages": [said("system", "Be\nshort."), said("user", "a"), said("assistant", "b"), said("user", "c"), said("assistant", "d")]});
    check(
        more,
        json!({
            "systemInstruction": {"parts": [{"text": "Be\nshort."}]},
            "contents": [turn("user", "a"), turn("model", "b"), turn("user", "c"), turn("model", "d")],
        }),
        &[],
    );
    let picture =
        json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "gs://b/x.png"}}]});
    let (told, _) =
        told_row(&VERTEX, supervised.clone(), &json!({"messages": [picture, said("assistant", "b")]}))
            .unwrap();
    assert_eq!(told["contents"][0]["parts"][0]["fileData"]["fileUri"], "gs://b/x.png", "{told}");
    let call = json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Bern\"}"}}]});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]);
    let (told, _) = told_row(
        &VERTEX,
        supervised.clone(),
        &json!({"messages": [said("user", "a"), call.clone()], "tools": tools}),
    )
    .unwrap();
    assert_eq!(told["contents"][1]["parts"][0]["functionCall"]["args"], json!({"city": "Bern"}), "{told}");
    assert_eq!(told["tools"][0]["functionDeclarations"][0]["name"], "weather", "{told}");
    let newer = json!({"model": "gemini-3.5-flash", "training_file": "f"});
    let row = json!({"messages": [said("user", "a"), call], "tools": tools});
    assert_eq!(told_row(&VERTEX, newer, &row).unwrap().0, told, "nothing stands for a signature");
    let mut weighed = said("assistant", "b");
    weighed["weight"] = json!(1);
    check(
        json!({"messages": [said("user", "a"), weighed], "parallel_tool_calls": false}),
        json!({"contents": [turn("user", "a"), turn("model", "b")]}),
        &["parallel_tool_calls"],
    );
    let dpo = json!({"model": "gemini-2.5-flash", "training_file": "f", "method": {"type": "dpo"}});
    let preference = json!({
        "input": {"messages": [said("system", "s"), said("user", "a")]},
        "preferred_output": [said("assistant", "yes")], "non_preferred_output": [said("assistant", "no")],
    });
    let (told, lost) = told_row(&VERTEX, dpo.clone(), &preference).unwrap();
    assert_eq!(
        (told, lost.len()),
        (
            json!({
                "system_instruction": {"parts": [{"text": "s"}]}, "contents": [turn("user", "a")],
                "completions": [
                    {"score": 1, "completion": turn("model", "yes")}, {"score": 0, "completion": turn("model", "no")},
                ],
            }),
            0
        )
    );
    let refused = |job: &Value, row: Value, words: &str| {
        let message = told_row(&VERTEX, job.clone(), &row).unwrap_err();
        assert!(message.contains(words), "{row}: {message}");
    };
    refused(&supervised, json!({"messages": [said("user", "a")]}), "does not end with an answer");
    refused(
        &supervised,
        json!({"messages": [said("user", "a"), {"role": "assistant", "content": 1}]}),
        "messages[1].content",
    );
    let inline = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]);
    refused(
        &supervised,
        json!({"messages": [{"role": "user", "content": inline}, said("assistant", "b")]}),
        "gs://bucket/name",
    );
    let with = |field: &str, value: Value| {
        let mut row = preference.clone();
        row[field] = value;
        row
    };
    let two = json!([said("assistant", "a"), said("user", "b")]);
    let unnamed = json!([{"role": "assistant", "content": 1}]);
    refused(&dpo, with("preferred_output", unnamed), "preferred_output[0].content");
    refused(&dpo, with("preferred_output", two), "`preferred_output` is more or less");
    refused(
        &dpo,
        with("input", json!({"messages": [said("assistant", "a")]})),
        "does not end with the user's turn",
    );
    refused(&dpo, with("input", json!({"messages": [said("user", "a")], "tools": tools})), "`input.tools`");
}

#[test]
fn checkpoints_of_a_tuned_model() {
    let body = json!({"endTime": "2026-08-19T14:44:51Z", "tunedModel": {"checkpoints": [
        {"checkpointId": "1", "epoch": "1", "step": "10", "endpoint": "projects/1/locations/l/endpoints/9"}, {"checkpointId": "2"},
    ]}});
    let listed = VERTEX.checkpoints.as_ref().unwrap().read(body.to_string().as_bytes()).unwrap();
    let model = "projects/1/locations/l/endpoints/9".to_owned();
    assert_eq!(listed, [Checkpoint { created_s: 1_787_150_691, model, step: 10 }]);
}

#[test]
fn rows_are_told_as_the_base_model_takes_them() {
    let of = |model: &str| json!({"model": model, "training_file": "f"});
    let (nova, claude) =
        (of("amazon.nova-micro-v1:0:128k"), of("anthropic.claude-3-haiku-20240307-v1:0:200k"));
    let llama = of("meta.llama3-1-8b-instruct-v1:0:128k");
    let said = |role: &str, content: &str| json!({"role": role, "content": content});
    let row = json!({"messages": [said("system", "s"), said("user", "a"), said("assistant", "b")]});
    let turn = |role: &str, text: &str| json!({"role": role, "content": [{"text": text}]});
    let converse = json!({
        "schemaVersion": "bedrock-conversation-2024", "system": [{"text": "s"}], "messages": [turn("user", "a"), turn("assistant", "b")],
    });
    let plain = json!({"system": "s", "messages": [said("user", "a"), said("assistant", "b")]});
    let completion = json!({"prompt": "a", "completion": "b"});
    for (job_body, row, expected) in [
        (&nova, &row, &converse),
        (&llama, &row, &converse),
        (&claude, &row, &plain),
        (&llama, &completion, &completion),
    ] {
        assert_eq!(
            told_row(&BEDROCK, job_body.clone(), row),
            Ok((expected.clone(), Vec::new())),
            "{job_body}"
        );
    }
    let refused = |job: &Value, row: Value, words: &str| {
        let message = told_row(&BEDROCK, job.clone(), &row).unwrap_err();
        assert!(message.contains(words), "{row}: {message}");
    };
    for later in
        [json!([said("user", "a")]), json!([said("user", "a"), said("assistant", "b"), said("user", "c")])]
    {
        refused(&nova, json!({"messages": later}), "does not end with an answer");
    }
    let silent = json!([said("user", "a"), said("assistant", "b"), said("user", "c"), said("assistant", "")]);
    refused(&nova, json!({"messages": silent}), "does not end with an answer");
    let spaced = json!({"messages": [said("user", "a"), said("assistant", "b \n")]});
    for job_body in [&nova, &llama] {
        let (told, _) = told_row(&BEDROCK, job_body.clone(), &spaced).unwrap();
        assert_eq!(
            told["messages"],
            json!([turn("user", "a"), turn("assistant", "b \n")]),
            "nothing is cut off"
        );
    }
    let picture = |url: &str| {
        let content = json!([{"type": "image_url", "image_url": {"url": url}}]);
        json!({"messages": [{"role": "user", "content": content}, said("assistant", "b")]})
    };
    refused(&nova, picture("data:image/png;base64,AAAA"), "s3://bucket/name");
    refused(&claude, picture("s3://b/x.png"), "words alone");
    let (told, _) = told_row(&BEDROCK, nova.clone(), &picture("s3://b/x.png")).unwrap();
    assert_eq!(
        told["messages"][0]["content"][0]["image"]["source"]["s3Location"]["uri"], "s3://b/x.png",
        "{told}"
    );
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]);
    let mut with_tools = row.clone();
    with_tools["tools"] = tools;
    refused(&nova, with_tools, "`tools`");
    let call = json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    refused(&nova, json!({"messages": [said("user", "a"), call]}), "calls of tools");
}
