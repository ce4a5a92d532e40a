//! The gateway's own API as a document, held against OpenAPI's schema by a validator of others.

use std::process::Command;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::programs;
use crate::wire::Ask;

#[test]
fn the_document_is_there_for_everybody() {
    let gateway = Gateway::with("auth: {keys: [pk-client]}");
    let reply = Ask::new("GET", "/v1/openapi.json").to(&gateway);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let document: Value = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    assert!(document["paths"]["/v1/logs"]["get"]["parameters"].as_array().unwrap().len() > 20);
    assert_eq!(Ask::post("/v1/openapi.json", "{}").to(&gateway).status, 405);
}

#[test]
fn a_validator_of_others_finds_nothing_wrong_with_it() {
    let Some(python) = programs::python() else { return };
    let gateway = Gateway::start();
    let document = Ask::new("GET", "/v1/openapi.json").to(&gateway);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, document.text()).unwrap();
    let output = Command::new(python).args(["-m", "openapi_spec_validator"]).arg(&path).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
