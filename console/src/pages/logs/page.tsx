// The explorer: requests as they come, and one of them beside the list.

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Empty, Loading, Problem } from "../../parts/notes";
import { useKeys } from "../../keyboard";
import { go, usePlace, useSearch } from "../../router";
import { keep, kept } from "../../settings";
import type { LogRecord } from "../../api/types";
import { RequestPanel } from "../request/panel";
import { COLUMNS, NARROW, SHOWN } from "./columns";
import { useFeed } from "./feed";
import { FilterForm } from "./filter_form";
import { FirstCall } from "./first_call";
import { FILTERS, queryOf } from "./query";
import { Table } from "./table";
import { Toolbar } from "./toolbar";

/** Below this width a row takes two lines. */
const NARROW_PX = 760;

export function LogsPage() {
  const { parts } = usePlace();
  const [search, change] = useSearch();
  const opened = parts[1];
  const [tail, setTail] = useState(true);
  const [isAtTop, setAtTop] = useState(true);
  const [currentId, setCurrentId] = useState(opened);
  const [isFiltering, setFiltering] = useState(false);
  const [shown, setShown] = useState(() => kept("columns", SHOWN));
  const scroller = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const isNarrow = useNarrow();
  const query = queryOf(search);
  // What ends in the past does not change, and to look into bodies takes longer than a second.
  const feed = useFeed(query, tail && !search.has("to") && !search.has("text"), !isAtTop);
  const { records, waiting, show } = feed;
  const text = search.toString();
  const to = useCallback((record: LogRecord) => `/logs/${record.id}${text ? `?${text}` : ""}`, [text]);
  const close = useCallback(() => go(`/logs${text ? `?${text}` : ""}`), [text]);
  const columns = useMemo(() => {
    const ids = isNarrow ? NARROW : shown;
    return COLUMNS.filter(({ id }) => ids.includes(id));
  }, [shown, isNarrow]);

  // By its id: new requests move the others down.
  const at = records.findIndex(({ id }) => id === currentId);
  const move = (step: number) => {
    const record = records[Math.min(records.length - 1, Math.max(0, at + step))];
    if (!record) return;
    // Else Enter would open the one that was clicked.
    if (document.activeElement?.matches(".row-link")) (document.activeElement as HTMLElement).blur();
    setCurrentId(record.id);
    if (opened) go(to(record), true);
  };
  useKeys({
    "/": () => field.current?.focus(),
    f: () => setFiltering(true),
    t: () => setTail(!tail),
    j: () => move(1),
    k: () => move(-1),
    Enter: () => {
      const record = records[at];
      if (record) go(to(record));
    },
    Escape: () => {
      if (document.activeElement === field.current) field.current?.blur();
      else if (opened) close();
    },
  });
  useEffect(() => {
    if (opened) setCurrentId(opened);
  }, [opened]);
  // Whoever is back at the top sees them.
  useEffect(() => {
    if (isAtTop && waiting.length > 0) show();
  }, [isAtTop, waiting, show]);
  const showWaiting = () => {
    show();
    scroller.current?.scrollTo({ top: 0 });
  };
  const isFiltered = FILTERS.some((name) => search.has(name));
  const clear = () => change(Object.fromEntries(FILTERS.map((name) => [name, null])));
  return (
    <div className={opened ? "logs with-panel" : "logs"}>
      <h1 className="hidden-text">Logs</h1>
      <Toolbar
        field={field}
        tail={tail}
        onTail={() => setTail(!tail)}
        onFilters={() => setFiltering(true)}
        shown={shown}
        onShown={(shown) => {
          keep("columns", shown);
          setShown(shown);
        }}
      />
      {feed.error && <Problem error={feed.error} again={feed.again} />}
      {waiting.length > 0 && (
        <button type="button" className="waiting" onClick={showWaiting}>
          {waiting.length} new ↑
        </button>
      )}
      {records.length > 0 ? (
        <Table
          records={records}
          columns={columns}
          isNarrow={isNarrow}
          currentId={currentId}
          opened={opened}
          scroller={scroller}
          to={to}
          onOlder={feed.older}
          onScrolled={setAtTop}
        />
      ) : feed.state === "asking" ? (
        <Loading />
      ) : isFiltered ? (
        <Empty title="No request passes these filters">
          <p>
            <button type="button" onClick={clear}>
              Show all requests
            </button>
          </p>
        </Empty>
      ) : (
        !feed.error && <FirstCall />
      )}
      {opened && <RequestPanel id={opened} onClose={close} />}
      {isFiltering && <FilterForm onClose={() => setFiltering(false)} />}
    </div>
  );
}

function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => innerWidth < NARROW_PX);
  useEffect(() => {
    const list = matchMedia(`(max-width: ${NARROW_PX - 1}px)`);
    const listen = () => setNarrow(list.matches);
    list.addEventListener("change", listen);
    return () => list.removeEventListener("change", listen);
  }, []);
  return isNarrow;
}
