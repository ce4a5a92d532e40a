// Above the list: what is searched for, when, what is shown.

import { type FormEvent, type RefObject, useState } from "react";
import { fullTime } from "../../format";
import { Menu } from "../../parts/menu";
import { useSearch } from "../../router";
import { COLUMNS } from "./columns";
import { SINCE, changesOf, chosen, words } from "./query";
import { Views } from "./views";

interface Props {
  field: RefObject<HTMLInputElement | null>;
  tail: boolean;
  onTail: () => void;
  onFilters: () => void;
  shown: string[];
  onShown: (shown: string[]) => void;
}

export function Toolbar({ field, tail, onTail, onFilters, shown, onShown }: Props) {
  const [search, change] = useSearch();
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change(changesOf(text, search));
    setText("");
  };
  const filters = chosen(search);
  return (
    <div className="toolbar">
      <form role="search" onSubmit={submit}>
        <input
          ref={field}
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="An id, or status:error model:gpt-5 cost>0.01 team=red"
          aria-label="Search: an id, or filters"
          spellCheck={false}
          autoComplete="off"
        />
      </form>
      <TimeChoice />
      <StatusChoice />
      <button type="button" onClick={onFilters}>
        Filters{filters.length > 0 ? ` (${filters.length})` : ""}
      </button>
      <Columns shown={shown} onShown={onShown} />
      <Views />
      <button type="button" className={tail ? "toggle on" : "toggle"} aria-pressed={tail} onClick={onTail}>
        <span aria-hidden="true" className="pulse" /> {tail ? "Live" : "Paused"}
      </button>
      {filters.length > 0 && (
        <ul className="chips" aria-label="Filters">
          {filters.map(([name, value]) => (
            <li key={name}>
              {words(name, value)}
              <button type="button" className="quiet" onClick={() => change({ [name]: null })} aria-label={`Without ${words(name, value)}`}>
                ✕
              </button>
            </li>
          ))}
          <li>
            <button type="button" className="quiet" onClick={() => change(Object.fromEntries(filters.map(([name]) => [name, null])))}>
              Clear
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}

function TimeChoice() {
  const [search, change] = useSearch();
  const [from, to] = [search.get("from"), search.get("to")];
  if (from || to) {
    return (
      <span className="chip">
        {moment(from)} – {to ? moment(to) : "now"}
        <button type="button" className="quiet" onClick={() => change({ from: null, to: null })} aria-label="All times">
          ✕
        </button>
      </span>
    );
  }
  return (
    <select aria-label="Time" value={search.get("since") ?? ""} onChange={(event) => change({ since: event.target.value || null })}>
      <option value="">All times</option>
      {SINCE.map((since) => (
        <option key={since} value={since}>
          Last {since}
        </option>
      ))}
    </select>
  );
}

function moment(text: string | null): string {
  if (!text) return "…";
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(ms) ? text : fullTime(ms).slice(0, 19);
}

const STATUSES: [string, string][] = [
  ["", "Every status"],
  ["success", "Success"],
  ["error", "Errors"],
  ["client_left", "Client left"],
  ["4xx", "4xx"],
  ["5xx", "5xx"],
];

function StatusChoice() {
  const [search, change] = useSearch();
  const status = search.get("status") ?? "";
  const isListed = STATUSES.some(([value]) => value === status);
  return (
    <select aria-label="Status" value={status} onChange={(event) => change({ status: event.target.value || null })}>
      {STATUSES.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
      {!isListed && <option value={status}>{status}</option>}
    </select>
  );
}

function Columns({ shown, onShown }: { shown: string[]; onShown: (shown: string[]) => void }) {
  const toggle = (id: string) => onShown(shown.includes(id) ? shown.filter((other) => other !== id) : [...shown, id]);
  return (
    <Menu label="Columns" className="columns-menu">
      <fieldset>
        <legend className="hidden-text">Columns</legend>
        {COLUMNS.map(({ id, label }) => (
          <label key={id}>
            <input type="checkbox" checked={shown.includes(id)} disabled={id === "time"} onChange={() => toggle(id)} /> {label}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}
