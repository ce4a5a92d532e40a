#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::AwsAuth;
use std::collections::hash_map::DefaultHasher;

type Settings<'a> = &'a [(&'a str, &'a str)];

fn sources(auth: &Auth, giver: Giver, settings: Settings<'_>) -> Result<Option<Source>, SourceProblem> {
    let look =
        |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
    read(auth, giver, look("api_key"), &look)
}

/// What is meant, in words; nothing where nothing is; or what is wrong.
fn check(auth: &Auth, giver: Giver, settings: Settings<'_>, expected: Result<Option<&str>, &[&str]>) {
    let got = sources(auth, giver, settings);
    match (&got, expected) {
        (Ok(got), Ok(expected)) => {
            assert_eq!(got.as_ref().map(Source::describe).as_deref(), expected, "{settings:?}");
            let uses_machine = got.as_ref().is_some_and(Source::uses_machine);
            assert!(giver == Giver::Operator || !uses_machine, "{settings:?}");
        }
        (Err(problem), Err(words)) => {
            for word in words {
                assert!(problem.message.contains(word), "{problem:?} has no {word:?}");
            }
            assert_eq!(problem.field, words[0]);
            assert!(!problem.message.contains("SECRET"), "{problem:?}");
        }
        _ => panic!("{settings:?}: {got:?}, not {expected:?}"),
    }
}

const BOTH: [Giver; 2] = [Giver::Operator, Giver::Client];
const ROLE: (&str, &str) = ("aws_role_arn", "arn:aws:iam::123456789012:role/a/b");
const ID: (&str, &str) = ("aws_access_key_id", "AKID");
const SECRET: (&str, &str) = ("aws_secret_access_key", "SECRET");

fn aws() -> Auth {
    Auth::Aws(AwsAuth { service: "bedrock".into(), ..AwsAuth::default() })
}

#[test]
fn aws_by_who_gives_what() {
    use Giver::{Client, Operator};
    let aws = aws();
    for giver in BOTH {
        check(&aws, giver, &[ID, SECRET], Ok(Some("a key")));
        check(&aws, giver, &[ID, SECRET, ("api_key", "sent by every SDK")], Ok(Some("a key")));
        check(&aws, giver, &[("api_key", "k")], Ok(Some("a key")));
        check(&aws, giver, &[("api_key", "k"), ("aws_auth_type", "apiKey")], Ok(Some("a key")));
        let by_keys = "the role arn:aws:iam::123456789012:role/a/b by AWS's keys";
        check(&aws, giver, &[ID, SECRET, ROLE, ("aws_external_id", "x")], Ok(Some(by_keys)));
        check(&aws, giver, &[ID, SECRET, ROLE, ("aws_session_tags", r#"{"a":"b"}"#)], Ok(Some(by_keys)));
    }
    check(&aws, Operator, &[], Ok(Some("AWS's credentials of this machine")));
    check(&aws, Operator, &[("aws_profile", "dev")], Ok(Some("the AWS profile `dev`")));
    let of_machine = "the role arn:aws:iam::123456789012:role/a/b by AWS's credentials of this machine";
    check(&aws, Operator, &[ROLE, ("aws_auth_type", "assumedRole")], Ok(Some(of_machine)));
    check(&aws, Client, &[], Ok(None));
}

#[test]
fn aws_by_halves_and_against_itself() {
    let aws = aws();
    for giver in BOTH {
        let wrong = |settings: Settings<'_>, words: &[&str]| check(&aws, giver, settings, Err(words));
        wrong(&[ID], &["aws_secret_access_key", "aws_access_key_id is given without"]);
        wrong(&[SECRET], &["aws_access_key_id", "aws_secret_access_key is given without"]);
        wrong(&[ID, ("aws_secret_access_key", " ")], &["aws_secret_access_key"]);
        wrong(&[("aws_session_token", "SECRET")], &["aws_access_key_id", "aws_session_token is given"]);
        wrong(&[("aws_auth_type", "magic")], &["aws_auth_type", "assumedRole", "apiKey"]);
        wrong(&[("aws_auth_type", "assumedRole"), ID, SECRET], &["aws_role_arn"]);
        wrong(&[("aws_auth_type", "apiKey")], &["api_key"]);
        wrong(&[("aws_auth_type", "apiKey"), ("api_key", "SECRET"), ID, SECRET], &["aws_access_key_id"]);
        wrong(&[("aws_auth_type", "apiKey"), ("api_key", "SECRET"), ROLE], &["aws_role_arn"]);
        wrong(&[ID, SECRET, ("aws_external_id", "x")], &["aws_role_arn", "aws_external_id"]);
        wrong(&[ID, SECRET, ("aws_session_tags", r#"{"a":"b"}"#)], &["aws_role_arn", "aws_session_tags"]);
        wrong(&[ID, SECRET, ROLE, ("aws_session_tags", "a=b")], &["aws_session_tags", "JSON object"]);
        wrong(&[ID, SECRET, ROLE, ("aws_session_tags", r#"{"a":1}"#)], &["aws_session_tags"]);
        for arn in ["role/x", "arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:user/x", "arn:aws:s3:::b"] {
            wrong(
                &[ID, SECRET, ("aws_role_arn", arn)],
                &["aws_role_arn", "arn:aws:iam::123456789012:role/name"],
            );
        }
    }
    check(
        &aws,
        Giver::Operator,
        &[("aws_profile", "x"), ID, SECRET],
        Err(&["aws_profile", "aws_access_key_id"]),
    );
    check(&aws, Giver::Client, &[("aws_profile", "x")], Err(&["aws_profile", "operator"]));
    check(&aws, Giver::Client, &[ROLE], Err(&["aws_access_key_id", "aws_secret_access_key", "operator"]));
}

#[test]
fn oracle_needs_all_four() {
    let all = [
        ("oracle_tenancy", "ocid1.tenancy.oc1..a"),
        ("oracle_user", "ocid1.user.oc1..b"),
        ("oracle_fingerprint", "20:3b:97"),
        ("oracle_private_key", "SECRET\\nSECRET"),
    ];
    for giver in BOTH {
        check(&Auth::Oracle, giver, &all, Ok(Some("a signing key of Oracle's")));
        check(&Auth::Oracle, giver, &[("api_key", "SECRET")], Ok(Some("a key")));
        check(&Auth::Oracle, giver, &[], Ok(None));
        for missing in 0..all.len() {
            let rest: Vec<_> =
                all.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, one)| *one).collect();
            check(&Auth::Oracle, giver, &rest, Err(&[all[missing].0, "is missing"]));
        }
        let locked = [&all[..], &[("oracle_key_passphrase", "SECRET")]].concat();
        check(&Auth::Oracle, giver, &locked, Err(&["oracle_key_passphrase", "without one"]));
        let wrong = [&all[1..], &[("oracle_tenancy", "a\",keyId=\"b")]].concat();
        check(&Auth::Oracle, giver, &wrong, Err(&["oracle_tenancy", "as the console shows it"]));
    }
    let Ok(Some(Source::Oracle(source))) = sources(&Auth::Oracle, Giver::Client, &all) else {
        panic!("another source")
    };
    assert_eq!(source.key_id, "ocid1.tenancy.oc1..a/ocid1.user.oc1..b/20:3b:97");
    assert_eq!(source.private_key.expose(), "SECRET\nSECRET");
}

const KEY_FILE: &str = r#"{"type":"service_account","client_email":"a@p.iam.gserviceaccount.com","private_key_id":"1",
    "private_key":"-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n","project_id":"p",
    "token_uri":"https://oauth2.googleapis.com/token"}"#;

#[test]
fn google_by_who_gives_what() {
    use Giver::{Client, Operator};
    let json = |text| ("vertex_service_account_json", text);
    let user =
        r#"{"type":"authorized_user","client_id":"i","client_secret":"SECRET","refresh_token":"SECRET"}"#;
    for giver in BOTH {
        let account = "the service account a@p.iam.gserviceaccount.com";
        check(&Auth::Google, giver, &[json(KEY_FILE)], Ok(Some(account)));
        check(&Auth::Google, giver, &[json(KEY_FILE), ("api_key", "any")], Ok(Some(account)));
        check(&Auth::Google, giver, &[("api_key", "ya29.x")], Ok(Some("a key")));
        check(&Auth::Google, giver, &[json(user)], Ok(Some("a user who signed in to Google")));
        let by = "the service account b@p.iam.gserviceaccount.com by the service account a@p.iam.gserviceaccount.com";
        let other = ("vertex_impersonate_service_account", "b@p.iam.gserviceaccount.com");
        check(&Auth::Google, giver, &[json(KEY_FILE), other], Ok(Some(by)));
    }
    check(&Auth::Google, Operator, &[], Ok(Some("Google's credentials of this machine")));
    check(&Auth::Google, Client, &[], Ok(None));
    let external = r#"{"type":"external_account","audience":"a","subject_token_type":"t","token_url":"https://sts.googleapis.com/v1/token",
        "credential_source":{"file":"/var/token"}}"#;
    check(&Auth::Google, Operator, &[json(external)], Ok(Some("Google's workload identity federation")));
    let impersonated = format!(
        r#"{{"type":"impersonated_service_account","service_account_impersonation_url":"https://x","source_credentials":{user}}}"#
    );
    check(&Auth::Google, Operator, &[json(&impersonated)], Ok(Some("an impersonated service account")));
    for text in [external, &impersonated] {
        check(&Auth::Google, Client, &[json(text)], Err(&["vertex_service_account_json", "operator"]));
    }
}

#[test]
fn google_with_what_is_none() {
    const JSON: &str = "vertex_service_account_json";
    for giver in BOTH {
        let wrong = |json: &str, word: &str| check(&Auth::Google, giver, &[(JSON, json)], Err(&[JSON, word]));
        wrong("{", "JSON");
        wrong("{}", "`type`");
        wrong(r#"{"type":"gdch_service_account"}"#, "has a `type`");
        wrong(&KEY_FILE.replace("client_email", "email"), "`client_email`");
        wrong(&KEY_FILE.replace("PRIVATE KEY", "CERTIFICATE"), "PEM");
        let name = "vertex_impersonate_service_account";
        check(&Auth::Google, giver, &[(JSON, KEY_FILE), (name, "b/../c@p")], Err(&[name]));
        check(&Auth::Google, giver, &[("api_key", "t"), (name, "b@p.iam")], Err(&[JSON, name]));
    }
    let elsewhere = KEY_FILE.replace("oauth2.googleapis.com", "169.254.169.254");
    check(&Auth::Google, Giver::Client, &[(JSON, &elsewhere)], Err(&[JSON, "token_uri"]));
    let expected = "the service account a@p.iam.gserviceaccount.com";
    check(&Auth::Google, Giver::Operator, &[(JSON, &elsewhere)], Ok(Some(expected)));
    let nested = (0..9).fold(KEY_FILE.to_owned(), |inner, _| {
        format!(
            r#"{{"type":"impersonated_service_account","service_account_impersonation_url":"x","source_credentials":{inner}}}"#
        )
    });
    check(&Auth::Google, Giver::Operator, &[(JSON, &nested)], Err(&[JSON, "deep"]));
}

#[test]
fn google_says_which_project() {
    let source = sources(&Auth::Google, Giver::Client, &[("vertex_service_account_json", KEY_FILE)]);
    let Ok(Some(Source::Google(source))) = source else { panic!("{source:?}") };
    assert_eq!(source.project_id(), Some("p"));
}

#[test]
fn azure_by_who_gives_what() {
    use Giver::{Client, Operator};
    let azure = &Auth::Azure;
    let [tenant, client, secret, certificate] = [
        ("azure_entra_tenant_id", "contoso.example"),
        ("azure_entra_client_id", "app"),
        ("azure_entra_client_secret", "SECRET"),
        ("azure_entra_client_certificate", "SECRET"),
    ];
    for giver in BOTH {
        check(azure, giver, &[("api_key", "k")], Ok(Some("a key")));
        check(azure, giver, &[("azure_ad_token", "t"), ("api_key", "k")], Ok(Some("a key")));
        let by_secret = Ok(Some("Entra's application app by its secret"));
        check(azure, giver, &[tenant, client, secret], by_secret);
        check(
            azure,
            giver,
            &[tenant, client, secret, ("azure_auth_mode", "entra"), ("api_key", "k")],
            by_secret,
        );
        let by_certificate = Ok(Some("Entra's application app by its certificate"));
        check(azure, giver, &[tenant, client, certificate], by_certificate);
        let wrong = |settings: Settings<'_>, words: &[&str]| check(azure, giver, settings, Err(words));
        wrong(&[("azure_auth_mode", "entra")], &["azure_entra_tenant_id", "azure_entra_client_secret"]);
        wrong(&[tenant, secret], &["azure_entra_client_id", "missing"]);
        wrong(&[tenant, client, ("api_key", "k")], &["azure_entra_client_secret", "missing"]);
        wrong(
            &[tenant, client, secret, certificate],
            &["azure_entra_client_certificate", "azure_entra_client_secret"],
        );
        wrong(&[("azure_entra_tenant_id", "a/../b"), client, secret], &["azure_entra_tenant_id"]);
        wrong(&[("azure_auth_mode", "magic")], &["azure_auth_mode", "entra", "managed", "workload"]);
    }
    check(azure, Client, &[], Ok(None));
    check(azure, Operator, &[], Ok(Some("Azure's credentials of this machine")));
    for (mode, expected) in
        [("managed", "Azure's managed identity of this machine"), ("workload", "Azure's workload identity")]
    {
        check(azure, Operator, &[("azure_auth_mode", mode), ("api_key", "k")], Ok(Some(expected)));
        check(azure, Client, &[("azure_auth_mode", mode)], Err(&["azure_auth_mode", "operator"]));
    }
    let one = [("azure_auth_mode", "managed"), ("azure_managed_client_id", "c")];
    check(azure, Operator, &one, Ok(Some("Azure's managed identity c")));
}

const NAMES: [&str; 23] = [
    "api_key",
    "aws_access_key_id",
    "aws_auth_type",
    "aws_external_id",
    "aws_profile",
    "aws_region",
    "aws_role_arn",
    "aws_role_session_name",
    "aws_secret_access_key",
    "aws_session_tags",
    "aws_session_token",
    "azure_ad_token",
    "azure_auth_mode",
    "azure_entra_client_certificate",
    "azure_entra_client_id",
    "azure_entra_client_secret",
    "azure_entra_scope",
    "azure_entra_tenant_id",
    "azure_managed_client_id",
    "azure_workload_client_id",
    "vertex_impersonate_service_account",
    "vertex_project_id",
    "vertex_service_account_json",
];
const VALUES: [&str; 13] = [
    "SECRET",
    "",
    " ",
    "assumedRole",
    "apiKey",
    "entra",
    "managed",
    "workload",
    "contoso.example",
    "b@p.iam.gserviceaccount.com",
    r#"{"team":"SECRET"}"#,
    ROLE.1,
    KEY_FILE,
];
/// Settings whose values are secret.
const SECRETS: [&str; 8] = [
    "api_key",
    "aws_secret_access_key",
    "aws_session_tags",
    "aws_session_token",
    "azure_ad_token",
    "azure_entra_client_certificate",
    "azure_entra_client_secret",
    "vertex_service_account_json",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 4096, ..Default::default() })]

    /// Whatever a client sends, nothing of the machine's is meant, and no secret is told.
    #[test]
    fn whatever_is_given(given in proptest::collection::vec((0..NAMES.len(), 0..VALUES.len()), 0..8), which in 0..4_usize) {
        let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (NAMES[*name], VALUES[*value])).collect();
        // No secret in its own place, and none where somebody put it by mistake.
        let settings: Vec<(&str, &str)> = given
            .iter()
            .copied()
            .map(|(name, value)| (name, if value.contains("SECRET") && !SECRETS.contains(&name) { "plain" } else { value }))
            .collect();
        let auth = [aws(), Auth::Google, Auth::Azure, Auth::Bearer][which].clone();
        let of_client = sources(&auth, Giver::Client, &settings);
        if let Ok(Some(source)) = &of_client {
            proptest::prop_assert!(!source.uses_machine(), "{settings:?}");
        }
        for giver in BOTH {
            if let Err(problem) = sources(&auth, giver, &given) {
                proptest::prop_assert!(!problem.message.contains("SECRET"), "{given:?}: {problem:?}");
            }
        }
        for got in [of_client, sources(&auth, Giver::Operator, &settings)] {
            proptest::prop_assert!(!format!("{got:?}").contains("SECRET"), "{settings:?}: {got:?}");
        }
    }
}

#[test]
fn others_take_keys_alone() {
    for auth in [Auth::Bearer, Auth::Header("x-api-key".into())] {
        check(&auth, Giver::Client, &[ID, SECRET, ("api_key", "k")], Ok(Some("a key")));
        check(&auth, Giver::Operator, &[ID, SECRET], Ok(None));
    }
}

#[test]
fn sources_with_the_same_secrets_are_the_same() {
    let hash = |settings: Settings<'_>| {
        let mut hasher = DefaultHasher::new();
        sources(&aws(), Giver::Client, settings).unwrap().unwrap().hash(&mut hasher);
        hasher.finish()
    };
    let base = [ID, SECRET, ROLE];
    assert_eq!(hash(&base), hash(&base));
    assert_ne!(hash(&base), hash(&[ID, ("aws_secret_access_key", "other"), ROLE]));
    assert_ne!(hash(&base), hash(&[ID, SECRET]));
    assert_ne!(hash(&base), hash(&[ID, SECRET, ROLE, ("aws_external_id", "x")]));
}
