use std::path::Path;

use secrecy::ExposeSecret;

use super::{env, loaded};
use crate::*;

/// The one key of a file, resolved.
fn resolved(key: &str) -> Result<String, String> {
    let config = loaded(&format!("auth:\n  keys:\n    - {key}\n")).config;
    let read = |path: &Path| match path.to_str() {
        Some("/run/key") => Ok("SECRET\r\n\n".to_owned()),
        Some("/run/9000") => Ok("SECRET2".to_owned()),
        Some("/run/empty") => Ok("\n".to_owned()),
        Some("/run/large") => Ok("SECRET".repeat(SECRET_BYTES_MAX)),
        _ => Err("no such file".to_owned()),
    };
    let secret = resolve(&config.auth.keys[0].secret, &env, &read);
    secret.map(|secret| secret.expose_secret().to_owned()).map_err(|problem| problem.render("o.yaml"))
}

#[test]
fn references_resolve() {
    let cases = [
        ("sk-literal", Ok("sk-literal")),
        ("${KEY}", Ok("SECRET")),
        ("\" ${KEY} \"", Ok("SECRET")),
        ("pre-${KEY}-${PORT}", Ok("pre-SECRET-9000")),
        ("a$${KEY}b$c", Ok("a${KEY}b$c")),
        ("file:/run/key", Ok("SECRET")),
        ("file:/run/${PORT}", Ok("SECRET2")),
        (
            "${NOPE}",
            Err(
                "o.yaml:3:7: auth.keys[0]: refers to the environment variable NOPE, which is not set; set it, or take the \
                 field out",
            ),
        ),
        (
            "x${NOPE}",
            Err(
                "o.yaml:3:7: auth.keys[0]: refers to the environment variable NOPE, which is not set; set it, or take the \
                 field out",
            ),
        ),
        (
            "${EMPTY}",
            Err(
                "o.yaml:3:7: auth.keys[0]: the environment variable EMPTY is empty; set it, or take the field out",
            ),
        ),
        (
            "file:/run/empty",
            Err("o.yaml:3:7: auth.keys[0]: the file /run/empty is empty; set it, or take the field out"),
        ),
        ("file:/run/large", Err("o.yaml:3:7: auth.keys[0]: the file /run/large is longer than 65536 bytes")),
        ("file:/x", Err("o.yaml:3:7: auth.keys[0]: the file /x cannot be read: no such file")),
    ];
    for (key, expected) in cases {
        assert_eq!(resolved(key), expected.map(str::to_owned).map_err(str::to_owned), "{key}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let text = "auth: {keys: [SECRET, 'SECRET${KEY}']}\nproviders:\n  groq: {api_key: SECRET, headers: {x: \"${KEY}\", y: SECRET}}\n";
    let loaded = loaded(text);
    assert!(!format!("{loaded:?}").contains("SECRET"), "{loaded:?}");
}

#[test]
fn reports_show_no_credential() {
    let values = [
        "SECRET",
        "'SECRET'",
        "\"SECRET",
        "[SECRET, 'SECRET x']",
        "{x: SECRET",
        "{SECRET: 5}",
        "|\n  SECRET: x",
    ];
    let fields = [
        "auth: {keys: [V], workers: 0}",
        "auth: {keyz: [V]}",
        "auth:\n  keys:\n    - V\n    - {key: V, nam: V}",
        "providers: {groq: {api_key: V, api_kee: V, headers: {x: V, host: V}}}",
        "providers: {groq: {key_env: V, oauth: {headers: {x: V}}, base_url: 'https://u:SECRET@h'}}",
        "configs: {a: {provider: nobody, api_key: V, override_params: {a: V}, virtual_key: V, vertex: V}}",
        "api_kee: V # SECRET",
        "workers: sk-SECRET",
    ];
    for (field, value) in fields.iter().flat_map(|field| values.iter().map(move |value| (field, value))) {
        let text = field.replace('V', value);
        let report = check("o.yaml", &text, &env).report.render(false);
        assert!(!report.contains("SECRET"), "{text}\n{report}");
        assert!(!report.is_empty(), "{text}");
    }
}

#[test]
fn problems_hold_no_secret() {
    let values = [
        "SECRET",
        "\"${KEY}\"",
        "[SECRET]",
        "'SECRET' x",
        "\"SECRET",
        "{x: SECRET",
        "SECRET: 5\n  - b",
        "*SECRET",
        "|SECRET",
    ];
    let fields = [
        "listen: V",
        "workers: V",
        "auth: V",
        "auth: {keys: V}",
        "providers: V",
        "providers: {a: V}",
        "providers: {a: {api_key: V, models: [[V]], x: 1}}",
        "egress: {allow_private: [V, a b], allow_hosts: ['V:1']}",
        "timeouts: {total: V}",
        "limits: {body_bytes: V}",
        "limits: V",
        "api_kee: V",
        "auth:\n  keys:\n  - V",
        "providers: {a: {api_key: 'V${'}}",
    ];
    for (field, value) in fields.iter().flat_map(|field| values.iter().map(move |value| (field, value))) {
        let text = field.replace('V', value);
        if let Err(problems) = load(&text, &env) {
            assert!(!format!("{problems:?}").contains("SECRET"), "{text}\n{problems:?}");
        }
    }
}
