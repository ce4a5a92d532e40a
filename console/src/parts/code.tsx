import { type ReactNode, useMemo } from "react";
import { Copy } from "./copy";

/** Longest text whose parts are told apart by colour. */
const COLOURED_MAX = 200_000;

/** A text as it is, with a button to copy it. */
export function Code({ text, label, json = false }: { text: string; label: string; json?: boolean }) {
  const shown = useMemo(() => (json && text.length < COLOURED_MAX ? coloured(text) : text), [text, json]);
  return (
    <div className="code">
      <div className="code-bar">
        <span>{label}</span>
        <Copy text={text} />
      </div>
      <pre tabIndex={0} aria-label={label}>
        {shown}
      </pre>
    </div>
  );
}

/** JSON, laid out. */
export function Json({ value, label }: { value: unknown; label: string }) {
  const text = useMemo(() => (typeof value === "string" ? value : JSON.stringify(value, null, 2)), [value]);
  return <Code text={text} label={label} json={typeof value !== "string"} />;
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function coloured(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [whole, quoted, colon] = match;
    parts.push(text.slice(end, match.index));
    const kind = quoted === undefined ? "literal" : colon === undefined ? "string" : "name";
    parts.push(
      <span key={match.index} className={`json-${kind}`}>
        {quoted ?? whole}
      </span>,
      colon ?? "",
    );
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts;
}
