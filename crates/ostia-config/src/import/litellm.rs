//! LiteLLM's `config.yaml`. Each name of `model_list` becomes an alias: one deployment a target, several a list of targets to
//! balance, with its fallbacks behind it. An alias holds keys and addresses itself, so that two accounts at one vendor stay two.

use serde_json::{Map, Value, json};

use super::{Imported, Notes, yaml};

/// LiteLLM's word for a provider, and ours.
const PROVIDERS: &[(&str, &str)] = &[
    ("ai21", "ai21"),
    ("anthropic", "anthropic"),
    ("cerebras", "cerebras"),
    ("cohere", "cohere"),
    ("cohere_chat", "cohere"),
    ("dashscope", "dashscope"),
    ("databricks", "databricks"),
    ("deepinfra", "deepinfra"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks-ai"),
    ("gemini", "google"),
    ("groq", "groq"),
    ("hosted_vllm", "vllm"),
    ("huggingface", "huggingface"),
    ("jina_ai", "jina"),
    ("lm_studio", "lm-studio"),
    ("mistral", "mistral-ai"),
    ("moonshot", "moonshot-intl"),
    ("nebius", "nebius"),
    ("novita", "novita-ai"),
    ("nvidia_nim", "nvidia"),
    ("ollama", "ollama"),
    ("ollama_chat", "ollama"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity-ai"),
    ("sambanova", "sambanova"),
    ("together_ai", "together-ai"),
    ("vllm", "vllm"),
    ("voyage", "voyage"),
    ("xai", "x-ai"),
    ("zai", "z-ai"),
];
/// Providers of LiteLLM's whose sign-in is not there yet.
const NO_SIGN_IN: &[&str] =
    &["azure", "azure_ai", "bedrock", "bedrock_converse", "sagemaker", "vertex_ai", "watsonx"];
/// Fields of the body that a deployment sets where the client gives none.
const BODY: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "max_completion_tokens",
    "max_tokens",
    "n",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user",
];
/// How to choose among deployments: LiteLLM's word, ours, and what differs.
const STRATEGIES: &[(&str, &str, &str)] = &[
    ("simple-shuffle", "weighted", ""),
    ("least-busy", "least_pending", ""),
    ("latency-based-routing", "least_latency", "measured to the first token"),
    ("cost-based-routing", "least_cost", "by `prices`, else by those of the catalogue"),
    ("usage-based-routing", "least_pending", "by open requests, not by tokens a minute"),
    ("usage-based-routing-v2", "least_pending", "by open requests, not by tokens a minute"),
];
const ATTEMPTS_MAX: u64 = 5;
const COOLDOWN_MIN_MS: u64 = 30_000;
const TOKENS_OF_A_PRICE: f64 = 1e6;

/// What becomes of the file.
#[derive(Default)]
struct Import {
    notes: Notes,
    /// By name, in the order of the file.
    groups: Vec<(String, Vec<Value>)>,
    prices: Map<String, Value>,
    /// Entries of providers whose every model may be asked for.
    providers: Map<String, Value>,
    keys: Vec<Value>,
    /// Settings of every alias.
    shared: Map<String, Value>,
    balance: Option<&'static str>,
    /// A name, and who answers in its place.
    fallbacks: Vec<(String, Vec<String>)>,
    default_fallbacks: Vec<String>,
    /// Another name of a group.
    renamed: Vec<(String, String)>,
}

pub(super) fn translate(file: &Value) -> Imported {
    let mut import = Import::default();
    for (section, value) in file.as_object().into_iter().flatten() {
        match section.as_str() {
            "model_list" => import.model_list(value),
            "router_settings" => import.settings("router_settings", value),
            "litellm_settings" => import.settings("litellm_settings", value),
            "general_settings" => import.general(value),
            "environment_variables" => {
                import.notes.missing(section, "set them where the gateway is started");
            }
            "guardrails" => import.notes.missing(section, "there are no guardrails yet"),
            _ => import.notes.missing(section, "no such section here"),
        }
    }
    let text = format!("# Translated from LiteLLM's config.yaml.\n{}", yaml::write(&import.file()));
    Imported { text, verdicts: import.notes.0 }
}

impl Import {
    fn model_list(&mut self, list: &Value) {
        for (at, entry) in list.as_array().into_iter().flatten().enumerate() {
            let path = format!("model_list[{at}]");
            let Some(name) = entry["model_name"].as_str() else {
                self.notes.missing(&path, "it has no model_name");
                continue;
            };
            let params = &entry["litellm_params"];
            if name.contains('*') || params["model"].as_str().is_some_and(|model| model.contains('*')) {
                let instead = "clients write `provider/model` or `@provider/model`; set `default_provider` for other names";
                self.notes.near(&format!("{path}.model_name"), instead);
                self.wildcard(params, &format!("{path}.litellm_params"));
                continue;
            }
            let target = self.target(params, &format!("{path}.litellm_params"));
            self.model_info(&entry["model_info"], &format!("{path}.model_info"), name);
            let Some(target) = target else { continue };
            self.notes.exact(&format!("{path}.model_name"), "an alias");
            match self.groups.iter_mut().find(|(known, _)| known == name) {
                Some((_, targets)) => targets.push(target),
                None => self.groups.push((name.to_owned(), vec![target])),
            }
        }
    }

    /// All models of a provider: its entry with the key.
    fn wildcard(&mut self, params: &Value, path: &str) {
        let word = params["model"]
            .as_str()
            .and_then(|model| model.split_once('/'))
            .map_or("openai", |(word, _)| word);
        let provider = PROVIDERS.iter().find(|(known, _)| *known == word).map(|(_, provider)| *provider);
        for (name, value) in params.as_object().into_iter().flatten().filter(|(name, _)| *name != "model") {
            let path = format!("{path}.{name}");
            match (name.as_str(), value.as_str(), provider) {
                ("api_key", Some(key), Some(provider)) => {
                    self.add_key(provider, variable(key));
                    self.notes.exact(&path, format!("providers.{provider}.api_key"));
                }
                _ => self.notes.missing(&path, "write it in the provider's entry under `providers`"),
            }
        }
    }

    /// Further keys of one provider make a list.
    fn add_key(&mut self, provider: &str, key: String) {
        let entry = self.providers.entry(provider).or_insert_with(|| json!({}));
        let known = entry["api_key"].take();
        let mut keys = match known {
            Value::Array(keys) => keys,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        if !keys.contains(&Value::from(key.as_str())) {
            keys.push(key.into());
        }
        entry["api_key"] = if keys.len() == 1 { keys.remove(0) } else { keys.into() };
    }

    /// The fields of a deployment whose provider cannot be asked.
    fn left_out(&mut self, params: &Value, path: &str) {
        let others = params.as_object().into_iter().flatten().map(|(name, _)| name);
        for name in others.filter(|name| !["model", "custom_llm_provider"].contains(&name.as_str())) {
            self.notes.missing(&format!("{path}.{name}"), "its deployment is left out");
        }
    }

    /// A deployment as a target; `None` where its provider cannot be asked.
    fn target(&mut self, params: &Value, path: &str) -> Option<Value> {
        let model_path = format!("{path}.model");
        let model = params["model"].as_str().unwrap_or_default();
        let word = params["custom_llm_provider"].as_str();
        let (word, model) = match (word, model.split_once('/')) {
            (Some(word), _) => (word, model.strip_prefix(&format!("{word}/")).unwrap_or(model)),
            (None, Some((word, model))) => (word, model),
            (None, None) => ("openai", model),
        };
        if NO_SIGN_IN.contains(&word) {
            self.notes.missing(
                &model_path,
                format!("there is no sign-in of `{word}` yet: this deployment is left out"),
            );
            self.left_out(params, path);
            return None;
        }
        let Some((_, provider)) = PROVIDERS.iter().find(|(known, _)| *known == word) else {
            let instead =
                format!("`{word}` is not known: write a provider with base_url, and a target for it");
            self.notes.missing(&model_path, instead);
            self.left_out(params, path);
            return None;
        };
        self.notes.exact(&model_path, format!("{model} at {provider}"));
        let mut target = Map::new();
        target.insert("provider".into(), (*provider).into());
        let (mut defaults, mut others) = (Map::new(), Map::new());
        for (name, value) in params.as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            match name.as_str() {
                "model" | "custom_llm_provider" => {}
                "api_key" => self.copy(&path, "api_key", value, &mut target),
                "api_base" | "base_url" => self.host(&path, value, &mut target),
                "weight" => self.copy(&path, "weight", value, &mut target),
                "timeout" => self.seconds(&path, "request_timeout", value, &mut others),
                "stream_timeout" => self.seconds(&path, "first_token_timeout", value, &mut others),
                "max_retries" | "num_retries" => self.retries(&path, value, &mut others),
                "organization" => self.copy(&path, "openai_organization", value, &mut target),
                "drop_params" => {
                    self.notes.near(&path, "always: what a model refuses is left out and reported")
                }
                "additional_drop_params" => self.copy(&path, "drop_params", value, &mut others),
                "rpm" | "tpm" | "max_parallel_requests" => {
                    self.notes.missing(&path, "there are no limits of rate yet")
                }
                "extra_headers" | "headers" => {
                    self.notes.missing(&path, "write `headers` in the provider's row under `providers`");
                }
                "input_cost_per_token" | "output_cost_per_token" => {
                    self.notes.near(&path, "write it under `prices`, for a million tokens");
                }
                _ if BODY.contains(&name.as_str()) => self.copy(&path, name, value, &mut defaults),
                _ => self.notes.missing(&path, "no such field here"),
            }
        }
        target.insert("override_params".into(), json!({"model": model}));
        if !defaults.is_empty() {
            target.insert("default_params".into(), defaults.into());
        }
        target.extend(others);
        Some(target.into())
    }

    fn model_info(&mut self, info: &Value, path: &str, name: &str) {
        let cost = |field: &str| info[field].as_f64();
        let costs = cost("input_cost_per_token").zip(cost("output_cost_per_token"));
        for field in info.as_object().into_iter().flatten().map(|(field, _)| field) {
            let path = format!("{path}.{field}");
            match field.as_str() {
                "input_cost_per_token" | "output_cost_per_token" if costs.is_some() => {
                    self.notes.near(&path, "under `prices`, for a million tokens of the model of this name");
                }
                _ => self.notes.missing(&path, "no such field here"),
            }
        }
        if let Some((input, output)) = costs {
            let price =
                |cost: f64| json!((cost * TOKENS_OF_A_PRICE * TOKENS_OF_A_PRICE).round() / TOKENS_OF_A_PRICE);
            self.prices.insert(name.to_owned(), json!({"input": price(input), "output": price(output)}));
        }
    }

    /// Of the router and of LiteLLM itself: some fields may stand in either.
    fn settings(&mut self, section: &str, settings: &Value) {
        for (name, value) in settings.as_object().into_iter().flatten() {
            let path = format!("{section}.{name}");
            let mut shared = std::mem::take(&mut self.shared);
            match name.as_str() {
                "num_retries" | "max_retries" => self.retries(&path, value, &mut shared),
                "timeout" | "request_timeout" => self.seconds(&path, "request_timeout", value, &mut shared),
                "stream_timeout" => self.seconds(&path, "first_token_timeout", value, &mut shared),
                "allowed_fails" => breaker(&mut shared, "failure_threshold", value.clone()),
                "cooldown_time" => {
                    let ms = milliseconds(value).unwrap_or(COOLDOWN_MIN_MS);
                    breaker(&mut shared, "cooldown_interval", ms.max(COOLDOWN_MIN_MS).into());
                }
                "routing_strategy" => self.strategy(&path, value),
                "fallbacks" => self.fallbacks(&path, value),
                "default_fallbacks" => {
                    self.default_fallbacks = texts(value);
                    self.notes.exact(&path, "behind every alias");
                }
                "context_window_fallbacks" | "content_policy_fallbacks" => {
                    self.notes
                        .missing(&path, "every fallback is asked then, unless `stop_on` says otherwise");
                }
                "model_group_alias" => self.rename(&path, value),
                "drop_params" => {
                    self.notes.near(&path, "always: what a model refuses is left out and reported")
                }
                "cache" | "cache_params" => self.notes.missing(&path, "there is no cache yet"),
                "redis_host" | "redis_port" | "redis_password" | "redis_url" => {
                    self.notes.missing(&path, "nothing is shared between gateways");
                }
                "callbacks" | "success_callback" | "failure_callback" | "set_verbose" | "json_logs" => {
                    self.notes.missing(&path, "there are no callbacks");
                }
                _ => self.notes.missing(&path, "no such field here"),
            }
            self.shared = shared;
            match name.as_str() {
                "allowed_fails" => {
                    self.notes.near(&path, "cb_config.failure_threshold: failures within a minute")
                }
                "cooldown_time" => self.notes.near(&path, "cb_config.cooldown_interval: 30 s at least"),
                _ => {}
            }
        }
    }

    fn general(&mut self, settings: &Value) {
        for (name, value) in settings.as_object().into_iter().flatten() {
            let path = format!("general_settings.{name}");
            match (name.as_str(), value.as_str()) {
                ("master_key", Some(key)) => {
                    self.keys.push(variable(key).into());
                    self.notes.near(&path, "auth.keys: clients show it; it administers nothing");
                }
                ("database_url" | "store_model_in_db" | "database_connection_pool_limit", _) => {
                    self.notes.missing(&path, "there is no database: keys, teams and budgets are not there");
                }
                _ => self.notes.missing(&path, "no such field here"),
            }
        }
    }

    fn copy(&mut self, path: &str, name: &str, value: &Value, into: &mut Map<String, Value>) {
        let value = value.as_str().map_or_else(|| value.clone(), |text| variable(text).into());
        into.insert(name.to_owned(), value);
        self.notes.exact(path, if path.ends_with(name) { "" } else { name });
    }

    /// LiteLLM's addresses may end before the version, ours are all that stands before `/chat/completions`.
    fn host(&mut self, path: &str, value: &Value, into: &mut Map<String, Value>) {
        let host = value.as_str().map(|host| variable(host.trim_end_matches('/'))).unwrap_or_default();
        match host.ends_with("/v1") {
            true => self.notes.exact(path, "custom_host"),
            false => self.notes.near(path, "custom_host: has to be all that stands before /chat/completions"),
        }
        into.insert("custom_host".into(), host.into());
    }

    fn seconds(&mut self, path: &str, name: &str, value: &Value, into: &mut Map<String, Value>) {
        match milliseconds(value) {
            Some(ms) => {
                into.insert(name.to_owned(), ms.into());
                let note = format!("{name}, in ms: until the head of the answer, not for all of it");
                self.notes
                    .near(path, if name == "request_timeout" { note } else { format!("{name}, in ms") });
            }
            None => self.notes.missing(path, "no number of seconds"),
        }
    }

    fn retries(&mut self, path: &str, value: &Value, into: &mut Map<String, Value>) {
        let attempts = value.as_u64().unwrap_or_default();
        into.insert("retry".into(), json!({"attempts": attempts.min(ATTEMPTS_MAX)}));
        match attempts > ATTEMPTS_MAX {
            true => self.notes.near(path, format!("retry.attempts: {ATTEMPTS_MAX} at most")),
            false => self.notes.exact(path, "retry.attempts, each at the same target"),
        }
    }

    fn strategy(&mut self, path: &str, value: &Value) {
        let word = value.as_str().unwrap_or_default();
        match STRATEGIES.iter().find(|(known, ..)| *known == word) {
            Some((_, ours, "")) => {
                self.balance = Some(ours);
                self.notes.exact(path, format!("strategy.balance: {ours}"));
            }
            Some((_, ours, differs)) => {
                self.balance = Some(ours);
                self.notes.near(path, format!("strategy.balance: {ours}; {differs}"));
            }
            None => self.notes.missing(path, "targets are chosen by weight"),
        }
    }

    /// `[{"a": ["b", "c"]}]`
    fn fallbacks(&mut self, path: &str, value: &Value) {
        let maps = value.as_array().into_iter().flatten().filter_map(Value::as_object);
        for (name, others) in maps.flatten() {
            if name == "*" {
                self.default_fallbacks = texts(others);
            } else {
                self.fallbacks.push((name.clone(), texts(others)));
            }
        }
        self.notes.exact(path, "strategy.mode: fallback");
    }

    fn rename(&mut self, path: &str, value: &Value) {
        for (name, group) in value.as_object().into_iter().flatten() {
            if let Some(group) = group.as_str().or_else(|| group["model"].as_str()) {
                self.renamed.push((name.clone(), group.to_owned()));
            }
        }
        self.notes.exact(path, "further aliases");
    }

    fn file(&self) -> Value {
        let mut file = Map::new();
        if !self.keys.is_empty() {
            file.insert("auth".into(), json!({"keys": self.keys}));
        }
        if !self.providers.is_empty() {
            file.insert("providers".into(), self.providers.clone().into());
        }
        let own = self.groups.iter().map(|(name, _)| (name, name));
        let renamed = self.renamed.iter().map(|(name, group)| (name, group));
        let aliases = own.chain(renamed).filter_map(|(name, group)| Some((name.clone(), self.alias(group)?)));
        let aliases: Map<String, Value> = aliases.collect();
        if !aliases.is_empty() {
            file.insert("aliases".into(), aliases.into());
        }
        if !self.prices.is_empty() {
            file.insert("prices".into(), self.prices.clone().into());
        }
        file.into()
    }

    /// A group and its fallbacks.
    fn alias(&self, name: &str) -> Option<Value> {
        let own = self.group(name)?;
        let listed = self.fallbacks.iter().find(|(known, _)| known == name).map(|(_, others)| others);
        let others = listed.unwrap_or(&self.default_fallbacks).iter().filter(|other| *other != name);
        let others: Vec<Value> = others.filter_map(|other| self.group(other).map(Value::from)).collect();
        let mut alias = match others.is_empty() {
            true => own,
            false => {
                let targets: Vec<Value> = std::iter::once(own.into()).chain(others).collect();
                Map::from_iter([
                    ("strategy".to_owned(), json!({"mode": "fallback"})),
                    ("targets".to_owned(), targets.into()),
                ])
            }
        };
        for (setting, value) in &self.shared {
            alias.entry(setting.clone()).or_insert_with(|| value.clone());
        }
        Some(alias.into())
    }

    /// The deployments of one name.
    fn group(&self, name: &str) -> Option<Map<String, Value>> {
        let (_, targets) = self.groups.iter().find(|(known, _)| known == name)?;
        if let [target] = targets.as_slice() {
            return target.as_object().cloned();
        }
        let balance = self.balance.unwrap_or("weighted");
        Some(Map::from_iter([
            ("strategy".to_owned(), json!({"mode": "loadbalance", "balance": balance})),
            ("targets".to_owned(), targets.clone().into()),
        ]))
    }
}

fn breaker(settings: &mut Map<String, Value>, field: &str, value: Value) {
    let breaker = settings.entry("cb_config").or_insert_with(|| json!({}));
    if let Some(breaker) = breaker.as_object_mut() {
        breaker.insert(field.to_owned(), value);
    }
}

fn milliseconds(seconds: &Value) -> Option<u64> {
    let seconds = seconds.as_f64().filter(|seconds| (0.0..=86_400.0).contains(seconds))?;
    Some(((seconds * 1000.0).round() as u64).max(1))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `os.environ/NAME`: `${NAME}`. Any other `$` stands for itself.
fn variable(text: &str) -> String {
    match text.strip_prefix("os.environ/") {
        Some(name) => format!("${{{name}}}"),
        None => text.replace("${", "$${"),
    }
}
