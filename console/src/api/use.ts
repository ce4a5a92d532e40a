// Answers of the gateway, as state of a component.

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, type Query, get, models } from "./client";
import type { Model } from "./types";

export interface Answer<T> {
  data: T | null;
  error: ApiError | null;
  /** Asks again. */
  again: () => void;
}

/** Asks when the path or the query changes, and every `everyMs` while the page is seen. An answer stays while the next one is asked for. */
export function useAnswer<T>(path: string | null, query: Query = {}, everyMs = 0): Answer<T> {
  const [state, setState] = useState<{ data: T | null; error: ApiError | null }>({ data: null, error: null });
  const [turn, setTurn] = useState(0);
  const text = JSON.stringify(query);
  const asked = useRef("");
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    const key = path + text;
    if (asked.current !== key) setState({ data: null, error: null });
    asked.current = key;
    const ask = () =>
      get<T>(path, JSON.parse(text) as Query, abort.signal).then(
        (data) => setState({ data, error: null }),
        (error: unknown) => {
          if (!abort.signal.aborted) setState((before) => ({ data: before.data, error: toApiError(error) }));
        },
      );
    void ask();
    const timer = everyMs > 0 ? setInterval(() => document.hidden || void ask(), everyMs) : undefined;
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [path, text, everyMs, turn]);
  return { ...state, again: useCallback(() => setTurn((turn) => turn + 1), []) };
}

/** The models that can be asked for; null until they are known. */
export function useModels(): { models: Model[] | null; error: ApiError | null; again: () => void } {
  const [state, setState] = useState<{ models: Model[] | null; error: ApiError | null }>({ models: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    models<{ data?: Model[] }>(abort.signal).then(
      ({ data }) => setState({ models: data ?? [], error: null }),
      (error: unknown) => abort.signal.aborted || setState({ models: null, error: toApiError(error) }),
    );
    return () => abort.abort();
  }, [turn]);
  return { ...state, again: useCallback(() => setTurn((turn) => turn + 1), []) };
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "The gateway cannot be reached. Is it running?", "unreachable");
}
