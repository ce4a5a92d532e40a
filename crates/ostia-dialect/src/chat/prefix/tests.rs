use super::*;

fn prompt(body: &str) -> Prompt<'_> {
    Prompt { body: body.as_bytes(), is_cut: false }
}

/// `part @ character, characters before of all`, or a word for what is none.
fn told(change: &Change) -> String {
    match change {
        Change::Part(place) => {
            format!(
                "{} @ {}, {} of {:?}",
                place.part, place.character, place.characters_before, place.characters
            )
        }
        Change::Gone(place) => format!("{} gone", place.part),
        Change::Setting(name) => format!("setting {name}"),
        Change::None => "none".to_owned(),
        Change::NoneSoFar => "none so far".to_owned(),
        Change::Unknown => "unknown".to_owned(),
    }
}

#[track_caller]
fn check(before: &str, after: &str, expected: &str) {
    assert_eq!(told(&change(prompt(before), prompt(after))), expected, "{before}\n{after}");
}

#[test]
fn prompts_that_go_on() {
    check(
        r#"{"messages":[{"role":"user","content":"a"}]}"#,
        r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#,
        "none",
    );
    // A text and a block of the same text, and marks that have moved on.
    check(
        r#"{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"a"}]}"#,
        r#"{"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}]}"#,
        "none",
    );
    check(
        r#"{"input":"a"}"#,
        r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]}]}"#,
        "none",
    );
    check(
        r#"{"tools":[{"name":"f","cache_control":{"type":"ephemeral"}}],"messages":[]}"#,
        r#"{"tools":[{"name":"f"}],"messages":[{"role":"user","content":"a"}]}"#,
        "none",
    );
}

#[test]
fn where_prompts_part() {
    check(
        r#"{"system":"It is 10:00.","messages":[{"role":"user","content":"a"}]}"#,
        r#"{"system":"It is 10:05.","messages":[{"role":"user","content":"a"}]}"#,
        "the system prompt @ 11, 10 of Some(13)",
    );
    check(
        r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"\u00e9\u00e9a"}]}"#,
        r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"\u00e9\u00e9b"},{"role":"user","content":"c"}]}"#,
        "message 2 (user) @ 3, 3 of Some(5)",
    );
    check(
        r#"{"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"messages":[]}"#,
        r#"{"tools":[{"type":"function","function":{"name":"g"}},{"type":"function","function":{"name":"f"}}],"messages":[]}"#,
        "tool 1 (g) @ 1, 0 of Some(80)",
    );
    check(
        r#"{"contents":[{"role":"user","parts":[{"text":"ab"}]}],"systemInstruction":{"parts":[{"text":"s"}]}}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"ac"}]}],"systemInstruction":{"parts":[{"text":"s"}]}}"#,
        "message 1 (user) @ 2, 2 of Some(3)",
    );
    check(
        r#"{"instructions":"a","input":"x"}"#,
        r#"{"instructions":"b","input":"x"}"#,
        "the system prompt @ 1, 0 of Some(2)",
    );
    check(r#"{"input":"x"}"#, r#"{"instructions":"b","input":"x"}"#, "the system prompt @ 1, 0 of Some(2)");
    check(
        r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#,
        r#"{"messages":[{"role":"user","content":"a"}]}"#,
        "message 2 (assistant) gone",
    );
}

#[test]
fn a_first_message_of_the_system_is_its_prompt() {
    let with = |role: &str, text: &str| format!(r#"{{"messages":[{{"role":"{role}","content":"{text}"}}]}}"#);
    for role in ["system", "developer"] {
        check(&with(role, "ab"), &with(role, "ac"), "the system prompt @ 2, 1 of Some(2)");
    }
    check(&with("user", "ab"), &with("user", "ac"), "message 1 (user) @ 2, 1 of Some(2)");
}

#[test]
fn what_else_a_cache_goes_by() {
    let with = |field: &str| format!(r#"{{"messages":[{{"role":"user","content":"a"}}]{field}}}"#);
    check(&with(r#","tool_choice":"auto""#), &with(r#","tool_choice":"none""#), "setting tool_choice");
    check(&with(""), &with(r#","thinking":{"type":"enabled"}"#), "setting thinking");
    check(&with(r#","temperature":1"#), &with(r#","temperature":0"#), "none");
    check("no json", &with(""), "unknown");
    check("{}", &with(""), "unknown");
}

#[test]
fn the_words_around_it() {
    let told = change(
        prompt(r#"{"system":"Today is Monday.","input":"x"}"#),
        prompt(r#"{"system":"Today is Sunday.","input":"x"}"#),
    );
    let words = match &told {
        Change::Part(place) => (place.before.as_deref(), place.after.as_deref()),
        _ => (None, None),
    };
    assert_eq!(words, (Some("Today is Monday."), Some("Today is Sunday.")), "{told:?}");
}

#[test]
fn requests_are_compared_as_far_as_they_go() {
    const MESSAGES: &str =
        r#"{"s\\":1,"system":"one \"two\" \u00e9\ud83d\ude00","messages":[{"role":"user","content":"a, {b"}"#;
    let before = format!(r#"{MESSAGES},{{"role":"user","content":"c"}}],"n":[1,{{"x":tru"#);
    let after = format!("{MESSAGES}]}}").replace("two", "six");
    for at in 0..before.len() {
        let cut = Prompt { body: &before.as_bytes()[..at], is_cut: true };
        if let Some(whole) = cut::completed(cut.body) {
            assert!(Document::parse(&whole).is_ok(), "{at}: {}", String::from_utf8_lossy(&whole));
        }
        let same = change(cut, cut);
        assert!(matches!(same, Change::NoneSoFar | Change::Unknown), "{at}: {same:?}");
        let other = change(cut, prompt(&after));
        assert!(!matches!(other, Change::Gone(_) | Change::None), "{at}: {other:?}");
    }
    let cut = |text: &'static str| Prompt { body: text.as_bytes(), is_cut: true };
    let told = |one, other| told(&change(one, other));
    assert_eq!(told(cut(r#"{"system":"ab"#), cut(r#"{"system":"abcd"#)), "none so far");
    assert_eq!(told(cut(r#"{"system":"abx"#), cut(r#"{"system":"abcd"#)), "the system prompt @ 3, 2 of None");
    assert_eq!(
        told(
            cut(r#"{"messages":[{"role":"user","content":"a"},{"ro"#),
            prompt(r#"{"messages":[{"role":"user","content":"a"}]}"#)
        ),
        "message 2 gone"
    );
}

#[test]
fn what_providers_say() {
    let check = |answer: &str, expected: Option<(&str, Option<u64>)>| {
        let told = diagnosed(answer.as_bytes());
        assert_eq!(told.as_ref().map(|told| (told.reason.as_str(), told.tokens)), expected, "{answer}");
    };
    check(
        r#"{"id":"m","diagnostics":{"cache_miss_reason":{"type":"system_changed","cache_missed_input_tokens":40000}}}"#,
        Some(("system_changed", Some(40000))),
    );
    check(
        "event: message_start\ndata: {\"message\":{\"diagnostics\": {\"cache_miss_reason\" : {\"type\":\"unavailable\"}}}}\n\n",
        Some(("unavailable", None)),
    );
    check(
        r#"{"prompt_cache_diagnostics":{"type":"cache_miss","reason":"tools_changed","cache_missed_tokens":321}}"#,
        Some(("tools_changed", Some(321))),
    );
    check(r#"{"diagnostics":{"cache_miss_reason":null}}"#, None);
    check(r#"{"prompt_cache_diagnostics":{"type":"cache_hit"}}"#, None);
    // Words of a model are no diagnosis.
    check(r#"{"text":"{\"cache_miss_reason\":{\"type\":\"x\"}}"}"#, None);
    check(r#"{"cache_miss_reason":{"type":"sys"#, None);
}
