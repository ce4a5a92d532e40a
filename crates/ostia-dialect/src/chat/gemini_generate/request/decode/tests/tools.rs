use serde_json::{Value, json};

use super::{ask, check, check_same, read, refuses};
use crate::{Tool, ToolChoice, WebSearch};

fn functions() -> Value {
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
    json!([{"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": schema}, {"name": "g"}]}])
}

fn calling(config: Value) -> Value {
    ask(json!({"tools": functions(), "toolConfig": {"functionCallingConfig": config}}))
}

#[test]
fn tools_come_out_as_they_went_in() {
    check_same(&ask(json!({"tools": functions()})));
    check_same(&ask(json!({"tools": [{"googleSearch": {}}]})));
    check_same(&ask(json!({"tools": [
        {"codeExecution": {}}, {"urlContext": {}}, {"googleMaps": {}}, {"fileSearch": {"file_search_store_names": ["s"]}},
        {"computerUse": {"environment": "ENVIRONMENT_BROWSER"}},
    ]})));
    check_same(&ask(json!({"tools": [{"googleSearch": {"excludeDomains": ["a.example"]}}]})));
    check_same(&ask(
        json!({"tools": [{"googleSearchRetrieval": {"dynamicRetrievalConfig": {"mode": "MODE_DYNAMIC"}}}]}),
    ));
}

/// One object for all, in snake case, as the vendor takes it too.
#[test]
fn tools_may_share_an_entry() {
    let body = ask(json!({"tools": {
        "function_declarations": {"name": "f", "parameters": {"type": "OBJECT", "properties": {"q": {"type": "STRING"}}}},
        "google_search": {}, "codeExecution": null, "url_context": {},
    }}));
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
    let tools = json!([{"urlContext": {}}, {"googleSearch": {}},
        {"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}]);
    check(&body, &ask(json!({"tools": tools})), &[]);
}

#[test]
fn a_search_with_settings_is_a_search_for_everyone() {
    let request = read(&ask(json!({"tools": [{"googleSearch": {"excludeDomains": ["a.example"]}}]})));
    assert_eq!(request.web_search, Some(WebSearch::default()));
    assert!(matches!(&request.tools[..], [Tool::Hosted { name, .. }] if name == "googleSearch"));
}

#[test]
fn what_a_function_returns_has_no_place_elsewhere() {
    let declaration =
        json!({"name": "f", "response_json_schema": {"type": "string"}, "behavior": "BLOCKING"});
    let body = ask(json!({"tools": [{"functionDeclarations": [declaration]}]}));
    let dropped = [
        "tools[0].functionDeclarations[0].response_json_schema",
        "tools[0].functionDeclarations[0].behavior",
    ];
    check(&body, &ask(json!({"tools": [{"functionDeclarations": [{"name": "f"}]}]})), &dropped);
}

#[test]
fn modes_are_choices() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let allowed = |of: &[&str], required| ToolChoice::Allowed { names: names(of), required };
    for (config, choice) in [
        (json!({"mode": "AUTO"}), ToolChoice::Auto),
        (json!({"mode": "NONE"}), ToolChoice::None),
        (json!({"mode": "ANY"}), ToolChoice::Required),
        (json!({"mode": "ANY", "allowedFunctionNames": ["f"]}), ToolChoice::Named("f".into())),
        (json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}), allowed(&["f", "g"], true)),
        (json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}), allowed(&["f"], false)),
    ] {
        let body = calling(config);
        assert_eq!(read(&body).tool_choice, Some(choice));
        check_same(&body);
    }
    let empty = read(&calling(json!({"mode": "any", "allowed_function_names": []})));
    assert_eq!(empty.tool_choice, Some(ToolChoice::Required));
    assert_eq!(read(&calling(json!({"mode": "VALIDATED"}))).tool_choice, Some(allowed(&["f", "g"], false)));
    assert_eq!(read(&calling(json!({"mode": "MODE_UNSPECIFIED"}))).tool_choice, None);
    let bare = read(&ask(json!({"toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}})));
    assert_eq!(bare.tool_choice, Some(ToolChoice::Auto));
}

#[test]
fn names_that_a_mode_does_not_heed_are_reported() {
    let body =
        calling(json!({"mode": "AUTO", "allowedFunctionNames": ["f"], "streamFunctionCallArguments": true}));
    let dropped = [
        "toolConfig.functionCallingConfig.streamFunctionCallArguments",
        "toolConfig.functionCallingConfig.allowedFunctionNames",
    ];
    check(&body, &calling(json!({"mode": "AUTO"})), &dropped);
}

#[test]
fn other_ways_to_use_tools_are_the_vendors_own() {
    check_same(&ask(json!({"toolConfig": {"retrievalConfig": {"languageCode": "de"},
        "includeServerSideToolInvocations": true}})));
}

#[test]
fn tools_that_are_none_name_the_field() {
    let function = |declaration: Value| ask(json!({"tools": [{"functionDeclarations": [declaration]}]}));
    refuses(&function(json!({})), "tools[0].functionDeclarations[0].name");
    refuses(&function(json!(1)), "tools[0].functionDeclarations[0]");
    refuses(&function(json!({"name": "f", "parameters": 1})), "tools[0].functionDeclarations[0].parameters");
    refuses(&calling(json!({"mode": "SOME"})), "toolConfig.functionCallingConfig.mode");
    refuses(
        &calling(json!({"mode": "ANY", "allowedFunctionNames": [1]})),
        "toolConfig.functionCallingConfig.allowedFunctionNames[0]",
    );
}
