//! Jobs that train models, at providers that have them in a form of their own, for clients of OpenAI's.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::{Value, json};

use super::remote::{forward, judge};
use super::tools::{at, form, get, id, upload as upload_rows};
use super::tuning_vendors::Trainer;
use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, PATIENCE, Reply, once_within};

const JOBS: &str = "/v1/fine_tuning/jobs";
const OVER: [&str; 3] = ["succeeded", "failed", "cancelled"];

fn example(words: &str) -> String {
    json!({"messages": [{"role": "user", "content": words}, {"role": "assistant", "content": "yes"}]})
        .to_string()
}

fn examples() -> String {
    ["a", "b", "c"].map(example).join("\n")
}

fn preferences() -> String {
    let said = |words: &str| json!([{"role": "assistant", "content": words}]);
    let row = json!({
        "input": {"messages": [{"role": "user", "content": "a"}]},
        "preferred_output": said("yes"), "non_preferred_output": said("no"),
    });
    [row.to_string(), row.to_string(), row.to_string()].join("\n")
}

fn upload(trainer: Trainer, rows: &str) -> Ask {
    Ask::new("POST", "/v1/files")
        .header("content-type", "multipart/form-data; boundary=bnd")
        .header("x-ostia-provider", trainer.provider())
        .body(form("fine-tune", rows.as_bytes()))
}

fn create(trainer: Trainer, file: &str, more: Value) -> Ask {
    let mut body = json!({"model": trainer.model(), "training_file": file});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Ask::post(JOBS, body.to_string()).header("x-ostia-provider", trainer.provider())
}

#[track_caller]
fn job(gateway: &Gateway, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    once_within(PATIENCE, || match get(gateway, &format!("{JOBS}/{name}")).json() {
        job if is_so(&job) => Ok(job),
        job => Err(format!("{job}\n{}", gateway.printed())),
    })
}

#[track_caller]
fn over(gateway: &Gateway, name: &str) -> Value {
    job(gateway, name, |job| OVER.iter().any(|status| job["status"] == *status))
}

fn is_there(job: &Value) -> bool {
    job["status"] != "validating_files"
}

#[track_caller]
fn check_refused(reply: &Reply, status: u16, param: &str, words: &str) {
    let error = &reply.json()["error"];
    assert_eq!((reply.status, error["param"].as_str()), (status, Some(param)), "{error}");
    assert!(error["message"].as_str().unwrap().contains(words), "{error}");
}

#[test]
fn a_model_is_trained_and_told_of_in_openais_form() {
    for trainer in Trainer::ALL {
        let (upstream, kept) = trainer.serve();
        let gateway = Gateway::with(&trainer.config(&upstream));
        let file = upload(trainer, &examples()).to(&gateway);
        assert_eq!(
            (file.status, file.json()["purpose"].as_str()),
            (200, Some("fine-tune")),
            "{}",
            file.text()
        );
        let (file, valid) = (id(&file), id(&upload(trainer, &examples()).to(&gateway)));
        assert_eq!(upstream.count(), 0, "files are sent when a job is made");
        kept.lock().unwrap().is_running = true;
        let more = json!({
            "validation_file": valid, "suffix": "mine", "metadata": {"team": "red"},
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        });
        let made = create(trainer, &file, more).to(&gateway);
        let name = id(&made);
        let told = made.json();
        assert_eq!(
            (&told["object"], &told["status"]),
            (&json!("fine_tuning.job"), &json!("validating_files"))
        );
        assert!(name.starts_with("ftjob-ostia-"), "{told}");
        assert_eq!((&told["training_file"], &told["validation_file"]), (&json!(file), &json!(valid)));
        assert_eq!(told["method"]["supervised"]["hyperparameters"]["n_epochs"], 3, "{told}");
        let running = job(&gateway, &name, |job| job["status"] == "running");
        assert_eq!((&running["fine_tuned_model"], &running["finished_at"]), (&Value::Null, &Value::Null));
        {
            let kept = &mut *kept.lock().unwrap();
            let rows: Vec<usize> = kept.files.values().map(Vec::len).collect();
            assert_eq!(rows, [3, 3], "{trainer:?}");
            let first = kept.files.values().next().unwrap();
            assert_eq!(first[0], trainer.told(&crate::json(&example("a")), "a"));
            kept.is_running = false;
        }
        let ended = over(&gateway, &name);
        assert_eq!(ended["status"], "succeeded", "{ended}");
        assert_eq!(ended["fine_tuned_model"], trainer.trained(), "{ended}");
        assert_eq!(
            (&ended["trained_tokens"], &ended["metadata"]),
            (&trainer.tokens(), &json!({"team": "red"}))
        );
        assert_eq!((&ended["finished_at"], &ended["error"]), (&json!(1_787_150_691), &Value::Null));
        let asked = upstream.count();
        assert_eq!(over(&gateway, &name), ended);
        assert_eq!(upstream.count(), asked, "of what is over the provider is not asked again");
        let list = Ask::new("GET", JOBS).header("x-ostia-provider", trainer.provider()).to(&gateway).json();
        assert_eq!((&list["data"], &list["has_more"]), (&json!([ended]), &json!(false)));
        let events = get(&gateway, &format!("{JOBS}/{name}/events?limit=1")).json();
        assert_eq!(events["data"].as_array().unwrap().len(), 1, "{events}");
        assert_eq!(
            (&events["data"][0]["object"], &events["has_more"]),
            (&json!("fine_tuning.job.event"), &json!(true))
        );
        let after = events["last_id"].as_str().unwrap();
        let rest = get(&gateway, &format!("{JOBS}/{name}/events?after={after}")).json();
        assert_eq!(rest["has_more"], false, "{rest}");
        assert!(!rest["data"].as_array().unwrap().is_empty(), "{rest}");
        let checkpoints = get(&gateway, &format!("{JOBS}/{name}/checkpoints")).json();
        let kept_there = usize::from(matches!(trainer, Trainer::Together | Trainer::Vertex));
        assert_eq!(checkpoints["data"].as_array().unwrap().len(), kept_there, "{checkpoints}");
        // What is gone is the gateway's copy.
        assert_eq!(Ask::new("DELETE", &format!("/v1/files/{file}")).to(&gateway).status, 200);
    }
}

#[test]
fn preferences_are_trained_with_too() {
    for trainer in [Trainer::Together, Trainer::Fireworks, Trainer::Vertex] {
        let (upstream, kept) = trainer.serve();
        let gateway = Gateway::with(&trainer.config(&upstream));
        let file = id(&upload(trainer, &preferences()).to(&gateway));
        let dpo = json!({"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}});
        let ended = over(&gateway, &id(&create(trainer, &file, json!({"method": dpo})).to(&gateway)));
        assert_eq!(
            (&ended["status"], &ended["method"]["type"]),
            (&json!("succeeded"), &json!("dpo")),
            "{ended}"
        );
        let sent = kept.lock().unwrap().job.to_string();
        assert!(sent.contains("0.2"), "{sent}");
        let wrong = create(trainer, &file, json!({})).to(&gateway);
        check_refused(&wrong, 400, "training_file", "`messages`");
    }
}

#[test]
fn what_a_model_cannot_be_trained_with_is_refused() {
    let trainer = Trainer::Bedrock;
    let (upstream, _) = trainer.serve();
    let gateway = Gateway::with(&trainer.config(&upstream));
    let file = id(&upload(trainer, &preferences()).to(&gateway));
    let dpo = create(trainer, &file, json!({"method": {"type": "dpo"}})).to(&gateway);
    check_refused(&dpo, 400, "method.type", "`dpo`");
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let titan = create(trainer, &file, json!({"model": "amazon.titan-text-lite-v1:0:4k"})).to(&gateway);
    check_refused(&titan, 400, "training_file", "`prompt`, `completion`");
    // Rows of its own kind go as they are, and a model of another maker's is trained too.
    let rows = [r#"{"prompt":"a","completion":"b"}"#; 3].join("\n");
    let file = id(&upload(trainer, &rows).to(&gateway));
    for model in ["amazon.titan-text-lite-v1:0:4k", "meta.llama3-1-8b-instruct-v1:0:128k"] {
        let ended = over(&gateway, &id(&create(trainer, &file, json!({"model": model})).to(&gateway)));
        assert_eq!((&ended["status"], &ended["model"]), (&json!("succeeded"), &json!(model)), "{ended}");
    }
    let key = format!("providers:\n  bedrock: {{base_url: \"{}\", api_key: k, ", upstream.url());
    let config = trainer.config(&upstream);
    let (_, settings) = config.split_once("settings:").unwrap();
    let gateway = Gateway::with(&format!("{key}settings:{settings}"));
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let refused = create(trainer, &file, json!({})).to(&gateway);
    check_refused(&refused, 400, "aws_access_key_id", "no API key");
}

#[test]
fn a_job_is_found_by_its_id_alone_by_whoever_made_it() {
    let trainer = Trainer::Together;
    let (upstream, kept) = trainer.serve();
    kept.lock().unwrap().is_running = true;
    let gateway = Gateway::with(&format!("auth: {{keys: [pk-a, pk-b]}}\n{}", trainer.config(&upstream)));
    let by = |key: &str, ask: Ask| ask.header("x-ostia-api-key", key).to(&gateway);
    let file = id(&by("pk-a", upload(trainer, &examples())));
    check_refused(&by("pk-b", create(trainer, &file, json!({}))), 404, "training_file", "another key");
    let name = id(&by("pk-a", create(trainer, &file, json!({}))));
    let path = format!("{JOBS}/{name}");
    once_within(PATIENCE, || match by("pk-a", Ask::new("GET", &path)).json() {
        job if job["status"] == "running" => Ok(()),
        job => Err(job.to_string()),
    });
    let asked = upstream.count();
    let below = ["", "/events", "/checkpoints"].map(|rest| ("GET", format!("{path}{rest}")));
    for (method, path) in below.into_iter().chain([("POST", format!("{path}/cancel"))]) {
        assert_eq!(by("pk-b", Ask::new(method, &path)).status, 404, "{path}");
    }
    let list = |key: &str| by(key, Ask::new("GET", JOBS).header("x-ostia-provider", "ostia")).json();
    assert_eq!(list("pk-b")["data"], json!([]));
    assert_eq!(upstream.count(), asked, "the provider hears nothing of it");
    assert_eq!(list("pk-a")["data"][0]["id"], json!(name));
    let elsewhere = by(
        "pk-a",
        Ask::new("GET", &path).header("x-ostia-provider", "openai").header("authorization", "Bearer k"),
    );
    check_refused(&elsewhere, 400, "provider", "together-ai");
    check_refused(
        &by("pk-a", Ask::new("GET", &format!("{JOBS}/ftjob-ostia-none"))),
        404,
        "id",
        "No fine-tuning job",
    );
    assert_eq!(by("pk-a", Ask::new("POST", &format!("{path}/pause"))).status, 404);
    assert_eq!(by("pk-a", Ask::new("PUT", &path)).status, 405);
}

#[test]
fn a_job_is_cancelled_wherever_it_is() {
    for trainer in Trainer::ALL {
        let (upstream, kept) = trainer.serve();
        kept.lock().unwrap().is_running = true;
        let gateway = Gateway::with(&trainer.config(&upstream));
        let file = id(&upload(trainer, &examples()).to(&gateway));
        let name = id(&create(trainer, &file, json!({})).to(&gateway));
        job(&gateway, &name, is_there);
        let cancelled = Ask::post(&format!("{JOBS}/{name}/cancel"), "").to(&gateway);
        assert_eq!(
            (cancelled.status, &cancelled.json()["status"]),
            (200, &json!("cancelled")),
            "{}",
            cancelled.text()
        );
        assert!(kept.lock().unwrap().is_cancelled);
    }
}

#[test]
fn a_job_that_is_cancelled_on_its_way_is_not_made() {
    let trainer = Trainer::Together;
    let (own, kept) = trainer.serve();
    let (gate, asked) = (Gate::new(), own.url());
    let held = gate.clone();
    let upstream = Upstream::serve(move |request| match request.target.as_str() {
        "/v1/files/upload" => forward(&asked, request).first(Step::Wait(held.clone())),
        _ => forward(&asked, request),
    });
    let gateway = Gateway::with(&trainer.config(&upstream));
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let name = id(&create(trainer, &file, json!({})).to(&gateway));
    once_within(PATIENCE, || if upstream.count() > 0 { Ok(()) } else { Err("nothing was sent") });
    let busy = Ask::new("DELETE", &format!("/v1/files/{file}")).to(&gateway);
    assert_eq!((busy.status, busy.json()["error"]["code"].as_str()), (409, Some("file_in_use")));
    let cancelled = Ask::post(&format!("{JOBS}/{name}/cancel"), "").to(&gateway);
    assert_eq!(cancelled.json()["status"], "cancelled", "{}", cancelled.text());
    gate.open();
    once_within(PATIENCE, || match gateway.printed() {
        printed if printed.contains("was cancelled before it was made") => Ok(()),
        printed => Err(printed),
    });
    assert_eq!(
        (kept.lock().unwrap().job.clone(), over(&gateway, &name)["status"].clone()),
        (Value::Null, json!("cancelled"))
    );
    let events = get(&gateway, &format!("{JOBS}/{name}/events")).json();
    assert_eq!(events["data"][0]["message"], "The job was cancelled.", "{events}");
}

#[test]
fn why_a_job_failed_is_told() {
    for trainer in Trainer::ALL {
        let (own, kept) = trainer.serve();
        kept.lock().unwrap().fails = true;
        let gateway = Gateway::with(&trainer.config(&own));
        let file = id(&upload(trainer, &examples()).to(&gateway));
        let ended = over(&gateway, &id(&create(trainer, &file, json!({})).to(&gateway)));
        assert_eq!(
            (&ended["status"], &ended["fine_tuned_model"]),
            (&json!("failed"), &Value::Null),
            "{ended}"
        );
        assert_eq!(ended["error"]["message"], "Line 1 is wrong.", "{trainer:?}: {ended}");
        // One that the provider does not make at all.
        let asked = own.url();
        let upstream = Upstream::serve(move |request| match request.target.rsplit('/').next() {
            Some("fine-tunes" | "supervisedFineTuningJobs" | "tuningJobs" | "model-customization-jobs") => {
                Answer::json(json!({"error": {"message": "No such model."}}).to_string()).status(400)
            }
            _ => forward(&asked, request),
        });
        let gateway = Gateway::with(&trainer.config(&upstream));
        let file = id(&upload(trainer, &examples()).to(&gateway));
        let ended = over(&gateway, &id(&create(trainer, &file, json!({})).to(&gateway)));
        let message = ended["error"]["message"].as_str().unwrap();
        assert!(ended["status"] == "failed" && message.contains("No such model."), "{trainer:?}: {ended}");
    }
}

#[test]
fn what_is_wrong_with_examples_is_named_by_its_line() {
    let trainer = Trainer::Together;
    let (upstream, _) = trainer.serve();
    let gateway = Gateway::with(&trainer.config(&upstream));
    let check = |rows: &str, code: &str, words: &str| {
        let refused = upload(trainer, rows).to(&gateway);
        let error = refused.json()["error"].clone();
        assert_eq!((refused.status, error["code"].as_str()), (400, Some(code)), "{rows}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    };
    let good = example("a");
    check("", "empty_file", "no rows");
    check("\n{\"a\":1}", "invalid_training_row", "Line 2 of the file has none of `messages`");
    check("not json", "invalid_json_line", "Line 1");
    check(&format!("{good}\n\nnot json"), "invalid_json_line", "Line 3");
    check(
        &format!("{good}\n{{\"messages\":[{{}}]}}"),
        "invalid_training_row",
        "Line 2 of the file has no `role`",
    );
    check(&format!("{good}\n{{\"text\":\"a\"}}"), "invalid_training_row", "Line 2 of the file has `text`");
    check(&super::tools::rows(1), "mismatched_purpose", "`batch`");
    let rows = upload_rows(&good).to(&gateway);
    check_refused(&rows, 400, "purpose", "`fine-tune`");
    let nobody = upload(trainer, &good).header("x-ostia-provider", "anthropic").to(&gateway);
    assert_eq!(nobody.status, 400, "{}", nobody.text());
    assert_eq!(upstream.count(), 0);
}

#[test]
fn what_cannot_be_said_is_told_or_refused() {
    let (together, fireworks) = (Trainer::Together, Trainer::Fireworks);
    let (upstream, kept) = fireworks.serve();
    let gateway = Gateway::with(&fireworks.config(&upstream));
    let file = id(&upload(fireworks, &examples()).to(&gateway));
    let more = json!({"seed": 7, "lora": true});
    let told = create(fireworks, &file, more.clone()).to(&gateway);
    assert_eq!(
        (told.status, told.header("x-ostia-dropped")),
        (200, Some("lora, seed")),
        "{:?}",
        told.headers()
    );
    over(&gateway, &id(&told));
    assert!(!kept.lock().unwrap().job.to_string().contains("seed"));
    let refused = create(fireworks, &file, more).header("x-ostia-lossless", "true").to(&gateway);
    check_refused(&refused, 400, "lora", "seed");
    let few = id(&upload(fireworks, &example("a")).to(&gateway));
    check_refused(&create(fireworks, &few, json!({})).to(&gateway), 400, "training_file", "3 at least");
    let own = create(fireworks, "file-of-the-vendor", json!({})).to(&gateway);
    check_refused(&own, 400, "training_file", "POST /v1/files");
    let rl = json!({"method": {"type": "reinforcement", "reinforcement": {}}});
    check_refused(&create(fireworks, &file, rl).to(&gateway), 400, "method.type", "`reinforcement`");
    let nobody = create(together, &file, json!({}))
        .header("x-ostia-provider", "openai")
        .header("authorization", "Bearer k");
    check_refused(&nobody.to(&gateway), 400, "training_file", "trains no models");
    let batch = json!({"input_file_id": file, "completion_window": "immediate"}).to_string();
    check_refused(&Ask::post("/v1/batches", batch).to(&gateway), 400, "input_file_id", "purpose=batch");
    let away = create(fireworks, &file, json!({})).header("x-ostia-custom-host", "https://example.com/v1");
    assert_eq!(away.to(&gateway).status, 400);
}

#[test]
fn a_row_that_cannot_be_told_is_named_and_nothing_is_sent() {
    let trainer = Trainer::Vertex;
    let (upstream, _) = trainer.serve();
    let gateway = Gateway::with(&trainer.config(&upstream));
    let check = |row: Value, lossless: bool, code: &str, words: &str| {
        let rows = format!("{}\n\n{row}", example("a"));
        let file = id(&upload(trainer, &rows).to(&gateway));
        let ask = create(trainer, &file, json!({}));
        let ask = if lossless { ask.header("x-ostia-lossless", "true") } else { ask };
        let ended = over(&gateway, &id(&ask.to(&gateway)));
        let error = &ended["error"];
        assert_eq!((&ended["status"], &error["code"]), (&json!("failed"), &json!(code)), "{ended}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("ine 3") && message.contains(words), "{ended}");
        assert_eq!(upstream.count(), 0);
    };
    let said = |role: &str, content: Value| json!({"role": role, "content": content});
    let wrong = "invalid_training_row";
    check(json!({"messages": [said("user", json!("a"))]}), false, wrong, "does not end with an answer");
    check(json!({"messages": [said("nobody", json!("a"))]}), false, wrong, "messages[0].role");
    let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]);
    check(
        json!({"messages": [said("user", image), said("assistant", json!("b"))]}),
        false,
        wrong,
        "Cloud Storage",
    );
    let mut passed_over = said("assistant", json!("b"));
    passed_over["weight"] = json!(0);
    let later = [said("user", json!("c")), said("assistant", json!("d"))];
    let turns = json!([said("user", json!("a")), passed_over, later[0], later[1]]);
    check(json!({"messages": turns}), false, wrong, "messages[1].weight");
    let mut named = said("user", json!("a"));
    named["name"] = json!("me");
    check(
        json!({"messages": [named, said("assistant", json!("b"))]}),
        true,
        "lossy_translation",
        "messages[0].name",
    );
}

#[test]
fn rows_are_stored_where_the_operator_or_the_client_itself_pays() {
    let trainer = Trainer::Vertex;
    let (upstream, kept) = trainer.serve();
    let config = trainer.config(&upstream);
    let gateway = Gateway::with(&format!("auth: {{keys: [pk-a]}}\n{config}"));
    let own = |ask: Ask| ask.header("x-ostia-api-key", "pk-a");
    let file = id(&own(upload(trainer, &examples())).to(&gateway));
    for (header, param) in [
        ("x-portkey-vertex-storage-bucket-name", "vertex_storage_bucket_name"),
        ("x-ostia-vertex-storage-prefix", "vertex_storage_prefix"),
    ] {
        let refused = own(create(trainer, &file, json!({}))).header(header, "mine").to(&gateway);
        check_refused(&refused, 400, param, "");
        assert_eq!(refused.json()["error"]["code"], "setting_refused", "{}", refused.text());
    }
    assert_eq!(upstream.count(), 0);
    let forwarded = own(create(trainer, &file, json!({})))
        .header("x-ostia-forward-headers", "x-goog-acl")
        .header("x-goog-acl", "public-read");
    let made = id(&forwarded.to(&gateway));
    once_within(PATIENCE, || match kept.lock().unwrap().job.is_null() {
        true => Err(gateway.printed()),
        false => Ok(()),
    });
    let asked = upstream.requests();
    let put = asked.iter().find(|request| request.target.starts_with("/upload/")).unwrap();
    assert!(put.target.contains(&made), "{}", put.target);
    assert!(
        put.headers.iter().all(|(name, _)| !name.contains("acl") && !name.starts_with("x-ostia")),
        "{put:?}"
    );
    // Where nobody says a bucket nothing is kept.
    let bare = config.replace("vertex_storage_bucket_name: rows-1, ", "");
    let gateway = Gateway::with(&bare);
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let refused = create(trainer, &file, json!({})).to(&gateway);
    check_refused(&refused, 400, "vertex_storage_bucket_name", "x-ostia-vertex-storage-bucket-name");
}

#[test]
fn a_vendor_that_has_ended_its_training_is_not_asked() {
    let upstream = Upstream::always(Answer::json("{}"));
    let config = format!("providers:\n  cohere: {{base_url: \"{}\", api_key: sk}}\n", upstream.url());
    let gateway = Gateway::with(&config);
    let body = json!({"model": "command-a-03-2025", "training_file": "file-1"}).to_string();
    for ask in [Ask::post(JOBS, body), Ask::new("GET", JOBS)] {
        let refused = ask.header("x-ostia-provider", "cohere").to(&gateway);
        check_refused(&refused, 404, "provider", "has ended its fine-tuning (https://docs.cohere.com/");
        assert!(refused.text().contains("together-ai"), "{}", refused.text());
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn an_account_is_asked_for_by_name() {
    let trainer = Trainer::Fireworks;
    let (upstream, _) = trainer.serve();
    let config = trainer.config(&upstream).replace(", settings: {fireworks_account_id: acme}", "");
    let gateway = Gateway::with(&config);
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let refused = create(trainer, &file, json!({})).to(&gateway);
    check_refused(&refused, 400, "fireworks_account_id", "x-ostia-fireworks-account-id");
    // Whoever says it once need not say it again.
    let made = create(trainer, &file, json!({})).header("x-ostia-fireworks-account-id", "acme").to(&gateway);
    assert_eq!(over(&gateway, &id(&made))["status"], "succeeded");
}

#[test]
fn the_model_may_name_the_provider() {
    let trainer = Trainer::Together;
    let (upstream, kept) = trainer.serve();
    let gateway = Gateway::with(&trainer.config(&upstream));
    let file = id(&upload(trainer, &examples()).header("x-ostia-provider", "ostia").to(&gateway));
    for header in [None, Some("ostia")] {
        let body = json!({"model": format!("@together-ai/{}", trainer.model()), "training_file": file});
        let ask = Ask::post(JOBS, body.to_string());
        let ask = header.map_or(ask.clone(), |name| ask.header("x-ostia-provider", name));
        let ended = over(&gateway, &id(&ask.to(&gateway)));
        assert_eq!(
            (&ended["status"], &ended["model"]),
            (&json!("succeeded"), &json!(trainer.model())),
            "{ended}"
        );
        assert_eq!(kept.lock().unwrap().job["model"], trainer.model());
    }
}

#[test]
fn a_key_for_runs_elsewhere_is_sent_and_never_kept() {
    let trainer = Trainer::Together;
    let (upstream, kept) = trainer.serve();
    let gateway = Gateway::with(&trainer.config(&upstream));
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let wandb = json!({"type": "wandb", "wandb": {"project": "p", "api_key": "wandb-secret-key"}});
    let made = create(trainer, &file, json!({"integrations": [wandb]})).to(&gateway);
    let ended = over(&gateway, &id(&made));
    assert_eq!(ended["integrations"], json!([{"type": "wandb", "wandb": {"project": "p"}}]));
    assert_eq!(kept.lock().unwrap().job["wandb_api_key"], "wandb-secret-key");
    let data = gateway.folder().join("data");
    for name in ["batches.db", "batches.db-wal"] {
        let bytes = std::fs::read(data.join(name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("wandb-secret"), "{name}");
    }
    assert!(!gateway.printed().contains("wandb-secret"));
}

#[test]
fn jobs_stay_when_the_gateway_goes() {
    let trainer = Trainer::Together;
    let folder = tempfile::tempdir().unwrap();
    let (own, kept) = trainer.serve();
    kept.lock().unwrap().is_running = true;
    let (gate, asked) = (Gate::new(), own.url());
    let held = gate.clone();
    let upstream = Upstream::serve(move |request| match request.target.as_str() {
        "/v1/fine-tunes" if request.text().contains("held") => {
            forward(&asked, request).first(Step::Wait(held.clone()))
        }
        _ => forward(&asked, request),
    });
    let gateway = at(folder.path(), &trainer.config(&upstream));
    let file = id(&upload(trainer, &examples()).to(&gateway));
    let name = id(&create(trainer, &file, json!({})).to(&gateway));
    job(&gateway, &name, is_there);
    let lost = id(&create(trainer, &file, json!({"suffix": "held"})).to(&gateway));
    let is_held = || upstream.last().text().contains("held");
    once_within(PATIENCE, || if is_held() { Ok(()) } else { Err("it was not sent") });
    drop(gateway);
    gate.open();
    let gateway = at(folder.path(), &trainer.config(&upstream));
    let ended = over(&gateway, &lost);
    assert_eq!(
        (&ended["status"], &ended["error"]["code"]),
        (&json!("failed"), &json!("fine_tuning_interrupted"))
    );
    assert_eq!(job(&gateway, &name, is_there)["status"], "running");
    kept.lock().unwrap().is_running = false;
    assert_eq!(over(&gateway, &name)["status"], "succeeded");
}

#[test]
fn openais_sdk() {
    let Some(python) = programs::python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/vendor_tunings.py");
    let mut heard_of_all = String::new();
    for trainer in Trainer::ALL {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (own, _) = trainer.serve();
        let (asked, heard) = (own.url(), said.clone());
        let upstream = Upstream::serve(move |request| {
            let answer = forward(&asked, request);
            heard.lock().unwrap().extend(trainer.judged(request, &answer));
            answer
        });
        // In front of a cloud what the SDK shows is a key of the gateway's.
        let auth = match trainer {
            Trainer::Together | Trainer::Fireworks => "",
            Trainer::Vertex | Trainer::Bedrock => "auth: {keys: [sk-operator]}\n",
        };
        let gateway = Gateway::with(&format!("{auth}{}", trainer.config(&upstream)));
        let targets =
            [format!("http://{}", gateway.address), format!("{}={}", trainer.provider(), trainer.model())];
        let output = Command::new(&python).env_clear().arg("-B").arg(&script).args(targets).output().unwrap();
        let told =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "{trainer:?}: {told}\nthe gateway:\n{}", gateway.printed());
        let lines = said.lock().unwrap().iter().map(|said: &Value| format!("{said}\n")).collect::<String>();
        let kinds = ["tuning_create", "tuning"].map(|kind| lines.contains(&format!("\"kind\":\"{kind}\"")));
        assert_eq!(kinds, [true, true], "{trainer:?}");
        heard_of_all += &lines;
    }
    assert_eq!(judge(&python, &heard_of_all), "");
}
