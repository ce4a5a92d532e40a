#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::{PathRow, Providers, Row};

fn one(path: &str) -> PathRow {
    PathRow::One(path.to_owned())
}

/// Provider, API and model, and the URL; a trailing `+` on the API asks for a stream.
const GOLDEN: [(&str, &str, &str, &str); 47] = [
    ("openai", "openai_chat", "gpt", "https://api.openai.com/v1/chat/completions"),
    ("openai", "openai_responses", "gpt", "https://api.openai.com/v1/responses"),
    ("openai", "openai_image_edits", "gpt", "https://api.openai.com/v1/images/edits"),
    ("openai", "openai_speech", "tts", "https://api.openai.com/v1/audio/speech"),
    ("openai", "openai_fine_tunes", "", "https://api.openai.com/v1/fine_tuning/jobs"),
    ("anthropic", "anthropic_messages+", "claude", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "anthropic_count_tokens", "claude", "https://api.anthropic.com/v1/messages/count_tokens"),
    (
        "google",
        "gemini_generate",
        "gemini-2.5-flash",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
    ),
    (
        "gemini",
        "gemini_generate+",
        "models/gemini-2.5-flash",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    ),
    (
        "google",
        "gemini_generate",
        "tunedModels/mine",
        "https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:generateContent",
    ),
    (
        "google",
        "gemini_embed",
        "a/../b?c",
        "https://generativelanguage.googleapis.com/v1beta/models/a%2F..%2Fb%3Fc:embedContent",
    ),
    (
        "google",
        "gemini_batch_embed",
        "e",
        "https://generativelanguage.googleapis.com/v1beta/models/e:batchEmbedContents",
    ),
    ("cohere", "cohere_chat", "command", "https://api.cohere.com/v2/chat"),
    ("cohere", "cohere_embed", "embed", "https://api.cohere.com/v2/embed"),
    ("cohere", "cohere_rerank", "rerank", "https://api.cohere.com/v2/rerank"),
    ("mistral", "openai_chat", "m", "https://api.mistral.ai/v1/chat/completions"),
    ("openrouter", "openai_chat", "a/b", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "anthropic_messages", "a/b", "https://openrouter.ai/api/v1/messages"),
    ("deepseek", "openai_chat", "d", "https://api.deepseek.com/v1/chat/completions"),
    ("deepseek", "openai_responses", "d", "https://api.deepseek.com/responses"),
    ("deepseek", "anthropic_messages", "d", "https://api.deepseek.com/anthropic/v1/messages"),
    ("xai", "openai_responses", "grok", "https://api.x.ai/v1/responses"),
    ("groq", "openai_chat+", "l", "https://api.groq.com/openai/v1/chat/completions"),
    ("together-ai", "openai_chat", "l", "https://api.together.xyz/v1/chat/completions"),
    ("together", "together_images", "flux", "https://api.together.xyz/v1/images/generations"),
    ("fireworks-ai", "openai_chat", "f", "https://api.fireworks.ai/inference/v1/chat/completions"),
    ("perplexity-ai", "openai_chat", "sonar", "https://api.perplexity.ai/chat/completions"),
    ("perplexity-ai", "openai_embeddings", "p", "https://api.perplexity.ai/v1/embeddings"),
    ("cerebras", "openai_chat", "l", "https://api.cerebras.ai/v1/chat/completions"),
    ("sambanova", "openai_chat", "l", "https://api.sambanova.ai/v1/chat/completions"),
    ("hyperbolic", "openai_chat", "l", "https://api.hyperbolic.xyz/v1/chat/completions"),
    ("novita-ai", "openai_chat", "l", "https://api.novita.ai/openai/v1/chat/completions"),
    ("moonshot", "openai_chat", "k", "https://api.moonshot.cn/v1/chat/completions"),
    ("kimi", "anthropic_messages", "k", "https://api.moonshot.ai/anthropic/v1/messages"),
    ("z-ai", "openai_chat", "glm", "https://api.z.ai/api/paas/v4/chat/completions"),
    (
        "dashscope",
        "openai_chat",
        "q",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions",
    ),
    ("huggingface", "openai_chat", "a/b", "https://router.huggingface.co/v1/chat/completions"),
    ("github", "openai_embeddings", "e", "https://models.github.ai/inference/embeddings"),
    ("lepton", "openai_completions", "l", "https://api.lepton.ai/api/v1/completions"),
    ("bytez", "openai_chat", "b", "https://api.bytez.com/models/v2/openai/v1/chat/completions"),
    ("writer", "openai_chat", "palmyra", "https://api.writer.com/v1/chat"),
    ("voyage", "voyage_rerank", "r", "https://api.voyageai.com/v1/rerank"),
    ("llamacpp", "jina_rerank", "r", "http://localhost:8080/v1/rerank"),
    ("ollama", "openai_chat", "o", "http://localhost:11434/v1/chat/completions"),
    ("ollama", "ollama_chat", "o", "http://localhost:11434/api/chat"),
    ("ollama-cloud", "ollama_chat", "o", "https://ollama.com/api/chat"),
    ("litellm", "anthropic_messages", "l", "http://localhost:4000/v1/messages"),
];

fn provider(id: &str) -> &'static Provider {
    Providers::builtin().get(id).unwrap_or_else(|| panic!("no provider {id}"))
}

fn check(id: &str, api: &str, model: &str, custom_host: Option<&str>, want: Option<&str>) {
    let (name, stream) = api.strip_suffix('+').map_or((api, false), |name| (name, true));
    let api = Api::from_name(name).unwrap();
    assert!(provider(id).offers(api), "{id} does not offer {name}");
    assert_eq!(url(provider(id), custom_host, api, model, stream).as_deref(), want, "{id} {name} {model}");
}

/// The URL of this API, as the gateway puts it together: a custom host takes the place of the base URL.
fn url(
    provider: &Provider,
    custom_host: Option<&str>,
    api: Api,
    model: &str,
    stream: bool,
) -> Option<String> {
    let base = custom_host.or(provider.base_url.as_deref())?.trim_end_matches('/');
    Some(format!("{base}{}", path_of(provider, &Values::default(), api, model, stream)))
}

#[test]
fn endpoints_of_providers() {
    for (id, api, model, want) in GOLDEN {
        check(id, api, model, None, Some(want));
    }
}

#[test]
fn a_custom_host_takes_the_place_of_the_base_alone() {
    let cases = [
        ("openai", "openai_chat", "http://h:1/v1", "http://h:1/v1/chat/completions"),
        ("openai", "openai_chat", "http://h:1/v1/", "http://h:1/v1/chat/completions"),
        ("together-ai", "openai_chat", "http://h:1", "http://h:1/v1/chat/completions"),
        ("together-ai", "jina_rerank", "http://h:1", "http://h:1/v1/rerank"),
        ("deepseek", "openai_chat", "http://h:1", "http://h:1/v1/chat/completions"),
        ("openrouter", "openai_chat", "http://h:1/api", "http://h:1/api/v1/chat/completions"),
        ("novita-ai", "openai_chat", "http://h:1/v3/openai", "http://h:1/v3/openai/v1/chat/completions"),
        ("anthropic", "anthropic_messages", "http://h:1/v1", "http://h:1/v1/messages"),
        ("cohere", "cohere_chat", "http://h:1", "http://h:1/v2/chat"),
        ("ollama", "openai_chat", "http://h:1", "http://h:1/v1/chat/completions"),
        ("ollama", "ollama_chat", "http://h:1", "http://h:1/api/chat"),
        ("modal", "openai_chat", "http://h:1/v1", "http://h:1/v1/chat/completions"),
        ("snowflake", "openai_chat", "http://h:1/api/v2", "http://h:1/api/v2/cortex/v1/chat/completions"),
        ("databricks", "openai_chat", "http://h:1", "http://h:1/serving-endpoints/chat/completions"),
    ];
    for (id, api, host, want) in cases {
        check(id, api, "m", Some(host), Some(want));
    }
    check("modal", "openai_chat", "m", None, None);
}

#[test]
fn an_own_path_may_hold_the_model() {
    let row = Row {
        base_url: Some("https://h/".into()),
        prefix: "/v1".into(),
        dialects: vec!["openai_chat".into(), "openai_images".into()],
        paths: [("openai_images".into(), one("/{model}/draw"))].into(),
        ..Row::default()
    };
    let provider = Provider::from_row("mine", row).unwrap();
    let at = |api| url(&provider, None, api, "org/m 1", false).unwrap();
    assert_eq!(at(Api::OpenaiImages), "https://h/org%2Fm%201/draw");
    assert_eq!(at(Api::OpenaiChat), "https://h/v1/chat/completions");
}

#[test]
fn a_query_goes_behind_what_is_there() {
    assert_eq!(with_query("https://h/p".into(), ""), "https://h/p");
    assert_eq!(with_query("https://h/p".into(), "key=1"), "https://h/p?key=1");
    assert_eq!(with_query("https://h/p?alt=sse".into(), "key=1"), "https://h/p?alt=sse&key=1");
}

#[test]
fn calls_that_are_handed_on_unread() {
    for (id, client, want) in [
        ("openai", "/v1/files/f-1/content", "https://api.openai.com/v1/files/f-1/content"),
        ("openai", "/v1/models", "https://api.openai.com/v1/models"),
        ("openai", "/v1/proxy/models", "https://api.openai.com/v1/models"),
        ("openai", "/v1/proxyx/a", "https://api.openai.com/v1/proxyx/a"),
        ("anthropic", "/v1/models", "https://api.anthropic.com/v1/models"),
        (
            "anthropic",
            "/v1/messages/batches/b/results",
            "https://api.anthropic.com/v1/messages/batches/b/results",
        ),
        ("google", "/v1beta/models", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("google", "/v1beta/files/f-1", "https://generativelanguage.googleapis.com/v1beta/files/f-1"),
        ("google", "/upload/v1beta/files", "https://generativelanguage.googleapis.com/upload/v1beta/files"),
        ("google", "/v1/models", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("google", "/v1/models/m", "https://generativelanguage.googleapis.com/v1beta/models/m"),
        ("google", "/v1/proxy/v1/models", "https://generativelanguage.googleapis.com/v1/models"),
        ("google", "/v1/proxy/v1beta/models", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("cohere", "/v1/models", "https://api.cohere.com/v1/models"),
        ("cohere", "/v1/models/command", "https://api.cohere.com/v1/models/command"),
        ("cohere", "/v1/tokenize", "https://api.cohere.com/v1/tokenize"),
        ("cohere", "/v1/proxy/v2/rerank", "https://api.cohere.com/v2/rerank"),
        ("cohere", "/v1/reranks", "https://api.cohere.com/v1/reranks"),
        ("jina", "/v1/rerank", "https://api.jina.ai/v1/rerank"),
        ("jina", "/v1/classify", "https://api.jina.ai/v1/classify"),
        ("writer", "/v1/chat/completions", "https://api.writer.com/v1/chat"),
        ("writer", "/v1/models", "https://api.writer.com/v1/models"),
        ("deepseek", "/v1/models", "https://api.deepseek.com/models"),
        ("deepseek", "/v1/chat/completions/c-1", "https://api.deepseek.com/v1/chat/completions/c-1"),
        ("perplexity-ai", "/v1/search", "https://api.perplexity.ai/search"),
        ("moonshot", "/v1/files/f-1", "https://api.moonshot.cn/v1/files/f-1"),
        ("groq", "/v1/audio/translations", "https://api.groq.com/openai/v1/audio/translations"),
        ("deepinfra", "/v1/models", "https://api.deepinfra.com/v1/openai/models"),
        ("stability-ai", "/v1/user/balance", "https://api.stability.ai/v1/user/balance"),
        (
            "stability-ai",
            "/v1/proxy/v2beta/stable-image/generate/core",
            "https://api.stability.ai/v2beta/stable-image/generate/core",
        ),
        ("deepgram", "/v1/listen", "https://api.deepgram.com/v1/listen"),
        ("ollama", "/v1/models", "http://localhost:11434/v1/models"),
        ("ollama", "/v1/proxy/api/tags", "http://localhost:11434/api/tags"),
        ("ollama", "/v1/proxy/apis", "http://localhost:11434/v1/apis"),
        ("vllm", "/v1/tokenize", "http://localhost:8000/tokenize"),
        ("bytez", "/v1/models", "https://api.bytez.com/models/v2/openai/v1/models"),
        ("bytez", "/v1/proxy/models/v2/org/m", "https://api.bytez.com/models/v2/org/m"),
    ] {
        let provider = provider(id);
        let Passed { prefix, path, .. } = path_of_passed(provider, &Values::default(), client, None);
        let base = provider.base_url.as_deref().unwrap();
        assert_eq!(format!("{base}{prefix}{path}"), want, "{id} {client}");
    }
}

#[test]
fn own_paths_that_hold_more_than_segments() {
    let row = Row {
        base_url: Some("https://h".into()),
        prefix: "/v1".into(),
        dialects: vec!["openai_images".into(), "openai_files".into(), "openai_batches".into()],
        paths: [
            ("openai_images".into(), one("/{model}/draw")),
            ("openai_files".into(), one("/all/files")),
            ("openai_batches".into(), one("/jobs?kind=batch")),
        ]
        .into(),
        ..Row::default()
    };
    let provider = Provider::from_row("mine", row).unwrap();
    for (client, prefix, path) in [
        ("/v1/images/generations", "/v1", "/images/generations"),
        ("/v1/files", "", "/all/files"),
        ("/v1/files/f-1/content", "", "/all/files/f-1/content"),
        ("/v1/batches", "", "/jobs?kind=batch"),
        ("/v1/batches/b-1", "", "/jobs/b-1?kind=batch"),
    ] {
        assert_eq!(
            path_of_passed(&provider, &Values::default(), client, None),
            Passed { prefix, path: path.into(), names_model: false },
            "{client}"
        );
    }
}

/// Settings, model and API (a trailing `+` asks for a stream), and the URL that a cloud has for them.
#[test]
fn clouds_have_a_place_for_each_customer_and_model() {
    let check = |id: &str, settings: &[(&str, &str)], model: &str, api: &str, want: &str| {
        let mut values = Values::default();
        settings.iter().for_each(|(name, value)| values.insert(name, value));
        for (name, setting) in &provider(id).settings {
            if let Some(default) = setting.default.as_deref().filter(|_| values.get(name).is_none()) {
                values.insert(name, default);
            }
        }
        let (name, stream) = api.strip_suffix('+').map_or((api, false), |name| (name, true));
        let (provider, own) = provider(id).for_model(model, &values);
        let api = Api::from_name(name).unwrap();
        assert!(provider.offers(api), "{id} does not offer {name} for {model}");
        let path = path_of(provider, &values, api, own.as_deref().unwrap_or(model), stream);
        let base = provider.base_url_with(&values).unwrap();
        assert_eq!(format!("{base}{path}"), want, "{id} {settings:?} {model}");
    };
    let azure = [("resource_name", "res"), ("deployment_id", "my gpt"), ("api_version", "2024-10-21")];
    check(
        "azure",
        &azure[..2],
        "gpt-5",
        "openai_chat",
        "https://res.openai.azure.com/openai/v1/chat/completions",
    );
    check(
        "azure-openai",
        &azure,
        "gpt-5",
        "openai_chat+",
        "https://res.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
    );
    check(
        "azure-openai",
        &[azure[0], azure[2]],
        "gpt-5",
        "openai_embeddings",
        "https://res.openai.azure.com/openai/deployments/gpt-5/embeddings?api-version=2024-10-21",
    );
    check(
        "azure-openai",
        &azure,
        "gpt-5",
        "openai_responses",
        "https://res.openai.azure.com/openai/responses?api-version=2024-10-21",
    );
    check(
        "azure-openai",
        &[azure[0], ("api_version", "preview")],
        "gpt-5",
        "openai_responses",
        "https://res.openai.azure.com/openai/v1/responses?api-version=preview",
    );
    let foundry = [("azure_foundry_url", "https://res.services.ai.azure.com/models")];
    check(
        "azure-ai",
        &foundry,
        "grok-3",
        "openai_chat",
        "https://res.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
    );
    check(
        "azure-ai",
        &[("azure_resource_name", "res")],
        "grok-3",
        "openai_chat",
        "https://res.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
    );
    check(
        "azure-ai",
        &[("azure_resource_name", "res")],
        "claude-opus-4-5",
        "anthropic_messages+",
        "https://res.services.ai.azure.com/anthropic/v1/messages",
    );
    check(
        "azure-ai",
        &[("azure_foundry_url", "https://res.services.ai.azure.com/anthropic")],
        "my-deployment",
        "anthropic_messages",
        "https://res.services.ai.azure.com/anthropic/v1/messages",
    );
    let vertex = [("vertex_project_id", "p:1"), ("vertex_region", "europe-west4")];
    check(
        "vertex-ai",
        &vertex[..1],
        "gemini-3-pro",
        "gemini_generate+",
        "https://aiplatform.googleapis.com/v1beta1/projects/p%3A1/locations/global/publishers/google/models/gemini-3-pro:streamGenerateContent?alt=sse",
    );
    check(
        "vertex-ai",
        &vertex,
        "google.gemini-3-pro",
        "gemini_count_tokens",
        "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p%3A1/locations/europe-west4/publishers/google/models/gemini-3-pro:countTokens",
    );
    check(
        "vertex-ai",
        &[vertex[0], ("vertex_region", "eu")],
        "anthropic.claude-sonnet-4-5@20250929",
        "anthropic_messages",
        "https://aiplatform.eu.rep.googleapis.com/v1/projects/p%3A1/locations/eu/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict",
    );
    check(
        "vertex-ai",
        &vertex,
        "claude-sonnet-4-5",
        "anthropic_messages+",
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p%3A1/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5:streamRawPredict",
    );
    check(
        "vertex-ai",
        &vertex,
        "mistralai.mistral-small-2503",
        "openai_chat",
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p%3A1/locations/europe-west4/publishers/mistralai/models/mistral-small-2503:rawPredict",
    );
    check(
        "vertex-ai",
        &vertex,
        "endpoints.123",
        "openai_chat",
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p%3A1/locations/europe-west4/endpoints/123/chat/completions",
    );
    check(
        "vertex-ai",
        &vertex,
        "projects/77/locations/europe-west4/endpoints/123",
        "gemini_generate+",
        "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p%3A1/locations/europe-west4/endpoints/123:streamGenerateContent?alt=sse",
    );
    check(
        "bedrock-mantle",
        &[("aws_region", "us-west-2")],
        "openai.gpt-oss-120b",
        "openai_responses",
        "https://bedrock-mantle.us-west-2.api.aws/openai/v1/responses",
    );
    check(
        "workers-ai",
        &[("workers_ai_account_id", "abc")],
        "@cf/meta/llama",
        "openai_chat",
        "https://api.cloudflare.com/client/v4/accounts/abc/ai/v1/chat/completions",
    );
    let (_, llama) = provider("vertex-ai").for_model("meta.llama-4", &Values::default());
    assert_eq!(llama.as_deref(), Some("meta/llama-4"));
}

#[test]
fn an_older_azure_has_its_version_behind_every_path() {
    let mut values = Values::default();
    values.insert("resource_name", "res");
    values.insert("api_version", "2024-10-21");
    let at = |values: &Values, path: &str| {
        let (azure, _) = provider("azure").for_model("", values);
        let Passed { prefix, path, .. } = path_of_passed(azure, values, path, None);
        format!("{prefix}{path}")
    };
    assert_eq!(at(&values, "/v1/files/f-1/content"), "/files/f-1/content?api-version=2024-10-21");
    assert_eq!(at(&values, "/v1/audio/transcriptions"), "/audio/transcriptions");
    values.insert("deployment_id", "whisper");
    let transcriptions = "/deployments/whisper/audio/transcriptions?api-version=2024-10-21";
    assert_eq!(at(&values, "/v1/audio/transcriptions"), transcriptions);
}

#[test]
fn a_model_that_is_known_has_its_place_in_the_path() {
    let check = |version: &str, deployment: Option<&str>, expected: &str, names_model: bool| {
        let mut values = Values::default();
        values.insert("api_version", version);
        deployment.into_iter().for_each(|id| values.insert("deployment_id", id));
        let (azure, _) = provider("azure").for_model("", &values);
        let passed = path_of_passed(azure, &values, "/v1/realtime", Some("gpt-realtime"));
        assert_eq!((&*passed.path, passed.names_model), (expected, names_model), "{version}");
    };
    check("v1", None, "/v1/realtime", false);
    check("preview", None, "/v1/realtime?api-version=preview", false);
    let dated = "/realtime?api-version=2025-04-01-preview&deployment=";
    check("2025-04-01-preview", None, &format!("{dated}gpt-realtime"), true);
    check("2025-04-01-preview", Some("mine"), &format!("{dated}mine"), true);
}

#[test]
fn models_in_the_path_are_encoded_once() {
    let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let encoded = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123";
    for (model, segment) in [
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1%3A0"),
        ("us.amazon.nova-2-lite-v1:0", "us.amazon.nova-2-lite-v1%3A0"),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0", "eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        ("apac.amazon.nova-lite-v1:0", "apac.amazon.nova-lite-v1%3A0"),
        ("global.anthropic.claude-opus-4-6-v1", "global.anthropic.claude-opus-4-6-v1"),
        (profile, encoded),
        (encoded, encoded),
        ("a/../../b?c#d", "a%2F..%2F..%2Fb%3Fc%23d"),
    ] {
        assert_eq!(path(Api::BedrockConverse, model, false), format!("/model/{segment}/converse"));
        assert_eq!(path(Api::BedrockConverse, model, true), format!("/model/{segment}/converse-stream"));
    }
}

#[test]
fn tokens_are_counted_by_the_model_wherever_it_is() {
    for (model, segment) in [
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1%3A0"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        ("us-gov.anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1%3A0"),
        ("global.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"),
    ] {
        assert_eq!(path(Api::BedrockCountTokens, model, false), format!("/model/{segment}/count-tokens"));
    }
}
