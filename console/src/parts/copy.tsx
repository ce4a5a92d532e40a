import { useEffect, useState } from "react";

/** Copies a text. */
export function Copy({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [done, setDone] = useState<string | null>(null);
  useEffect(() => {
    if (done === null) return;
    const timer = setTimeout(() => setDone(null), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () =>
    write(typeof text === "string" ? text : text()).then(
      () => setDone("Copied"),
      () => setDone("Not copied"),
    );
  return (
    <button type="button" className="small" onClick={() => void copy()} aria-live="polite">
      {done ?? label}
    </button>
  );
}

async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without HTTPS there is no such thing beyond the own machine.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not let us");
}
