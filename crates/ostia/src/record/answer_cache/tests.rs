#![allow(clippy::unwrap_used)]

use super::*;

fn of(head: &[(&str, &str)]) -> Option<CacheResult> {
    read(|| head.iter().map(|(name, value)| (*name, value.as_bytes())))
}

#[test]
fn what_heads_say() {
    let check = |head: &[(&str, &str)], expected: Option<CacheResult>| {
        assert_eq!(of(head), expected, "{head:?}");
    };
    let [hit, miss] = [CacheStatus::Hit, CacheStatus::Miss].map(told);
    check(&[], None);
    check(&[("content-type", "application/json"), ("x-cache", "HIT"), ("age", "3")], None);
    check(&[("x-portkey-cache-status", "HIT")], Some(hit));
    check(&[("X-Portkey-Cache-Status", "SEMANTIC HIT")], Some(told(CacheStatus::SemanticHit)));
    check(&[("x-portkey-cache-status", "SEMANTIC MISS")], Some(told(CacheStatus::SemanticMiss)));
    check(&[("x-portkey-cache-status", "REFRESH")], Some(told(CacheStatus::Refresh)));
    check(&[("x-portkey-cache-status", "DISABLED")], Some(told(CacheStatus::Disabled)));
    check(&[("x-portkey-cache-status", "perhaps")], None);
    check(&[("cf-aig-cache-status", "MISS")], Some(miss));
    check(&[("helicone-cache", "HIT")], Some(hit));
    let aged = [("x-openrouter-cache-age", "12"), ("x-openrouter-cache-status", "HIT")];
    check(&aged, Some(CacheResult { age_s: Some(12), ..hit }));
    check(&[("x-openrouter-cache-status", "MISS"), ("x-openrouter-cache-age", "12")], Some(miss));
    check(&[("x-openrouter-cache-status", "HIT"), ("x-openrouter-cache-age", "-1")], Some(hit));
    check(&[("x-litellm-cache-key", "0a1b")], Some(hit));
    let near = CacheResult { similarity: Some(0.93), ..told(CacheStatus::SemanticHit) };
    check(&[("x-litellm-cache-key", "0a1b"), ("x-litellm-semantic-similarity", "0.93")], Some(near));
    check(&[("x-litellm-semantic-similarity", "0.0")], None);
    check(&[("x-litellm-cache-key", " ")], None);
    let of_second_layer =
        [("x-ai-cache-status", "HIT-L2"), ("x-ai-cache-similarity", "0.93"), ("x-ai-cache-age", "7")];
    check(&of_second_layer, Some(CacheResult { age_s: Some(7), ..near }));
    check(&[("x-ai-cache-status", "HIT-L1"), ("x-ai-cache-similarity", "NaN")], Some(hit));
    check(&[("x-cache-status", "Hit"), ("age", "67")], Some(CacheResult { age_s: Some(67), ..hit }));
    check(&[("x-cache-status", "Bypass")], Some(told(CacheStatus::Disabled)));
}

#[test]
fn an_answer_that_one_of_several_caches_had_is_a_hit() {
    for head in [
        [("x-portkey-cache-status", "MISS"), ("cf-aig-cache-status", "HIT")],
        [("cf-aig-cache-status", "HIT"), ("x-portkey-cache-status", "MISS")],
    ] {
        assert_eq!(of(&head).unwrap().status, CacheStatus::Hit);
    }
}

#[test]
fn each_status_is_known_by_its_own_name() {
    for (word, expected) in [
        ("SEMANTIC HIT", Some(CacheStatus::SemanticHit)),
        ("Bypass", Some(CacheStatus::Disabled)),
        ("dynamic", None),
    ] {
        assert_eq!(super::status(word), expected, "{word}");
    }
    for status in CacheStatus::ALL {
        assert_eq!(super::status(status.as_str()), Some(status));
    }
    for row in ROWS {
        assert_eq!(row.header, row.header.to_ascii_lowercase());
        assert!(row.source.starts_with("https://"), "{}", row.header);
    }
}
