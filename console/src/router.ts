// Which page is shown, and with what: all of it stands in the address.

import { useCallback, useSyncExternalStore } from "react";

const BASE = "/console";
const listeners = new Set<() => void>();

export interface Place {
  /** Behind `/console`, in parts: `["logs", "ID"]`. */
  parts: string[];
  search: URLSearchParams;
}

/** Goes to a page of the console; `replace` leaves no step in the browser's history. */
export function go(path: string, replace = false): void {
  if (replace) history.replaceState(null, "", href(path));
  else history.pushState(null, "", href(path));
  for (const listener of listeners) listener();
}

/** The address of a page of the console. */
export const href = (path: string): string => BASE + path;

export function usePlace(): Place {
  const text = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const url = new URL(text, location.origin);
  const parts = url.pathname.slice(BASE.length).split("/").filter(Boolean).map(decode);
  return { parts, search: url.searchParams };
}

/** Changes fields of the query of the page that is shown; an empty value takes one away. */
export function useSearch(): [URLSearchParams, (changes: Record<string, string | null>, replace?: boolean) => void] {
  const { search } = usePlace();
  const change = useCallback((changes: Record<string, string | null>, replace = false) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const text = next.toString();
    go(location.pathname.slice(BASE.length) + (text ? `?${text}` : ""), replace);
  }, []);
  return [search, change];
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("popstate", listener);
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
