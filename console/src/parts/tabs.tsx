import { type KeyboardEvent, type ReactNode, useId } from "react";

export interface Tab {
  id: string;
  label: string;
  content: () => ReactNode;
}

/** One of several things at a time. The arrows go from one to the next, as everywhere. */
export function Tabs({ tabs, shown, onShow, label }: { tabs: Tab[]; shown: string; onShow: (id: string) => void; label: string }) {
  const base = useId();
  const current = tabs.find(({ id }) => id === shown) ?? tabs[0];
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !current) return;
    event.preventDefault();
    const next = tabs.at((tabs.indexOf(current) + step) % tabs.length);
    if (!next) return;
    onShow(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <>
      <div role="tablist" aria-label={label} className="tabs" onKeyDown={move}>
        {tabs.map(({ id, label }) => (
          <button
            key={id}
            id={`${base}-${id}`}
            type="button"
            role="tab"
            aria-selected={id === current?.id}
            aria-controls={`${base}-panel`}
            tabIndex={id === current?.id ? 0 : -1}
            onClick={() => onShow(id)}
          >
            {label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${current?.id}`}>
        {current?.content()}
      </div>
    </>
  );
}
