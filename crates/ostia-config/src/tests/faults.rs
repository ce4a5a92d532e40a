use super::{env, shown};
use crate::*;

#[test]
fn faults_by_case() {
    let top = "the fields here are listen, tls, auth, hosts, cors, default_provider, strict_model_names, providers, configs, config, aliases, prices, catalog, models, model_checks, console, egress, upstream, timeouts, limits, websockets, media, responses, records, telemetry, batches, workers";
    let cases: &[(&str, &[&str])] = &[
        ("a: [1", &["o.yaml:1:4: is not valid YAML: unclosed bracket '['"]),
        (
            "x: 1\nb:\n\t- c",
            &["o.yaml:3:2: is not valid YAML: tabs disallowed within this context (block indentation)"],
        ),
        ("a: *b", &["o.yaml:1:4: is not valid YAML: alias references unknown anchor"]),
        ("{}\n---\n{}", &["o.yaml:3:1: is not valid YAML: multiple YAML documents detected"]),
        ("? [a]\n: b", &["o.yaml:1:3: is not valid YAML: expected string scalar"]),
        ("- 1", &["o.yaml:1:1: must be a map of fields, not a list"]),
        ("just text", &["o.yaml:1:1: must be a map of fields, not a text"]),
        (
            "providers:\n  a: { api_key: ${KEY} }",
            &[
                "o.yaml:2:18: is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'; inside { } and \
               [ ] put ${NAME} in quotes: \"${NAME}\"",
            ],
        ),
        (
            "providers:\n  groq:\n    api_kee: x\n",
            &["o.yaml:3:5: providers.groq.api_kee: unknown field; did you mean `api_key`?"],
        ),
        (
            "lisen: 1\ntrust: {}\nlisten: 8787\nworkers: 0\nworkers: 2\n",
            &[
                "o.yaml:1:1: lisen: unknown field; did you mean `listen`?",
                &format!("o.yaml:2:1: trust: unknown field; {top}"),
                "o.yaml:3:9: listen: must be a text, not a number; put it in quotes",
                "o.yaml:4:10: workers: must be a whole number from 1 to 1024",
                "o.yaml:5:1: workers: is given twice; the first one is in line 4",
            ],
        ),
        (
            "listen: example.com:80",
            &[
                "o.yaml:1:9: listen: must be an IP address and a port; write 127.0.0.1:8787 for this machine only, 0.0.0.0:8787 \
               for all",
            ],
        ),
        (
            "tls: {cert: c.pem, client_ca: 5, min_version: 1.1}\n",
            &[
                "o.yaml:1:6: tls: has no `key`; name the PEM file with the private key, or take the section out for plain HTTP",
                "o.yaml:1:31: tls.client_ca: must be a text, not a number; put it in quotes",
                "o.yaml:1:47: tls.min_version: must be 1.2 or 1.3",
            ],
        ),
        (
            "auth: {keys: [5, '', '${', '${A-B}', 'file:', {}, ok]}\n",
            &[
                "o.yaml:1:15: auth.keys[0]: must be a text, not a number; put it in quotes",
                "o.yaml:1:18: auth.keys[1]: is empty; write ${NAME}, file:/path, or the key itself",
                "o.yaml:1:22: auth.keys[2]: has a `${` without its `}`",
                "o.yaml:1:28: auth.keys[3]: has a `${...}` that does not hold the name of an environment variable",
                "o.yaml:1:38: auth.keys[4]: names no file after `file:`",
                "o.yaml:1:47: auth.keys[5]: has no `key`; write {key: \"${OSTIA_KEY}\", config: name}",
            ],
        ),
        (
            "auth:\n  keys: [{key: k, config: cheep}]\nconfigs:\n  cheap: {provider: openai}\n  odd:\n    strategy: {mode: fallbak}\n    targets:\n      - {provider: openai}\nconfig: none\n",
            &[
                "o.yaml:2:27: auth.keys[0].config: names the config `cheep`, and there is none of that name; did you mean `cheap`?",
                "o.yaml:6:22: configs.odd.strategy.mode: must be single, fallback, loadbalance or conditional; did you mean `fallback`?",
                "o.yaml:9:9: config: names the config `none`, and there is none of that name; write it under `configs:`",
            ],
        ),
        (
            "models: {plain: {}, nobody/m: {can: [tools, visoin], cannot: [tools], retires_on: soon, context: 0}, openai/m: {prices: {inputs: 1, input: x}, currency: euro}}\n",
            &[
                "o.yaml:1:10: models.plain: names no provider and model; write PROVIDER/MODEL, like vllm/llama-3.3-70b",
                "o.yaml:1:31: models.nobody/m: there is no provider `nobody`; `ostia providers` lists the known ones; your own stand under `providers:`",
                "o.yaml:1:45: models.nobody/m.can[1]: is no known word; did you mean `vision`?",
                "o.yaml:1:63: models.nobody/m.cannot[0]: `tools` stands under `can` and `cannot`",
                "o.yaml:1:83: models.nobody/m.retires_on: must be a day, like 2027-01-31",
                "o.yaml:1:98: models.nobody/m.context: must be a whole number from 1 to 1000000000",
                "o.yaml:1:122: models.openai/m.prices.inputs: `inputs` is no unit; did you mean `input`?",
                "o.yaml:1:140: models.openai/m.prices.input: must be a number of at least 0",
                "o.yaml:1:154: models.openai/m.currency: must be three capital letters, like EUR",
            ],
        ),
        (
            "models: {openai/m: {prices: {output_images/hd/1024x1024: 1, 'input>many': 1, output_imagse/hd: 1}}}\n",
            &[
                "o.yaml:1:30: models.openai/m.prices.output_images/hd/1024x1024: `hd/1024x1024` is no kind of images: write `output_images/SIZE`, `output_images/QUALITY` or `output_images/SIZE/QUALITY`",
                "o.yaml:1:61: models.openai/m.prices.input>many: `many` is no number of tokens",
                "o.yaml:1:78: models.openai/m.prices.output_imagse/hd: `output_imagse/hd` is no unit; did you mean `output_images`?",
            ],
        ),
        (
            "models: {openai/a: {base: plain}, openai/b: {base: nobody/m}}\n",
            &[
                "o.yaml:1:27: models.openai/a.base: names no provider and model; write PROVIDER/MODEL, like openai/gpt-5.1",
                "o.yaml:1:52: models.openai/b.base: there is no provider `nobody`; `ostia providers` lists the known ones; your own stand under `providers:`",
            ],
        ),
        (
            "prices: {m: {input: 1}, n: {input: -1, output: x}}",
            &[
                "o.yaml:1:13: prices.m: needs `input` and `output`; both for a million tokens",
                "o.yaml:1:28: prices.n: needs `input` and `output`; both for a million tokens",
                "o.yaml:1:36: prices.n.input: must be a number of at least 0",
                "o.yaml:1:48: prices.n.output: must be a number of at least 0",
            ],
        ),
        ("auth: [a]", &["o.yaml:1:7: auth: must be a map of fields, not a list"]),
        ("auth: {keys: k}", &["o.yaml:1:14: auth.keys: must be a list, not a text"]),
        (
            "providers:\n  Open AI: {}\n  a: 5\n  b: {models: [1], base_url: '${NOPE}'}\n",
            &[
                "o.yaml:2:3: providers.Open AI: is no id of a provider; use lower-case letters and digits, with single hyphens \
                 between, at most 64",
                "o.yaml:3:6: providers.a: must be a map of fields, not a number",
                "o.yaml:4:16: providers.b.models[0]: must be a text, not a number; put it in quotes",
                "o.yaml:4:30: providers.b.base_url: refers to the environment variable NOPE, which is not set; set it, or take the field out",
            ],
        ),
        (
            "providers: {groq: {quirks: {repiar: true, repair: yes, repair: 2}}}",
            &[
                "o.yaml:1:29: providers.groq.quirks.repiar: unknown field; did you mean `repair`?",
                "o.yaml:1:51: providers.groq.quirks.repair: must be true or false, not a text",
                "o.yaml:1:56: providers.groq.quirks.repair: is given twice; the first one is in line 1",
            ],
        ),
        (
            "egress:\n  allow_private: [10.0.0.0/40, http://h/x, 'h:80', 'a b', '*.ok', '::1']\n  alow_hosts: []\n",
            &[
                "o.yaml:2:19: egress.allow_private[0]: is no network like 10.0.0.0/8",
                "o.yaml:2:32: egress.allow_private[1]: is no network like 10.0.0.0/8",
                "o.yaml:2:44: egress.allow_private[2]: must be a host name without scheme, port and path",
                "o.yaml:2:52: egress.allow_private[3]: is no host name, nor `*.` and the end of one",
                "o.yaml:3:3: egress.alow_hosts: unknown field; did you mean `allow_hosts`?",
            ],
        ),
        (
            "timeouts: {conect: 5s, idle: soon, total: [], first_byte: 0}",
            &[
                "o.yaml:1:12: timeouts.conect: unknown field; did you mean `connect`?",
                "o.yaml:1:30: timeouts.idle: must be a time from 1ms to 86400s, like 500ms, 5s or 2m",
                "o.yaml:1:43: timeouts.total: must be a time from 1ms to 86400s, like 500ms, 5s or 2m, not a list",
                "o.yaml:1:59: timeouts.first_byte: must be a time from 1ms to 86400s, like 500ms, 5s or 2m",
            ],
        ),
        (
            "limits: {header_bytes: 2MiB, connections: 1.5, body_bytes: '${EMPTY}'}",
            &[
                "o.yaml:1:24: limits.header_bytes: must be a size from 1KiB to 1MiB, like 64KiB or 64MiB",
                "o.yaml:1:43: limits.connections: must be a whole number from 1 to 1000000",
                "o.yaml:1:60: limits.body_bytes: is empty; give a value, or take the field out",
            ],
        ),
    ];
    for (text, expected) in cases {
        let problems = load(text, &env).expect_err(text);
        assert_eq!(shown(&problems), *expected, "{text}");
    }
}

#[test]
fn bounds_hold() {
    let long = "#".repeat(TEXT_BYTES_MAX + 1);
    assert_eq!(shown(&load(&long, &env).unwrap_err()), ["o.yaml: the file is longer than 4194304 bytes"]);
    let many: String = (0..300).map(|index| format!("field{index}: 1\n")).collect();
    let problems = load(&many, &env).unwrap_err();
    assert_eq!(problems.len(), PROBLEMS_MAX + 1);
    assert_eq!(problems[PROBLEMS_MAX].message, "there are more problems than these");
    let wide = format!("auth: {{keys: [{}]}}", "k,".repeat(ENTRIES_MAX + 1));
    assert_eq!(load(&wide, &env).unwrap_err()[0].message, "has more than 10000 entries");
    let deep = format!("providers: {}1{}", "{a: ".repeat(500), "}".repeat(500));
    let chain: String = (1..500).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)).collect();
    for deep in [deep, format!("a0: &a0 [1]\n{chain}")] {
        assert_eq!(load(&deep, &env).unwrap_err()[0].message, "is nested deeper than 24 levels");
    }
    let laughs: String =
        (1..9).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(9))).collect();
    assert!(load(&format!("a0: &a0 [1]\n{laughs}"), &env).is_err());
}

#[test]
fn files_of_other_gateways_are_recognised() {
    for (text, name) in [
        ("model_list: []", "litellm"),
        ("litellm_settings: {drop_params: true}\nmodel_list:\n  - model_name: a", "litellm"),
        ("general_settings: {master_key: sk-1}", "litellm"),
        (r#"{"strategy": {"mode": "single"}, "targets": []}"#, "portkey"),
        (r#"{"virtual_key": "a", "override_params": {}}"#, "portkey"),
    ] {
        let problems = load(text, &env).unwrap_err();
        let hint = problems[0].hint.as_deref().unwrap();
        assert!(problems.len() == 1 && hint.contains(&format!("ostia import {name} ")), "{problems:?}");
    }
    // With a section of ours it is ours, and every problem is told.
    let problems = load("workers: 0\nstrategy: {mode: single}\n", &env).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}
