//! `ostia import`: what it writes is a file that the gateway starts with and answers from.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};

use crate::gateway::Setup;
use crate::wire::Ask;

/// The file, and what was told beside it.
fn import(from: &str, file: &str, more: &[&str]) -> (String, String) {
    let setup = Setup::new().config(file).arg("import").arg(from).arg("ostia.yaml");
    let output = more.iter().fold(setup, |setup, word| setup.arg(word)).run();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    (String::from_utf8(output.stdout).unwrap(), told)
}

#[test]
fn names_of_litellms_file_are_answered() {
    let [first, second] = ["one", "two"].map(|text| Upstream::always(Answer::json(openai::chat(text))));
    let down = ostia_testkit::dead_address();
    let file = format!(
        "model_list:\n  \
         - model_name: fast\n    litellm_params: {{model: openai/gpt-4o, api_key: os.environ/KEY, api_base: 'http://{down}/v1'}}\n  \
         - model_name: spare\n    litellm_params: {{model: groq/llama, api_key: sk-2, api_base: '{}/v1', max_tokens: 5}}\n  \
         - model_name: any\n    litellm_params: {{model: openai/gpt-4o, api_key: os.environ/KEY, api_base: '{}/v1'}}\n\
         litellm_settings: {{fallbacks: [{{fast: [spare]}}], cache: true}}\n",
        first.url(),
        second.url()
    );
    let (yaml, told) = import("litellm", &file, &[]);
    assert!(told.contains("not there    litellm_settings.cache: there is no cache yet\n"), "{told}");
    let gateway = Setup::new().config(&yaml).env("KEY", "sk-1").start();
    let ask = |model: &str| {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"q"}}]}}"#);
        Ask::post("/v1/chat/completions", body).to(&gateway)
    };
    assert!(ask("fast").text().contains("one"));
    let seen = first.last();
    assert_eq!((seen.json()["model"].as_str(), seen.json()["max_tokens"].as_u64()), (Some("llama"), Some(5)));
    assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-2"));
    assert!(ask("any").text().contains("two"));
    assert_eq!(second.last().header("authorization").as_deref(), Some("Bearer sk-1"));
}

#[test]
fn verdicts_as_json() {
    let (out, _) = import("portkey", r#"{"virtual_key": "mine", "cache": {"mode": "simple"}}"#, &["--json"]);
    let out = crate::json(&out);
    assert!(out["text"].as_str().unwrap().contains("provider: \"@mine\""), "{out}");
    let verdicts: Vec<&str> =
        out["verdicts"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["approximate", "not there"]);
}

#[test]
fn what_is_no_file() {
    let output = Setup::new().config("a: [").arg("import").arg("litellm").arg("ostia.yaml").run();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("ostia.yaml:"), "{output:?}");
}

#[test]
fn several_keys_of_one_provider_become_a_list() {
    let entry = |key: &str| {
        format!("  - {{model_name: '*', litellm_params: {{model: openai/*, api_key: os.environ/{key}}}}}\n")
    };
    let file = format!("model_list:\n{}{}{}", entry("A"), entry("B"), entry("A"));
    let (yaml, told) = import("litellm", &file, &[]);
    assert!(told.contains("providers.openai.api_key"), "{told}");
    let setup = || Setup::new().config(&yaml).env("A", "sk-1").env("B", "sk-2");
    let output = setup().arg("check").arg("--strict").run();
    assert!(output.status.success(), "{output:?}\n{yaml}");
    let table = String::from_utf8(setup().arg("providers").run().stdout).unwrap();
    assert!(table.contains("2 keys: the file's ${A}, the file's ${B}"), "{table}\n{yaml}");
}
