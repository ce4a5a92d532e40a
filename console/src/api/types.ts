// What the gateway's API answers (docs/records.md, docs/console.md).

/** A decimal number in full, as text: money is never a float. */
export type Decimal = string;

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cached_tokens?: number;
  cache_write_tokens?: number;
  reasoning_tokens?: number;
  audio_prompt_tokens?: number;
  audio_completion_tokens?: number;
}

export interface Cost {
  amount: Decimal;
  currency: string;
  /** The model of the catalogue, or `operator`, `provider` or `cache`. */
  priced_as: string;
  catalogue: string;
  /** What was used, how much of it, and what one unit costs. */
  lines: [unit: string, count: number, rate: Decimal][];
}

export interface RecordError {
  class: string;
  code?: string;
  message?: string;
}

/** What a cache of answers did. */
export interface CacheResult {
  status: "hit" | "semantic_hit" | "miss" | "semantic_miss" | "refresh" | "disabled";
  by: "gateway" | "upstream";
  age_s?: number;
  /** From 0 to 1. */
  similarity?: number;
}

/** What a guardrail found. */
export interface GuardrailResult {
  id: string;
  name?: string;
  by: "gateway" | "upstream";
  phase: "before_request" | "after_request";
  /** Nothing was wrong. */
  verdict: boolean;
  denied?: boolean;
  transformed?: boolean;
  duration_us?: number;
  checks?: { id: string; verdict: boolean; transformed?: boolean; duration_us?: number; error?: RecordError }[];
}

export interface Attempt {
  target: string;
  provider: string;
  model: string | null;
  answered_model?: string;
  status?: number;
  outcome: "answered" | "failed" | "broken" | "abandoned";
  error?: RecordError;
  request_id?: string;
  /** All from the request, in microseconds. */
  sent_us: number;
  connected_us?: number;
  first_byte_us?: number;
  first_token_us?: number;
  ended_us: number;
  usage?: Usage;
  /** The provider did not tell all of it. */
  usage_estimated?: boolean;
  /** Of the provider, where it is a gateway. */
  cache?: CacheResult;
  finish_reason?: string;
  dropped?: string[];
  cost?: Cost;
  cost_unknown?: string;
}

export interface Step {
  at_ms: number;
  step: string;
  target?: string;
  attempt?: number;
  status?: number;
  class?: string;
  wait_ms?: number;
  why?: string;
}

export interface Breaker {
  state: "closed" | "open" | "half_open";
  open_for_ms?: number;
  requests: number;
  failures: number;
}

export interface Decisions {
  result: string;
  answered_by?: string;
  attempts: number;
  deadline_ms?: number;
  steps?: Step[];
  steps_left_out?: number;
  targets?: { target: string; name?: string; provider?: string; breaker?: Breaker }[];
}

/** A body, or why it is not there. */
export interface KeptBody {
  missing?: "none" | "off" | "no_error" | "queue_full" | "aged_out";
  cut?: boolean;
  body?: unknown;
}

/** Something that an application logged within a trace. */
export interface AppLog {
  span_id: string | null;
  at_ms: number;
  severity: string | null;
  body: unknown;
  attributes?: Record<string, unknown>;
  service: string | null;
  key: string | null;
}

/** A span that an application told of a trace by OpenTelemetry. */
export interface AppSpan {
  object: "span";
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: "internal" | "server" | "client" | "producer" | "consumer";
  service: string | null;
  scope: string | null;
  started_ms: number;
  duration_us: number;
  status: "ok" | "error" | null;
  status_message: string | null;
  attributes?: Record<string, unknown>;
  events?: { name: string; at_ms: number; attributes: Record<string, unknown> }[];
  left_out?: number;
  key: string | null;
  logs?: AppLog[];
  children: TraceNode[];
}

/** A request of the gateway's, in its trace. */
export interface TraceRequest extends LogRecord {
  object: "request";
  logs?: AppLog[];
  children: TraceNode[];
}

export type TraceNode = AppSpan | TraceRequest;

export interface TraceTold {
  trace_id: string;
  data: TraceNode[];
  /** Of spans that were not told. */
  logs: AppLog[];
}

export interface LogRecord {
  id: string;
  trace_id: string;
  span_id: string | null;
  parent_span_id: string | null;
  span_name: string | null;
  /** The conversation, or the agent's run, that it is part of. */
  session?: string | null;
  started_ms: number;
  method: string;
  path: string;
  operation: string | null;
  key: string | null;
  metadata: Record<string, string>;
  user_agent: string | null;
  client: string | null;
  model: string | null;
  status: number;
  stream: boolean;
  end: "whole" | "broken" | "client_left" | "";
  finish_reason: string | null;
  error: RecordError | null;
  duration_us: number;
  upstream_us: number;
  first_token_us: number | null;
  request_bytes: number;
  response_bytes: number;
  attempts: Attempt[];
  decisions: Decisions | null;
  cache?: CacheResult;
  guardrails?: GuardrailResult[];
  request: KeptBody;
  response: KeptBody;
  /** What was thought of its trace: only where one request is told. */
  feedback?: Feedback[];
}

export interface Feedback {
  id: string;
  created_ms: number;
  value: number;
  weight: number;
  metadata: Record<string, unknown> | null;
}

export interface LogPage {
  data: LogRecord[];
  next: string | null;
}

export interface Percentiles {
  p50: number | null;
  p90: number | null;
  p99: number | null;
}

export interface SeriesPoint {
  timestamp: string;
  requests: number;
  failed: number;
  tokens: { input: number; output: number; cached: number };
  cost: Record<string, Decimal>;
  cost_unknown: number;
  latency_ms: Percentiles;
  first_token_ms: Percentiles;
}

export interface Series {
  from: string;
  to: string;
  step_seconds: number;
  group_by: string | null;
  /** `others`: this line is of so many names that have none of their own. */
  series: { name: string | null; points: SeriesPoint[]; others?: number }[];
}

export interface Model {
  id: string;
  owned_by: string;
  context_length?: number;
  max_output_tokens?: number;
  /** Dollars for one token. */
  pricing?: { prompt?: Decimal; completion?: Decimal; input_cache_read?: Decimal; input_cache_write?: Decimal };
}

export interface Recent {
  requests: number;
  failed: number;
  attempts: number;
  failed_attempts: number;
  latency_ms: Percentiles;
}

export interface Provider {
  id: string;
  name: string;
  host: string | null;
  apis: string[];
  docs: string | null;
  retired: string | null;
  configured: boolean;
  models: number;
  key:
    | { state: "present"; from: string | null; count: number }
    | { state: "missing"; variables: string[]; read: boolean }
    | { state: "not_needed" };
  recent: Recent | null;
}

export interface Providers {
  data: Provider[];
  breakers: { config: string; target: string; provider: string | null; breaker: Breaker }[];
  default_provider: string | null;
}

export interface Problem {
  code: string;
  severity: "error" | "warning";
  path: string;
  line: number | null;
  message: string;
  hint: string | null;
}

export interface Configuration {
  version: string;
  file: string;
  written: unknown;
  problems: Problem[];
  in_force: Record<string, unknown>;
  catalogue: { source: string; version: string; date: string }[];
}

export interface Sums {
  requests: number;
  failed: number;
  client_left: number;
  attempts: number;
  failed_attempts: number;
  prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
  cost: Record<string, Decimal>;
  /** As much of it as is estimated. */
  estimated_cost: Record<string, Decimal>;
  attempts_of_unknown_cost: number;
  latency_ms: Percentiles & { avg: number | null };
  first_token_ms?: Percentiles;
}

export interface Summary {
  from: string;
  to: string;
  total: Sums;
  groups: (Sums & { name: string })[];
}

export interface Session {
  id: string;
  first: string;
  last: string;
  requests: number;
  failed: number;
  tokens: { input: number; output: number; cached: number };
  cost: Record<string, Decimal>;
  cost_unknown: number;
  models: string[];
}

/** What came from prompt caches. */
export interface CacheEconomy {
  attempts: number;
  input_tokens: number;
  cached_tokens: number;
  /** Of input that was read anew although the call before had it from the cache. */
  missed_tokens: number;
  /** Of the input; null where there was none. */
  share: number | null;
  saved: Record<string, Decimal>;
  missed: Record<string, Decimal>;
  /** From caches, and nobody knows by how much they were cheaper. */
  unpriced_tokens: number;
}

/** A call that read less from its cache than the one before it in its session. */
export interface CacheFall {
  request: string;
  previous: string;
  session: string;
  key: string | null;
  provider: string;
  model: string | null;
  started: string;
  seconds_between: number;
  input_tokens: number;
  cached_before: number;
  cached: number;
  missed: Record<string, Decimal>;
  reason: "changed" | "shortened" | "setting" | "same" | "cut" | "unreadable" | "told" | "not_kept";
  words: string;
  place?: { part: string; character: number; token: number; before: string | null; after: string | null };
}

export interface Caches {
  from: string;
  to: string;
  total: CacheEconomy;
  groups: (CacheEconomy & { key: string | null; provider: string; model: string | null })[];
  falls: CacheFall[];
  falls_in_all: number;
  calls_compared: number;
}
