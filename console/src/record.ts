// What a record comes to: what its attempts say, put together.

import type { Attempt, CacheResult, GuardrailResult, LogRecord, Usage } from "./api/types";
import { micros, money, number, sum } from "./format";

/** The attempt that the answer came from, or the last one. */
export function lastAttempt(record: LogRecord): Attempt | undefined {
  return record.attempts.findLast(({ outcome }) => outcome === "answered" || outcome === "broken") ?? record.attempts.at(-1);
}

export function provider(record: LogRecord): string {
  return lastAttempt(record)?.provider ?? "";
}

export interface Tokens {
  input: number;
  output: number;
  cached: number;
  reasoning: number;
}

/** Tokens of all attempts; null where no provider counted any. */
export function tokens(record: LogRecord): Tokens | null {
  const usages = record.attempts.map(({ usage }) => usage).filter((usage): usage is Usage => usage !== undefined);
  if (usages.length === 0) return null;
  const total = (of: (usage: Usage) => number | undefined) => usages.reduce((all, usage) => all + (of(usage) ?? 0), 0);
  return {
    input: total((usage) => usage.prompt_tokens),
    output: total((usage) => usage.completion_tokens),
    cached: total((usage) => usage.cached_tokens),
    reasoning: total((usage) => usage.reasoning_tokens),
  };
}

/** Money by currency, exact. */
export function costs(attempts: Attempt[]): [currency: string, amount: string][] {
  const all = new Map<string, string[]>();
  for (const { cost } of attempts) {
    if (cost) all.set(cost.currency, [...(all.get(cost.currency) ?? []), cost.amount]);
  }
  return [...all].map(([currency, amounts]) => [currency, sum(amounts)]);
}

/** The cost as it is read: `$0.0012`, `~$0.0012` where some of it is estimated, `?` where nobody knows it, nothing where there was none. */
export function costText(record: LogRecord): string {
  const mark = record.attempts.some(({ cost, usage_estimated }) => cost && usage_estimated) ? "~" : "";
  const known = costs(record.attempts).map(([currency, amount]) => `${mark}${money(amount, currency)}`);
  const isUnknown = record.attempts.some((attempt) => attempt.cost_unknown);
  return [...known, ...(isUnknown ? ["?"] : [])].join(" + ");
}

const CACHES: Record<CacheResult["status"], string> = {
  hit: "hit",
  semantic_hit: "hit, of a request that means the same",
  miss: "miss",
  semantic_miss: "miss, none was near enough",
  refresh: "refreshed",
  disabled: "not used",
};

/** What a cache of answers did, on one line. */
export function cacheText({ status, by, age_s, similarity }: CacheResult): string {
  const parts = [CACHES[status], by === "upstream" ? "at the gateway that was asked" : "here"];
  if (age_s !== undefined) parts.push(`${number(age_s)} s old`);
  if (similarity !== undefined) parts.push(`similarity ${similarity}`);
  return parts.join(", ");
}

/** What a guardrail found, on one line. */
export function guardrailText({ verdict, denied, transformed, phase, duration_us, checks = [] }: GuardrailResult): string {
  const failed = checks.filter((check) => !check.verdict).map(({ id, error }) => (error ? `${id} (${error.class})` : id));
  const parts = [denied ? "denied" : verdict ? "passed" : "failed"];
  if (failed.length > 0) parts[0] += `: ${failed.join(", ")}`;
  if (transformed) parts.push("changed it");
  parts.push(phase === "before_request" ? "before the request" : "after the answer");
  if (duration_us !== undefined) parts.push(micros(duration_us));
  return parts.join(", ");
}

export type Ending = "ok" | "error" | "left" | "broken";

export function ending(record: LogRecord): Ending {
  if (record.end === "client_left") return "left";
  if (record.end === "broken") return "broken";
  return record.status < 400 ? "ok" : "error";
}

/** In a word. */
export const ENDINGS: Record<Ending, string> = {
  ok: "answered",
  error: "failed",
  left: "client left",
  broken: "broke off",
};

export const operationName = (name: string | null): string => (name ?? "pass-through").replaceAll("_", " ");
