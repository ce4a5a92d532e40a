// All requests to the gateway go through here, and to nobody else.

import { adminKey, gatewayKey } from "../settings";

/** What the gateway said instead of an answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null,
  ) {
    super(message);
  }

  /** The operator's key is missing or wrong. */
  get needsKey(): boolean {
    return this.status === 401 && this.code === "admin_key_invalid";
  }
}

export type Query = Record<string, string | number | null | undefined>;

/** `GET`, for operators. Fields of the query without a value are left out. */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const response = await fetch(withQuery(path, query), { headers: keyHeader(adminKey()), signal });
  return read<T>(response);
}

/** The models that can be asked for. Clients see them, so the key of a client is what is shown. */
export async function models<T>(signal?: AbortSignal): Promise<T> {
  const response = await fetch("/v1/models", { headers: keyHeader(gatewayKey()), signal });
  return read<T>(response);
}

/** `POST`, for operators. */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json", ...keyHeader(adminKey()) };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return read<T>(response);
}

/** A call to a model, as a client makes it. */
export async function call(
  path: string,
  body: unknown,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers, ...keyHeader(gatewayKey()) },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw await failure(response);
  return response;
}

export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.append(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

function keyHeader(key: string): Record<string, string> {
  return key ? { "x-ostia-api-key": key } : {};
}

async function read<T>(response: Response): Promise<T> {
  if (!response.ok) throw await failure(response);
  return (await response.json()) as T;
}

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; code?: string | null } };
    return new ApiError(response.status, error?.message ?? text, error?.code ?? null);
  } catch {
    return new ApiError(response.status, text || `The gateway answered ${response.status}.`, null);
  }
}
