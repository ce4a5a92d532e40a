//! A catalogue of models that is newer than the program: `ostia catalog update`, and the gateway that takes it.

use std::path::Path;
use std::process::Output;

use ostia_catalog::{Catalog, Date, Edition, Row, Source, compact, parse};
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::store::listed;
use crate::wire::Ask;

const BODY: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}]}"#;

/// A model with this price for a million tokens in, and nothing for those out.
fn rows(price: &str) -> Vec<Row> {
    let line = json!({
        "id": "gpt-4o-mini", "mode": "chat", "sources": ["vendor"], "price_source": "vendor",
        "prices": [{"rates": {"input": price, "output": "0"}}],
    });
    parse("openai", &line.to_string()).unwrap()
}

/// A catalogue of this day, in its compact form.
fn catalogue(day: &str, price: &str) -> Vec<u8> {
    let date = Date::parse(day).unwrap();
    compact(&rows(price), &[Edition { source: Source::Vendor, version: day.to_owned(), date }]).unwrap()
}

/// `ostia catalog` with these words, for the gateway of this folder.
fn command(folder: &Path, words: &[&str]) -> Output {
    let data = folder.join("data").display().to_string();
    let config = folder.join("ostia.yaml");
    let setup = Setup::new().env("OSTIA_DATA", &data).arg("catalog");
    let setup = words.iter().fold(setup, |setup, word| setup.arg(word));
    match config.exists() {
        true => setup.arg("--config").arg(&config.display().to_string()).run(),
        false => setup.run(),
    }
}

/// Updates from a file with these bytes.
fn update(folder: &Path, bytes: &[u8]) -> Output {
    let file = folder.join("newer.bin");
    std::fs::write(&file, bytes).unwrap();
    command(folder, &["update", &file.display().to_string()])
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn shown(folder: &Path) -> Value {
    let output = command(folder, &["show", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)))
}

/// What the newest call cost, and by which catalogue, once so many are written.
fn cost(gateway: &Gateway, count: usize) -> (Value, Value) {
    let cost = &listed(gateway, count)[0]["attempts"][0]["cost"];
    (cost["amount"].clone(), cost["catalogue"].clone())
}

#[test]
fn a_newer_catalogue_is_in_force_while_the_gateway_serves() {
    let answer = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    });
    let upstream = Upstream::always(Answer::json(answer.to_string()));
    let gateway = Gateway::start();
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY);
    assert_eq!(ask.to(&gateway).status, 200);
    // 1000 x 0.15 + 100 x 0.60 dollars for a million.
    assert_eq!(cost(&gateway, 1), (json!("0.00021"), json!(Catalog::embedded().version())));

    let output = update(gateway.folder(), &catalogue("2999-01-01", "2"));
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("The catalogue of 2999-01-01 is in force, 1 models"), "{}", said(&output));
    assert!(said(&output).contains("0 new"), "{}", said(&output));
    gateway.says("The catalogue of models is another one: of 2999-01-01, in ");
    assert_eq!(ask.to(&gateway).status, 200);
    assert_eq!(cost(&gateway, 2), (json!("0.002"), json!("vendor 2999-01-01")));

    // The next start finds it, and the list of models too.
    let data = gateway.folder().join("data").display().to_string();
    let next = Setup::new().env("OSTIA_DATA", &data).start();
    next.says("catalogue      of 2999-01-01, in ");
    let models = Setup::new().env("OSTIA_DATA", &data).arg("models").run();
    assert_eq!(said(&models).lines().count(), 2, "{}", said(&models));

    // Without the file the program's own holds again.
    std::fs::remove_file(Path::new(&data).join("catalog.bin")).unwrap();
    next.says("part of this program");
    assert_eq!(shown(gateway.folder())["version"], Catalog::embedded().version());
}

#[test]
fn what_is_wrong_or_not_newer_is_refused_and_the_old_one_stays() {
    let gateway = Gateway::start();
    let folder = gateway.folder();
    let good = catalogue("2999-01-01", "2");
    let mut damaged = catalogue("2999-01-02", "2");
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let newer = catalogue("2999-01-02", "2");
    let cases: [(&[u8], &str); 6] = [
        (b"{\"id\": \"m\"}\n", "it is no catalogue"),
        (&damaged, "it is not whole"),
        (&newer[..newer.len() - 1], "it is not whole"),
        (&compact(&rows("2"), &[]).unwrap(), "does not say of which day"),
        (&catalogue("2000-01-01", "2"), "it is of 2000-01-01, and not newer than the one in force"),
        (&vec![0; (16 << 20) + 1], "it is larger than a catalogue may be (16 MiB)"),
    ];
    let place = folder.join("data/catalog.bin");
    for (bytes, expected) in &cases {
        let output = update(folder, bytes);
        assert!(
            !output.status.success() && said(&output).contains(expected),
            "{expected}: {}",
            said(&output)
        );
        assert!(!place.exists(), "{expected}");
    }
    assert!(update(folder, &good).status.success());
    let again = update(folder, &good);
    assert!(again.status.success() && said(&again).contains("in force already"), "{}", said(&again));
    let other = (&*catalogue("2999-01-01", "3"), "it is of 2999-01-01, and not newer than the one in force");
    for (bytes, expected) in cases.iter().map(|(bytes, expected)| (*bytes, *expected)).chain([other]) {
        let output = update(folder, bytes);
        assert!(
            !output.status.success() && said(&output).contains(expected),
            "{expected}: {}",
            said(&output)
        );
        assert!(std::fs::read(&place).unwrap() == good, "{expected}");
    }
    // Nothing is left beside it.
    let beside: Vec<_> =
        std::fs::read_dir(folder.join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{beside:?}");
    let missing = command(folder, &["update", "/nowhere/catalog.bin"]);
    assert!(said(&missing).contains("There is no file /nowhere/catalog.bin"), "{}", said(&missing));
    let pipe = command(folder, &["update", "/dev/stdin"]);
    assert!(said(&pipe).contains("no regular file"), "{}", said(&pipe));
}

#[test]
fn a_damaged_file_stops_nobody() {
    let gateway = Gateway::with("catalog: newer/catalog.bin\n");
    let folder = gateway.folder();
    gateway.says("there is no file newer/catalog.bin yet");
    let place = folder.join("newer/catalog.bin");
    std::fs::create_dir(folder.join("newer")).unwrap();
    std::fs::write(&place, catalogue("2999-01-01", "2")).unwrap();
    gateway.says("another one: of 2999-01-01, in newer/catalog.bin");

    // While it serves, the one in force stays; the next start has the program's own.
    std::fs::write(&place, &catalogue("2999-01-02", "3")[..100]).unwrap();
    gateway.says("newer/catalog.bin is not used: it is not whole");
    gateway.says("This one is: of 2999-01-01, in newer/catalog.bin");
    std::fs::write(folder.join("ostia.yaml"), format!("catalog: {}\n", place.display())).unwrap();
    let shown = shown(folder);
    assert_eq!((&shown["file"], &shown["place"]), (&Value::Null, &json!(place)), "{shown}");
    assert!(shown["unused"].as_str().unwrap().contains("not whole"), "{shown}");
    let text = said(&command(folder, &["show"]));
    assert!(text.contains("is not used: it is not whole"), "{text}");
    let config = folder.join("ostia.yaml").display().to_string();
    let models = Setup::new().arg("models").arg("--config").arg(&config).arg("gpt-4o-mini").run();
    assert!(
        models.status.success() && said(&models).contains("is not used: it is not whole"),
        "{}",
        said(&models)
    );

    // A later release is newer than the file.
    std::fs::write(&place, catalogue("2020-01-01", "3")).unwrap();
    let text = said(&command(folder, &["show"]));
    assert!(text.contains("it is not newer than the one of this program"), "{text}");
    assert!(text.contains("models     6"), "{text}");
}

#[test]
fn an_operators_own_prices_go_before_it_in_records() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::with("models: {openai/gpt-4o-mini: {prices: {input: 1000000, output: 0}}}\n");
    assert_eq!(Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).to(&gateway).status, 200);
    let (amount, _) = cost(&gateway, 1);
    let dollars: u64 = amount.as_str().unwrap().parse().unwrap();
    assert!(dollars > 0, "a dollar for each token of the prompt");
}
