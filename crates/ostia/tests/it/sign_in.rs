//! Signing in at clouds: whose credentials count, what is sent with them, and what never is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::{gemini, openai};
use ostia_testkit::{Answer, Request, Step, Upstream};
use serde_json::json;

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, Reply};

const CHAT: &str = r#"{"model":"amazon.nova-lite-v1:0","messages":[{"role":"user","content":"x"}]}"#;
const CONVERSE: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn",
    "usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}"#;

fn ask(provider: &str) -> Ask {
    Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", provider)
}

fn authorization(request: &Request) -> String {
    request.header("authorization").unwrap_or_default()
}

#[track_caller]
fn refused(reply: &Reply, status: u16, words: &[&str]) {
    assert_eq!(reply.status, status, "{}", reply.text());
    for word in words {
        assert!(reply.text().contains(word), "{word}: {}", reply.text());
    }
}

/// Bedrock at this upstream, with these further lines of its entry.
fn bedrock(upstream: &Upstream, more: &str) -> String {
    format!("providers:\n  bedrock:\n    base_url: '{}'\n{more}", upstream.url())
}

#[test]
fn a_request_is_signed_with_the_clients_keys_of_aws() {
    let upstream = Upstream::always(Answer::json(CONVERSE));
    let gateway = Gateway::with(&bedrock(&upstream, ""));
    let keys = |ask: Ask| {
        let ask = ask.header("x-portkey-aws-access-key-id", "AKIDCLIENT");
        ask.header("x-portkey-aws-secret-access-key", "of-the-client")
            .header("x-portkey-aws-region", "eu-west-1")
    };
    assert_eq!(keys(ask("bedrock")).to(&gateway).status, 200);
    let seen = upstream.last();
    assert_eq!(seen.target, "/model/amazon.nova-lite-v1%3A0/converse");
    let signature = authorization(&seen);
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDCLIENT/"), "{signature}");
    assert!(signature.contains("/eu-west-1/bedrock/aws4_request"), "{signature}");
    assert!(!format!("{seen:?}").contains("of-the-client"), "the secret never travels");
    let with_token = keys(ask("bedrock")).header("x-ostia-aws-session-token", "session");
    assert_eq!(with_token.to(&gateway).status, 200);
    assert_eq!(upstream.last().header("x-amz-security-token").as_deref(), Some("session"));
    let half = ask("bedrock").header("x-ostia-aws-access-key-id", "AKIDCLIENT").to(&gateway);
    refused(&half, 400, &["aws_secret_access_key"]);
}

/// Claude Platform on AWS: by AWS's keys, with the workspace, or by a key in Anthropic's header.
#[test]
fn a_service_of_aws_may_have_a_header_for_keys() {
    let answer = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],
        "stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let upstream = Upstream::always(Answer::json(answer));
    let gateway = Gateway::with(&format!(
        "providers:\n  claude-platform-aws:\n    base_url: '{}'\n    settings: {{anthropic_workspace_id: wrkspc_1}}\n",
        upstream.url()
    ));
    let body = r#"{"model":"claude-sonnet-4-6","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    let ask = || Ask::post("/v1/messages", body).header("x-ostia-provider", "claude-platform-aws");
    let keys = ask().header("x-ostia-aws-access-key-id", "AKIDCLIENT");
    let reply = keys
        .header("x-ostia-aws-secret-access-key", "of-the-client")
        .header("x-ostia-aws-region", "us-west-2")
        .to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = upstream.last();
    let signature = authorization(&seen);
    assert!(signature.contains("/us-west-2/aws-external-anthropic/aws4_request"), "{signature}");
    assert_eq!(seen.header("anthropic-workspace-id").as_deref(), Some("wrkspc_1"));
    assert_eq!(ask().header("x-api-key", "sk-client").to(&gateway).status, 200);
    let seen = upstream.last();
    assert_eq!(
        (seen.header("x-api-key").as_deref(), seen.header("authorization")),
        (Some("sk-client"), None)
    );
}

#[test]
fn a_bedrock_key_goes_as_a_bearer() {
    let upstream = Upstream::always(Answer::json(CONVERSE));
    let gateway = Gateway::with(&bedrock(&upstream, "    api_key: of-the-operator\n"));
    assert_eq!(ask("bedrock").to(&gateway).status, 200);
    assert_eq!(authorization(&upstream.last()), "Bearer of-the-operator");
    assert_eq!(ask("bedrock").header("authorization", "Bearer of-the-client").to(&gateway).status, 200);
    assert_eq!(authorization(&upstream.last()), "Bearer of-the-client");
}

#[test]
fn the_operators_credentials_stay_with_the_operators_hosts() {
    let upstream = Upstream::always(Answer::json(CONVERSE));
    let lines = "    credentials: {aws_access_key_id: AKIDOPERATOR, aws_secret_access_key: '${SECRET}'}\n";
    let config = format!("auth: {{keys: [gateway-key]}}\n{}", bedrock(&upstream, lines));
    let setup = || Setup::new().config(&config).env("SECRET", "of-the-operator");
    let gateway = setup().start();
    let ask = || ask("bedrock").header("x-ostia-api-key", "gateway-key");
    assert_eq!(ask().to(&gateway).status, 200);
    assert!(authorization(&upstream.last()).contains("Credential=AKIDOPERATOR/"));
    // A client's own come before them.
    let own =
        ask().header("x-ostia-aws-access-key-id", "AKIDCLIENT").header("x-ostia-aws-secret-access-key", "s");
    assert_eq!(own.to(&gateway).status, 200);
    assert!(authorization(&upstream.last()).contains("Credential=AKIDCLIENT/"));
    // Another host is the client's, whatever it says of the region.
    let other = Upstream::always(Answer::json(CONVERSE));
    assert_eq!(ask().header("x-ostia-custom-host", &other.url()).to(&gateway).status, 200);
    assert_eq!(other.last().header("authorization"), None);
    let machines = ask().header("x-ostia-aws-profile", "default").to(&gateway);
    refused(&machines, 400, &["aws_profile", "operator"]);
    let printed = gateway.end();
    assert!(printed.contains("400 POST") && !printed.contains("of-the-operator"), "{printed}");
}

#[test]
fn what_the_machine_has_is_for_whoever_the_operator_named() {
    let upstream = Upstream::always(Answer::json(CONVERSE));
    let machine = |config: &str| {
        let setup = Setup::new().config(config).env("AWS_ACCESS_KEY_ID", "AKIDMACHINE");
        setup.env("AWS_SECRET_ACCESS_KEY", "of-the-machine").env("AWS_EC2_METADATA_DISABLED", "true").start()
    };
    let named = machine(&format!("auth: {{keys: [k]}}\n{}", bedrock(&upstream, "")));
    let asked = || ask("bedrock").header("x-ostia-api-key", "k");
    assert_eq!(asked().to(&named).status, 200);
    assert!(authorization(&upstream.last()).contains("Credential=AKIDMACHINE/"));
    let other = Upstream::always(Answer::json(CONVERSE));
    assert_eq!(asked().header("x-ostia-custom-host", &other.url()).to(&named).status, 200);
    assert_eq!(other.last().header("authorization"), None);
    // Nobody named it, and clients are not the operator.
    let reply = asked().to(&machine("auth: {keys: [k]}\n"));
    refused(&reply, 401, &["bedrock"]);
}

#[test]
fn a_token_of_entra_is_fetched_once_and_shown() {
    let upstream = Upstream::serve(|request| match request.target.contains("/oauth2/") {
        true => Answer::json(r#"{"token_type":"Bearer","expires_in":3600,"access_token":"token-of-entra"}"#),
        false => Answer::json(openai::chat("x")),
    });
    let config = format!(
        "providers:\n  azure-openai:\n    base_url: '{}/openai'\n    credentials: {{azure_entra_tenant_id: tenant, \
         azure_entra_client_id: app, azure_entra_client_secret: '${{SECRET}}'}}\n",
        upstream.url()
    );
    let setup = Setup::new().config(&config).env("SECRET", "secretOfTheApp");
    let gateway = setup.env("AZURE_AUTHORITY_HOST", &upstream.url()).start();
    for _ in 0..3 {
        let reply = ask("azure-openai").to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(authorization(&upstream.last()), "Bearer token-of-entra");
    }
    let all = upstream.requests();
    let fetched: Vec<_> = all.iter().filter(|request| request.target.contains("/oauth2/")).collect();
    assert_eq!((all.len(), fetched.len()), (4, 1));
    assert!(fetched[0].target.starts_with("/tenant/") && fetched[0].text().contains("secretOfTheApp"));
    assert!(
        all.iter()
            .filter(|request| !request.target.contains("/oauth2/"))
            .all(|request| { !format!("{request:?}").contains("secretOfTheApp") })
    );
}

/// Requests as fast as eight clients can send them, for seconds around the end of a credential.
#[test]
fn a_credential_ends_while_clients_ask() {
    const CLIENTS: usize = 8;
    const LIFE_S: u64 = 4;
    let upstream = Upstream::serve(|request| match request.target.contains("/oauth2/") {
        true => {
            static FETCHED: AtomicUsize = AtomicUsize::new(0);
            let (name, life) = match FETCHED.fetch_add(1, Ordering::SeqCst) {
                0 => ("first", LIFE_S),
                _ => ("second", 3600),
            };
            let token = json!({"token_type": "Bearer", "expires_in": life, "access_token": name});
            Answer::json(token.to_string()).first(Step::Pause(Duration::from_millis(150)))
        }
        false => Answer::json(openai::chat("x")),
    });
    let config = format!(
        "providers:\n  azure-openai:\n    base_url: '{}/openai'\n    credentials: {{azure_entra_tenant_id: tenant, \
         azure_entra_client_id: app, azure_entra_client_secret: s}}\n",
        upstream.url()
    );
    let gateway = Setup::new().config(&config).env("AZURE_AUTHORITY_HOST", &upstream.url()).start();
    assert_eq!(ask("azure-openai").to(&gateway).status, 200);
    let end = Instant::now() + Duration::from_secs(LIFE_S + 2);
    let bytes = ask("azure-openai").bytes();
    let client = || {
        let mut open = Open::connect(&gateway);
        let mut count = 0;
        while Instant::now() < end {
            open.send(&bytes);
            let reply = open.next();
            assert_eq!(reply.status, 200, "{}", reply.text());
            count += 1;
        }
        count
    };
    let count: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    let all = upstream.requests();
    let (fetched, asked): (Vec<_>, Vec<_>) =
        all.iter().partition(|request| request.target.contains("/oauth2/"));
    assert_eq!((fetched.len(), asked.len()), (2, count + 1), "one refresh");
    let shown = |token: &str| asked.iter().filter(|request| authorization(request) == token).count();
    let (first, second) = (shown("Bearer first"), shown("Bearer second"));
    assert!(first > CLIENTS && second > CLIENTS && first + second == asked.len(), "{first} and {second}");
}

#[test]
fn google_s_metadata_service_is_asked_where_the_operator_named_the_provider() {
    let upstream = Upstream::serve(|request| match request.target.contains("/computeMetadata/") {
        true => Answer::json(r#"{"access_token":"token-of-google","expires_in":3599,"token_type":"Bearer"}"#)
            .header("metadata-flavor", "Google"),
        false => Answer::json(gemini::generate("x")),
    });
    let host = upstream.address().to_string();
    let config = format!(
        "providers:\n  vertex-ai:\n    base_url: '{}'\n    settings: {{vertex_project_id: p}}\n",
        upstream.url()
    );
    let setup = Setup::new().config(&config).env("GCE_METADATA_HOST", &host).env("HOME", "/nowhere");
    let reply = ask("vertex-ai").to(&setup.start());
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(authorization(&upstream.last()), "Bearer token-of-google");
}

#[test]
fn a_credential_that_cannot_be_had_is_told() {
    let upstream = Upstream::serve(|request| match request.target.contains("/oauth2/") {
        true => {
            Answer::json(json!({"error": "invalid_client", "error_description": "AADSTS7000215"}).to_string())
                .status(401)
        }
        false => Answer::json(openai::chat("x")),
    });
    let config = format!(
        "auth: {{keys: [k]}}\nproviders:\n  azure-openai:\n    base_url: '{}/openai'\n    credentials: \
         {{azure_entra_tenant_id: tenant, azure_entra_client_id: app, azure_entra_client_secret: secret-of-the-app}}\n",
        upstream.url()
    );
    let gateway = Setup::new().config(&config).env("AZURE_AUTHORITY_HOST", &upstream.url()).start();
    let reply = ask("azure-openai").header("x-ostia-api-key", "k").to(&gateway);
    refused(&reply, 401, &["credential_unavailable", "Tell whoever runs this gateway"]);
    assert!(!reply.text().contains("secret-of-the-app") && !reply.text().contains("tenant"));
}

#[test]
fn what_the_file_says_of_credentials_is_checked() {
    let check = |lines: &str, words: &[&str]| {
        let output = Setup::new().config(&format!("providers:\n  {lines}\n")).arg("check").run();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{lines}: {said}");
        for word in words {
            assert!(said.contains(word), "{lines}: {word}: {said}");
        }
        assert!(!said.contains("SECRET"), "{said}");
    };
    check("bedrock: {credentials: {aws_secret_access_key: SECRET}}", &["aws_access_key_id"]);
    check(
        "bedrock: {credentials: {aws_secret_acces_key: SECRET}}",
        &["did you mean `aws_secret_access_key`"],
    );
    check("openai: {credentials: {aws_access_key_id: SECRET}}", &["api_key"]);
    check("azure-openai: {credentials: {azure_auth_mode: magic}}", &["entra, managed or workload"]);
}
