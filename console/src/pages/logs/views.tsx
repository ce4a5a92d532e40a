// Filters that somebody wants again: kept in the browser, under a name.

import { type FormEvent, useState } from "react";
import { Menu } from "../../parts/menu";
import { go, useSearch } from "../../router";
import { keep, kept } from "../../settings";

interface View {
  name: string;
  search: string;
}

const FIRST: View[] = [
  { name: "Errors of the last day", search: "status=error&since=24h" },
  { name: "Slower than ten seconds", search: "latency_min=10000" },
  { name: "Dearer than ten cents", search: "cost_min=0.1" },
];

export function Views() {
  const [search] = useSearch();
  const [views, setViews] = useState(() => kept<View[]>("views", FIRST));
  const [name, setName] = useState("");
  const set = (views: View[]) => {
    keep("views", views);
    setViews(views);
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const view = { name: name.trim(), search: search.toString() };
    set([...views.filter(({ name }) => name !== view.name), view]);
    setName("");
  };
  return (
    <Menu label="Views">
      <div className="views">
        <ul>
          {views.map((view) => (
            <li key={view.name}>
              <button type="button" className="quiet wide" onClick={() => go(`/logs${view.search ? `?${view.search}` : ""}`)}>
                {view.name}
              </button>
              <button type="button" className="quiet" aria-label={`Forget the view ${view.name}`} onClick={() => set(views.filter((other) => other !== view))}>
                ✕
              </button>
            </li>
          ))}
        </ul>
        <form onSubmit={save}>
          <input value={name} onChange={(event) => setName(event.target.value)} placeholder="Name of these filters" aria-label="Name of the view" required />
          <button type="submit">Save</button>
        </form>
      </div>
    </Menu>
  );
}
