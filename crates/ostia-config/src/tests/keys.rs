//! Several keys of one provider.

use ostia_routing::keys::KEYS_MAX;

use super::{env, loaded, shown};
use crate::*;

#[test]
fn one_key_or_several() {
    let check = |field: &str, single: Option<&str>, several: &[(&str, u32)]| {
        let entry = &loaded(&format!("providers:\n  groq:\n    api_key: {field}\n")).config.providers["groq"];
        let name = |secret: &SecretRef| match &secret.source {
            SecretSource::Literal(text) => text.0.clone(),
            SecretSource::Env { name } => format!("${name}"),
            other => format!("{other:?}"),
        };
        assert_eq!(entry.api_key.as_ref().map(name).as_deref(), single, "{field}");
        let keys: Vec<_> = entry.api_keys.iter().map(|key| (name(&key.secret), key.weight)).collect();
        let keys: Vec<_> = keys.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        assert_eq!(keys, several, "{field}");
    };
    check("k", Some("k"), &[]);
    check("[k]", Some("k"), &[]);
    check("[{key: k, weight: 3}]", Some("k"), &[]);
    check("[k, \"${KEY}\"]", None, &[("k", 1), ("$KEY", 1)]);
    check("[k, {key: \"${KEY}\", weight: 3}, {key: l, x-note: y}]", None, &[("k", 1), ("$KEY", 3), ("l", 1)]);
    check("[k, {key: l, weight: \"1000\"}]", None, &[("k", 1), ("l", 1000)]);
    check("null", None, &[]);
}

#[test]
fn what_is_wrong_with_a_list_of_keys() {
    let check = |field: &str, expected: &[&str]| {
        let text = format!("providers:\n  groq:\n    api_key: {field}\n");
        let problems = load(&text, &env).map(|_| ()).unwrap_err();
        let at = |what: &&str| format!("o.yaml:3:{}", what.replacen(": ", ": providers.groq.api_key", 1));
        assert_eq!(shown(&problems), expected.iter().map(at).collect::<Vec<_>>(), "{field}");
    };
    check("[]", &["14: : is an empty list; list keys, or take the field out"]);
    check("{key: k}", &["14: : must be a text, not a map of fields"]);
    check("[k, '']", &["18: [1]: is empty; write ${NAME}, file:/path, or the key itself"]);
    check("[k, 5]", &["18: [1]: must be a text, not a number; put it in quotes"]);
    check("[k, [l]]", &["18: [1]: must be a text, not a list"]);
    let same = "take one of them out; a larger share is a weight: {key: ..., weight: 2}";
    check("[k, l, k]", &[&format!("21: [2]: is the same key as providers.groq.api_key[0]; {same}")]);
    check(
        "['${KEY}', {key: '${KEY}'}]",
        &[&format!("25: [1]: is the same key as providers.groq.api_key[0]; {same}")],
    );
    check("[k, {weight: 3}]", &["18: [1]: has no `key`; write {key: \"${NAME}\", weight: 3}"]);
    let whole = "must be a whole number from 1 to 1000";
    for weight in ["0", "-1", "1001", "1.5", "heavy"] {
        check(&format!("[k, {{key: l, weight: {weight}}}]"), &[&format!("35: [1].weight: {whole}")]);
    }
    check("[k, {key: l, weigth: 3}]", &["27: [1].weigth: unknown field; did you mean `weight`?"]);
    let many: Vec<String> = (0..=KEYS_MAX).map(|key| format!("k{key}")).collect();
    check(
        &format!("[{}]", many.join(", ")),
        &["14: : has more than 64 keys; give further ones to a provider of your own with the same base_url"],
    );
}

#[test]
fn keys_that_come_out_the_same() {
    let text = "providers: {groq: {api_key: [k, '${KEY}', {key: l}, 'file:/run/key']}}";
    let keys = &loaded(text).config.providers["groq"].api_keys;
    let values = ["k", "SECRET", "l", "SECRET"].map(secrecy::SecretString::from);
    let problems = equal_keys(keys.iter().zip(&values));
    assert_eq!(
        shown(&problems),
        [
            "o.yaml:1:53: providers.groq.api_key[3]: comes out as the same key as providers.groq.api_key[1]; take one of them \
             out; a larger share is a weight: {key: ..., weight: 2}"
        ]
    );
    assert!(!format!("{problems:?}").contains("SECRET"));
    // What is written alike is told where the file is read.
    let alike = [keys[0].clone(), keys[0].clone()];
    assert_eq!(equal_keys(alike.iter().zip(&[values[0].clone(), values[0].clone()])), []);
}
