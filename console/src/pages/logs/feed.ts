// The requests that are shown: the newest first, more of them when somebody scrolls, and new ones as they come.

import { useCallback, useEffect, useReducer, useRef } from "react";
import { type ApiError, type Query, get } from "../../api/client";
import type { LogPage, LogRecord } from "../../api/types";
import { toApiError } from "../../api/use";

/** Requests of a page. */
const PAGE = 100;
/** How often is asked for new ones. */
const TAIL_MS = 1000;
/** Most requests that are held; beyond that the list begins anew. */
const HELD_MAX = 20_000;

export interface Feed {
  records: LogRecord[];
  /** Came while nobody wanted the list to move. */
  waiting: LogRecord[];
  /** More came than was asked for: where the list goes on behind those that wait. */
  waitingNext?: string | null;
  next: string | null;
  state: "asking" | "ready" | "asking_older";
  error: ApiError | null;
}

type Action =
  | { do: "reset" }
  | { do: "newest"; page: LogPage; hold: boolean }
  | { do: "show" }
  | { do: "asking_older" }
  | { do: "older"; page: LogPage }
  | { do: "failed"; error: ApiError };

const NOTHING: Feed = { records: [], waiting: [], next: null, state: "asking", error: null };

function reduce(feed: Feed, action: Action): Feed {
  switch (action.do) {
    case "reset":
      return NOTHING;
    case "newest":
      return withNewest(feed, action.page, action.hold);
    case "show":
      return shown(feed);
    case "asking_older":
      return { ...feed, state: "asking_older" };
    case "older":
      return { ...feed, records: [...feed.records, ...action.page.data], next: action.page.next, state: "ready" };
    case "failed":
      return { ...feed, error: action.error, state: "ready" };
  }
}

function withNewest(feed: Feed, page: LogPage, hold: boolean): Feed {
  const ready = { ...feed, error: null, state: feed.state === "asking" ? ("ready" as const) : feed.state };
  if (feed.records.length === 0) return { ...ready, records: page.data, next: page.next };
  const known = new Set([...feed.records, ...feed.waiting].map(({ id }) => id));
  const fresh = page.data.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return ready;
  // More came than a page holds: what lies between would be missing.
  const hasGap = fresh.length === page.data.length && page.next !== null;
  if (hold && hasGap) return { ...ready, waiting: page.data, waitingNext: page.next };
  if (hold) return { ...ready, waiting: merged(fresh, feed.waiting) };
  if (hasGap || feed.records.length > HELD_MAX) return { ...ready, records: page.data, next: page.next };
  return { ...ready, records: merged(fresh, feed.records) };
}

/** Those that wait are shown too. */
function shown({ waiting, waitingNext, ...feed }: Feed): Feed {
  if (waitingNext !== undefined) return { ...feed, records: waiting, waiting: [], next: waitingNext };
  return { ...feed, records: merged(waiting, feed.records), waiting: [] };
}

/** A long request is written when it is over, and then stands where it began. */
function merged(fresh: LogRecord[], records: LogRecord[]): LogRecord[] {
  return [...fresh, ...records].sort((one, other) => other.started_ms - one.started_ms);
}

export interface FeedControl extends Feed {
  older: () => void;
  show: () => void;
  again: () => void;
}

/** `hold`: new requests wait, because somebody reads further down. */
export function useFeed(query: Query, tail: boolean, hold: boolean): FeedControl {
  const [feed, dispatch] = useReducer(reduce, NOTHING);
  const text = JSON.stringify(query);
  const holds = useRef(hold);
  holds.current = hold;
  const newest = useCallback(
    (signal?: AbortSignal) =>
      get<LogPage>("/v1/logs", { ...(JSON.parse(text) as Query), limit: PAGE }, signal).then(
        (page) => dispatch({ do: "newest", page, hold: holds.current }),
        (error: unknown) => signal?.aborted || dispatch({ do: "failed", error: toApiError(error) }),
      ),
    [text],
  );
  useEffect(() => {
    const abort = new AbortController();
    dispatch({ do: "reset" });
    void newest(abort.signal);
    return () => abort.abort();
  }, [newest]);
  useEffect(() => {
    if (!tail) return;
    const abort = new AbortController();
    let isAsking = false;
    const timer = setInterval(() => {
      // A slow answer is waited for, and a page that nobody sees asks nothing.
      if (isAsking || document.hidden) return;
      isAsking = true;
      void newest(abort.signal).finally(() => {
        isAsking = false;
      });
    }, TAIL_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [newest, tail]);
  const { next, state } = feed;
  const older = useCallback(() => {
    if (next === null || state !== "ready") return;
    dispatch({ do: "asking_older" });
    get<LogPage>("/v1/logs", { ...(JSON.parse(text) as Query), limit: PAGE, after: next }).then(
      (page) => dispatch({ do: "older", page }),
      (error: unknown) => dispatch({ do: "failed", error: toApiError(error) }),
    );
  }, [next, state, text]);
  const show = useCallback(() => dispatch({ do: "show" }), []);
  return { ...feed, older, show, again: () => void newest() };
}
