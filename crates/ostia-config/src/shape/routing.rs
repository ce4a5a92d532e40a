//! Routing configs. They are read by `ostia-routing`, which has the names of their fields; a test compares them with these.

use ostia_routing::config as routing;

use super::Field;
use super::Shape::{self, *};

/// One level of a config: a call, or a strategy over targets.
pub(crate) static CONFIG: Shape = Named("config", &Fields(FIELDS, &[]));

const MILLISECONDS: Shape = Whole(1, routing::REQUEST_TIMEOUT_MS_MAX);
const COUNT_MAX: u64 = 1_000_000_000;
const STATUSES: Shape = List(&Whole(100, 599));
const PERCENT: Shape = Number(0.0, 100.0);

static FIELDS: &[Field] = &[
    ("strategy", Fields(STRATEGY, &["mode"]), "How to choose among targets"),
    ("targets", List(&CONFIG), "The choices, in order"),
    ("name", Text, "What conditions call this target"),
    ("id", Text, "What a circuit breaker calls this target"),
    ("provider", Text, "Whom to call: the id of a provider"),
    ("api_key", Private, "The credential for the provider"),
    ("virtual_key", Private, "Known from Portkey; stored keys are not supported yet"),
    ("weight", Number(0.0, f64::MAX), "Share in load balancing. Default: 1"),
    ("on_status_codes", STATUSES, "Accepted anywhere; only the one of a strategy has an effect"),
    ("retry", Fields(RETRY, &["attempts"]), "Trying the same target again"),
    ("cache", Either(&[CACHE_MODE, Fields(CACHE, &["mode"])]), "Known from Portkey; not supported yet"),
    ("request_timeout", MILLISECONDS, "Bound on one request, in milliseconds"),
    ("first_token_timeout", MILLISECONDS, "Bound on the wait for the first token, in milliseconds"),
    ("idle_timeout", MILLISECONDS, "Bound on the silence between two pieces of an answer, in milliseconds"),
    ("deadline", MILLISECONDS, "Bound on the whole request with all attempts, in milliseconds; at the root"),
    ("mid_stream", Words(|| vec!["error", "continue"]), "What to do about a stream that breaks"),
    ("hedge", Fields(HEDGE, &["after"]), "Asking a second target when the first token is late"),
    ("prefill", Bool, "The target can go on with an answer that another one began"),
    ("custom_host", Text, "Base URL to call in place of the provider's own"),
    ("forward_headers", List(&Text), "Names of client headers to pass on to the provider"),
    ("override_params", Map(&Json), "Body fields that are always set"),
    ("default_params", Map(&Json), "Body fields that are set where the client gave none"),
    ("drop_params", List(&Text), "Paths of body fields to leave out"),
    ("passthrough", Bool, "Take provider and model from the request itself"),
    ("strict_open_ai_compliance", Bool, "Answer in exactly OpenAI's shape"),
    ("lossless", Bool, "Refuse a request that cannot be said without loss in the provider's dialect"),
    ("fetch_integrated_models", Bool, "Known from Portkey; not supported yet"),
    ("before_request_hooks", List(&Json), "Known from Portkey; not supported yet"),
    ("after_request_hooks", List(&Json), "Known from Portkey; not supported yet"),
    ("input_guardrails", List(&Json), "Known from Portkey; not supported yet"),
    ("output_guardrails", List(&Json), "Known from Portkey; not supported yet"),
    ("input_mutators", List(&Json), "Known from Portkey; not supported yet"),
    ("output_mutators", List(&Json), "Known from Portkey; not supported yet"),
    ("cb_config", Fields(BREAKER, &[]), "When to leave a failing target alone"),
    ("prompt_id", Text, "Known from Portkey; stored prompts are not supported yet"),
    ("anthropic_beta", Text, "Sent as the header anthropic-beta"),
    ("anthropic_version", Text, "Sent as the header anthropic-version"),
    ("mistral_fim_completion", Json, "Have Mistral fill in the middle"),
    ("openai_beta", Text, "Sent as the header openai-beta"),
    ("openai_organization", Text, "Sent as the header openai-organization"),
    ("openai_project", Text, "Sent as the header openai-project"),
];

static STRATEGY: &[Field] = &[
    ("mode", Words(|| vec!["single", "fallback", "loadbalance", "conditional"]), "The rule"),
    ("on_status_codes", STATUSES, "The statuses that move on to another target. Default: all but 2xx"),
    ("stop_on", List(&CLASS), "The failures that do not move on"),
    ("balance", Words(balances), "For loadbalance: how to choose. Default: weighted"),
    ("conditions", List(&CONDITION), "For conditional: read in order, the first that is true decides"),
    ("default", Text, "For conditional: the name of the target when no condition is true"),
    ("sticky", Fields(STICKY, &[]), "For loadbalance: keeping a caller with the target that it got first"),
    ("cb_config", Fields(BREAKER, &[]), "When to leave a failing target alone"),
];

static CLASS: Shape = Words(|| ostia_routing::Class::ALL.map(ostia_routing::Class::as_str).to_vec());

fn balances() -> Vec<&'static str> {
    vec!["weighted", "round_robin", "least_pending", "least_latency", "least_cost"]
}

static CONDITION: Shape = Fields(
    &[("query", Map(&Json), "What has to be true"), ("then", Text, "The name of the target")],
    &["query", "then"],
);

static STICKY: &[Field] = &[
    ("enabled", Bool, "Whether to do it at all"),
    ("hash_fields", List(&Text), "What identifies the caller: metadata.user_id"),
    ("ttl", Whole(1, routing::CACHE_MAX_AGE_S_MAX), "How long a choice lasts, in seconds. Default: 3600"),
];

static RETRY: &[Field] = &[
    ("attempts", Whole(0, routing::RETRY_ATTEMPTS_MAX), "Calls after the first one"),
    ("on_status_codes", STATUSES, "The statuses that are tried again"),
    ("use_retry_after_header", Bool, "Whether the vendor's own headers set the wait too"),
    ("use_retry_after_headers", Bool, "The same"),
    (
        "max_wait",
        Whole(0, routing::REQUEST_TIMEOUT_MS_MAX),
        "Longest time spent on waits at one target, in milliseconds",
    ),
    ("budget", PERCENT, "Retries as share of the requests to the target, in percent. Default: 20"),
];

static HEDGE: &[Field] = &[
    ("after", MILLISECONDS, "How long to wait for the first token, in milliseconds"),
    ("budget", PERCENT, "Second attempts as share of the requests, in percent. Default: 5"),
];

const CACHE_MODE: Shape = Words(|| vec!["simple", "semantic"]);

static CACHE: &[Field] = &[
    ("mode", CACHE_MODE, "What counts as the same request"),
    ("max_age", Whole(1, routing::CACHE_MAX_AGE_S_MAX), "How long an answer stays, in seconds"),
];

static BREAKER: &[Field] = &[
    ("failure_threshold", Whole(1, COUNT_MAX), "Failures that open the breaker"),
    ("failure_threshold_percentage", PERCENT, "Share of failures that opens it, in percent"),
    (
        "cooldown_interval",
        Whole(30_000, routing::REQUEST_TIMEOUT_MS_MAX),
        "How long it stays open, in milliseconds",
    ),
    ("failure_status_codes", STATUSES, "The statuses that count as failures"),
    ("minimum_requests", Whole(0, COUNT_MAX), "Requests before the percentage counts"),
];
