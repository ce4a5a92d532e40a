// One answer, as it comes.

import { useCallback, useRef, useState } from "react";
import { type ApiError, call } from "../../api/client";
import { toApiError } from "../../api/use";
import type { Fields, Turn } from "../../read/conversation";
import { EventReader } from "../../read/events";
import type { Format, Prompt, Used } from "./formats";

export interface Run {
  state: "idle" | "asking" | "streaming" | "done" | "stopped";
  turns: Turn[];
  used: Used | null;
  traceId: string | null;
  provider: string | null;
  firstTokenMs: number | null;
  totalMs: number | null;
  error: ApiError | null;
}

const IDLE: Run = { state: "idle", turns: [], used: null, traceId: null, provider: null, firstTokenMs: null, totalMs: null, error: null };

export interface RunControl {
  run: Run;
  start: (format: Format, model: string, prompt: Prompt) => void;
  stop: () => void;
}

export function useRun(): RunControl {
  const [run, setRun] = useState<Run>(IDLE);
  const abort = useRef<AbortController | null>(null);
  const start = useCallback((format: Format, model: string, prompt: Prompt) => {
    abort.current?.abort();
    const own = new AbortController();
    abort.current = own;
    const tell = (change: Partial<Run>) => abort.current === own && setRun((run) => ({ ...run, ...change }));
    const began = performance.now();
    const passed = () => performance.now() - began;
    setRun({ ...IDLE, state: "asking" });
    follow(format, model, prompt, own.signal, tell, passed).then(
      () => tell({ state: "done", totalMs: passed() }),
      (error: unknown) => tell(own.signal.aborted ? { state: "stopped", totalMs: passed() } : { state: "done", error: toApiError(error), totalMs: passed() }),
    );
  }, []);
  const stop = useCallback(() => abort.current?.abort(), []);
  return { run, start, stop };
}

async function follow(
  format: Format,
  model: string,
  prompt: Prompt,
  signal: AbortSignal,
  tell: (change: Partial<Run>) => void,
  passed: () => number,
): Promise<void> {
  const response = await call(format.path(model), format.body(model, prompt), format.headers, signal);
  tell({ state: "streaming", traceId: response.headers.get("x-ostia-trace-id"), provider: response.headers.get("x-ostia-provider") });
  const events: Fields[] = [];
  const reader = new EventReader();
  const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let hasToken = false;
  for (let piece = await pieces?.read(); piece && !piece.done; piece = await pieces?.read()) {
    events.push(...reader.push(piece.value));
    const turns = format.read(events);
    if (!hasToken && turns.some(({ parts }) => parts.length > 0)) {
      hasToken = true;
      tell({ firstTokenMs: passed() });
    }
    tell({ turns, used: format.usage(events) });
  }
  const fault = events.map(({ error }) => error).find(Boolean) as { message?: string } | undefined;
  if (fault) throw new Error(fault.message ?? "The stream broke off.");
}
