//! The names of providers in the sources, and ours: those of `ostia-providers/providers.yaml`, and for who is no row there the
//! name that is usual.

/// A name in a source: how it begins the names of models there (LiteLLM alone), and our id.
type Name = (&'static str, &'static str, &'static str);

/// LiteLLM's `litellm_provider`, where our id or the beginning is not the name itself with `-` for `_`.
const LITELLM: &[Name] = &[
    ("amazon_nova", "amazon-nova/", "amazon-nova"),
    ("azure", "azure/", "azure-openai"),
    ("azure_text", "azure/", "azure-openai"),
    ("azure_ai", "azure_ai/", "azure-ai"),
    ("bedrock", "bedrock/", "bedrock"),
    ("bedrock_converse", "bedrock/", "bedrock"),
    ("bigmodel", "bigmodel/", "zhipu"),
    ("cloudflare", "cloudflare/", "workers-ai"),
    ("codestral", "codestral/", "mistral-codestral"),
    ("cohere_chat", "cohere/", "cohere"),
    ("fal_ai", "fal_ai/", "fal"),
    ("fireworks_ai", "fireworks_ai/", "fireworks-ai"),
    ("fireworks_ai-embedding-models", "fireworks_ai/", "fireworks-ai"),
    ("friendliai", "friendliai/", "friendli"),
    ("gemini", "gemini/", "google"),
    ("gradient_ai", "gradient_ai/", "digitalocean"),
    ("hostinger_router", "hostinger_router/", "hostinger"),
    ("jina_ai", "jina_ai/", "jina"),
    ("lambda_ai", "lambda_ai/", "lambda"),
    ("meta", "meta/", "meta-ai"),
    ("mistral", "mistral/", "mistral-ai"),
    // https://docs.litellm.ai/docs/providers/moonshot: api.moonshot.ai.
    ("moonshot", "moonshot/", "moonshot-intl"),
    ("novita", "novita/", "novita-ai"),
    ("nvidia_nim", "nvidia_nim/", "nvidia"),
    ("oci", "oci/", "oracle"),
    ("perplexity", "perplexity/", "perplexity-ai"),
    ("recraft", "recraft/", "recraft-ai"),
    ("stability", "stability/", "stability-ai"),
    // Tencent's newer platform; our `hunyuan` is its older one.
    ("tencent", "tencent/", "tencent-tokenhub"),
    ("text-completion-codestral", "text-completion-codestral/", "mistral-codestral"),
    ("text-completion-inception", "text-completion-inception/", "inception"),
    ("text-completion-openai", "text-completion-openai/", "openai"),
    ("together_ai", "together_ai/", "together-ai"),
    ("v0", "v0/", "v0"),
    ("vercel_ai_gateway", "vercel_ai_gateway/", "vercel"),
    ("xai", "xai/", "x-ai"),
    ("zai", "zai/", "z-ai"),
];

/// genai-prices' ids, where ours differ.
const GENAI: &[(&str, &str)] = &[
    ("aws", "bedrock"),
    ("azure", "azure-openai"),
    ("cloudflare", "workers-ai"),
    ("fireworks", "fireworks-ai"),
    ("meta", "meta-ai"),
    ("mistral", "mistral-ai"),
    ("moonshotai", "moonshot-intl"),
    ("novita", "novita-ai"),
    ("perplexity", "perplexity-ai"),
    ("together", "together-ai"),
    ("voyageai", "voyage"),
    ("zai", "z-ai"),
    ("zhipuai", "zhipu"),
];

/// Portkey's files that are read: the three clouds, and whom no other source has. Elsewhere it is older than the others.
pub const PORTKEY: &[(&str, &str)] = &[
    ("azure-ai", "azure-ai"),
    ("azure-openai", "azure-openai"),
    ("bedrock", "bedrock"),
    ("bedrock-mantle", "bedrock-mantle"),
    ("byteplus", "byteplus"),
    ("claude-platform-aws", "claude-platform-aws"),
    ("deepbricks", "deepbricks"),
    ("ember-cloud", "ember-cloud"),
    ("lightning-ai", "lightning-ai"),
    ("monsterapi", "monsterapi"),
    ("nomic", "nomic"),
    ("predibase", "predibase"),
    ("reka-ai", "reka-ai"),
    ("vertex-ai", "vertex-ai"),
];

/// Those of which only models are read that are charged for by the image: no other source has these.
pub const PORTKEY_IMAGES: &[(&str, &str)] = &[("openai", "openai")];

/// Ours, and how the names of its models begin.
pub fn litellm(provider: &str) -> (String, String) {
    if provider.starts_with("vertex_ai") {
        return ("vertex-ai".to_owned(), "vertex_ai/".to_owned());
    }
    let row = LITELLM.iter().find(|(theirs, ..)| *theirs == provider);
    match row {
        Some((_, begins, ours)) => ((*ours).to_owned(), (*begins).to_owned()),
        None => (provider.replace('_', "-"), format!("{provider}/")),
    }
}

/// Ours for a model of genai-prices, and the model's name there; nothing for what no provider is asked for by that name.
pub fn genai(provider: &str, model: &str) -> Option<(String, String)> {
    // Only what one endpoint of OpenAI's costs.
    if provider == "openai-decisions" || provider.starts_with("azure") && model.ends_with(":free") {
        return None;
    }
    // The router takes the name of the provider behind the model's.
    if let Some(behind) = provider.strip_prefix("huggingface_") {
        return Some(("huggingface".to_owned(), format!("{model}:{behind}")));
    }
    let ours = match provider {
        // Both of Google's doors are in one list; Claude is behind one of them.
        "google" if model.contains("claude") => "vertex-ai",
        // Only OpenAI's models have deployments; the others are in Foundry.
        "azure" if ["phi", "mai-", "wizardlm"].iter().any(|begin| model.starts_with(begin)) => "azure-ai",
        other => GENAI.iter().find(|(theirs, _)| *theirs == other).map_or(other, |(_, ours)| ours),
    };
    Some((ours.to_owned(), model.to_owned()))
}
