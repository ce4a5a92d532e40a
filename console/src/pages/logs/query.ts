// Filters as they stand in the address, and as they are written into the search field.

import type { Query } from "../../api/client";

/** Fields of the address that choose requests; the API has the same (docs/records.md). */
export const FILTERS = [
  "from", "to", "since", "status", "provider", "model", "key", "operation", "metadata", "trace", "session", "text",
  "cost_min", "cost_max", "latency_min", "latency_max", "tokens_min", "tokens_max",
] as const;

export type Filter = (typeof FILTERS)[number];

/** Those that say when. The toolbar has a place of its own for them. */
export const TIMES: Filter[] = ["from", "to", "since"];

export const SINCE = ["15m", "1h", "6h", "24h", "7d", "30d"];

export function queryOf(search: URLSearchParams): Query {
  const query: Query = {};
  for (const name of FILTERS) query[name] = search.get(name);
  return query;
}

/** What is chosen besides the time. */
export function chosen(search: URLSearchParams): [Filter, string][] {
  return FILTERS.filter((name) => !TIMES.includes(name)).flatMap((name) => {
    const value = search.get(name);
    return value ? [[name, value] as [Filter, string]] : [];
  });
}

/** A filter in words. */
export function words(name: Filter, value: string): string {
  const bound = /^(cost|latency|tokens)_(min|max)$/.exec(name);
  if (bound) return `${bound[1]} ${bound[2] === "min" ? "≥" : "≤"} ${bound[1] === "cost" ? `$${value}` : value}${bound[1] === "latency" ? " ms" : ""}`;
  if (name === "metadata") {
    return Object.entries(metadataOf(value))
      .map(([field, text]) => `${field} = ${text}`)
      .join(", ");
  }
  return `${name} ${value}`;
}

export function metadataOf(text: string | null): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return value !== null && typeof value === "object" ? (value as Record<string, string>) : {};
  } catch {
    return {};
  }
}

const NAMED = new Set<string>(["status", "provider", "model", "key", "operation", "trace", "session", "text", "since"]);
const BOUNDED = /^(cost|latency|tokens)(<=?|>=?)(\d+(?:\.\d+)?)$/;

/** What somebody wrote into the search field, as changes of the address. A word alone is the id of something. */
export function changesOf(text: string, search: URLSearchParams): Record<string, string> {
  const changes: Record<string, string> = {};
  const metadata = metadataOf(search.get("metadata"));
  let hasMetadata = false;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const bound = BOUNDED.exec(word);
    const [name = "", value = ""] = word.split(/:(.*)/s);
    const field = /^([^=:]+)=(.+)$/.exec(word);
    if (bound) changes[`${bound[1]}_${bound[2]?.startsWith(">") ? "min" : "max"}`] = bound[3] ?? "";
    else if (NAMED.has(name) && value) changes[name] = value;
    else if (field?.[1] && field[2]) {
      metadata[field[1]] = field[2];
      hasMetadata = true;
    } else changes.trace = word;
  }
  if (hasMetadata) changes.metadata = JSON.stringify(metadata);
  return changes;
}
