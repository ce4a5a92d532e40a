// All filters as fields, for whoever does not know the words of the search.

import { type FormEvent, useState } from "react";
import { Dialog } from "../../parts/dialog";
import { useSearch } from "../../router";
import { type Filter, metadataOf } from "./query";

const TEXTS: [Filter, string, string][] = [
  ["provider", "Provider", "openai"],
  ["model", "Model asked for", "gpt-4o"],
  ["key", "Key of the gateway", "team-red"],
  ["operation", "Operation", "openai_chat"],
  ["status", "Status", "error, 404, 5xx"],
  ["text", "Text in bodies", "at least three letters"],
  ["session", "Session", ""],
  ["trace", "Trace, request or provider's id", ""],
];

const BOUNDS: [string, string, string][] = [
  ["cost", "Cost in dollars", "any"],
  ["latency", "Latency in ms", "1"],
  ["tokens", "Tokens", "1"],
];

const local = (text: string | null): string => {
  if (!text) return "";
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(ms)) return "";
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19);
};

export function FilterForm({ onClose }: { onClose: () => void }) {
  const [search, change] = useSearch();
  const [metadata, setMetadata] = useState(() =>
    Object.entries(metadataOf(search.get("metadata")))
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const text = (name: string) => String(fields.get(name) ?? "").trim() || null;
    const changes: Record<string, string | null> = {};
    for (const [name] of TEXTS) changes[name] = text(name);
    for (const [name] of BOUNDS) {
      changes[`${name}_min`] = text(`${name}_min`);
      changes[`${name}_max`] = text(`${name}_max`);
    }
    for (const name of ["from", "to"]) {
      const moment = text(name);
      changes[name] = moment && new Date(moment).toISOString();
    }
    if (changes.from || changes.to) changes.since = null;
    const pairs = metadata.split(/\s+/).flatMap((pair) => {
      const [name, value] = pair.split(/=(.*)/s);
      return name && value ? [[name, value]] : [];
    });
    changes.metadata = pairs.length > 0 ? JSON.stringify(Object.fromEntries(pairs)) : null;
    change(changes);
    onClose();
  };
  return (
    <Dialog title="Filters" onClose={onClose}>
      <form className="fields" onSubmit={submit}>
        {TEXTS.map(([name, label, example]) => (
          <label key={name}>
            {label}
            <input name={name} defaultValue={search.get(name) ?? ""} placeholder={example} spellCheck={false} />
          </label>
        ))}
        <label>
          Metadata
          <input value={metadata} onChange={(event) => setMetadata(event.target.value)} placeholder="team=red user=ada" spellCheck={false} />
        </label>
        {BOUNDS.map(([name, label, step]) => (
          <fieldset key={name}>
            <legend>{label}</legend>
            <input type="number" min="0" step={step} name={`${name}_min`} defaultValue={search.get(`${name}_min`) ?? ""} aria-label={`${label}, at least`} placeholder="at least" />
            <input type="number" min="0" step={step} name={`${name}_max`} defaultValue={search.get(`${name}_max`) ?? ""} aria-label={`${label}, at most`} placeholder="at most" />
          </fieldset>
        ))}
        <fieldset>
          <legend>Time</legend>
          <input type="datetime-local" step="1" name="from" defaultValue={local(search.get("from"))} aria-label="From" />
          <input type="datetime-local" step="1" name="to" defaultValue={local(search.get("to"))} aria-label="To" />
        </fieldset>
        <footer>
          <button type="submit" className="primary">
            Apply
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
