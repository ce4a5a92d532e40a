// The conversation as a conversation. Whatever a model or a client wrote is shown as text, and nothing of it is loaded from elsewhere.

import type { KeptBody, LogRecord } from "../../api/types";
import { Copy } from "../../parts/copy";
import { Json } from "../../parts/code";
import { type Conversation, type Part, type Turn, laidOut } from "../../read/conversation";
import { Missing } from "./missing";

/** Turns beyond these are folded: the last ones are what the request was about. */
const TURNS_SHOWN = 12;

export function ConversationView({ record, told }: { record: LogRecord; told: Conversation | null }) {
  if (!told) return <NotTold record={record} />;
  const folded = told.asked.slice(0, -TURNS_SHOWN);
  const shown = told.asked.slice(-TURNS_SHOWN);
  return (
    <div className="conversation">
      <Missing body={record.request} side="request" />
      {folded.length > 0 && (
        <details className="folded">
          <summary>{folded.length} earlier turns</summary>
          {folded.map((turn, index) => (
            <TurnView key={index} turn={turn} />
          ))}
        </details>
      )}
      {shown.map((turn, index) => (
        <TurnView key={index} turn={turn} />
      ))}
      <div className="answered">
        {told.answered.map((turn, index) => (
          <TurnView key={index} turn={turn} note={told.answered.length > 1 ? `choice ${index + 1}` : record.finish_reason} />
        ))}
        <Missing body={record.response} side="answer" />
      </div>
      {told.tools.length > 0 && (
        <details>
          <summary>
            {told.tools.length} {told.tools.length === 1 ? "tool" : "tools"}: {told.tools.map(({ name }) => name).join(", ")}
          </summary>
          <Json label="Tools" value={told.tools.map(({ definition }) => definition)} />
        </details>
      )}
      {Object.keys(told.settings).length > 0 && (
        <details>
          <summary>Settings: {Object.keys(told.settings).join(", ")}</summary>
          <Json label="Settings" value={told.settings} />
        </details>
      )}
    </div>
  );
}

function NotTold({ record }: { record: LogRecord }) {
  const isKept = (body: KeptBody) => body.body !== undefined;
  return (
    <div className="conversation">
      <Missing body={record.request} side="request" />
      <Missing body={record.response} side="answer" />
      {(isKept(record.request) || isKept(record.response)) && <p className="muted">This call is no conversation: what was said is under “Raw”.</p>}
    </div>
  );
}

export function TurnView({ turn, note }: { turn: Turn; note?: string | null }) {
  return (
    <section className={`turn ${/^(assistant|model)$/.test(turn.role) ? "model" : turn.role === "user" ? "user" : "system"}`}>
      <h3>
        {turn.role}
        {note && <span className="muted"> {note}</span>}
      </h3>
      <div className="parts">
        {turn.parts.map((part, index) => (
          <PartView key={index} part={part} />
        ))}
        {turn.parts.length === 0 && <p className="faint">(nothing)</p>}
      </div>
    </section>
  );
}

function PartView({ part }: { part: Part }) {
  switch (part.kind) {
    case "text":
      return <p className="said">{part.text}</p>;
    case "refusal":
      return (
        <p className="said refusal">
          <b>Refused:</b> {part.text}
        </p>
      );
    case "thinking":
      return (
        <details className="thinking" open={part.text.length < 600}>
          <summary>Thinking</summary>
          <p className="said">{part.text}</p>
        </details>
      );
    case "call":
      return (
        <div className="tool">
          <header>
            <b>calls</b> <code>{part.name}</code> <span className="faint">{part.id}</span>
            <Copy text={part.input} />
          </header>
          <pre tabIndex={0} aria-label={`What ${part.name} is called with`}>{laidOut(part.input)}</pre>
        </div>
      );
    case "result":
      return (
        <div className={part.isError ? "tool failed" : "tool"}>
          <header>
            <b>{part.isError ? "error of" : "result of"}</b> <span className="faint">{part.id}</span>
          </header>
          {part.parts.map((inner, index) =>
            inner.kind === "text" ? (
              <pre key={index} tabIndex={0} aria-label="Result">{laidOut(inner.text)}</pre>
            ) : (
              <PartView key={index} part={inner} />
            ),
          )}
        </div>
      );
    case "image":
      return part.url.startsWith("data:") ? <img className="picture" src={part.url} alt={`Image (${part.name})`} /> : <Remote part={part} />;
    case "audio":
      return part.url.startsWith("data:") ? <audio controls src={part.url} aria-label={`Audio (${part.name})`} /> : <Remote part={part} />;
    case "file":
      return <Remote part={part} />;
    case "other":
      return <Json label="Something else" value={part.value} />;
  }
}

/** A file elsewhere is a link: to load it would tell its host who reads this. */
function Remote({ part: { kind, url, name } }: { part: Extract<Part, { url: string }> }) {
  const isWeb = /^https?:\/\//.test(url);
  return (
    <p className="remote">
      <b>{kind}</b>{" "}
      {isWeb ? (
        <a href={url} target="_blank" rel="noopener noreferrer nofollow">
          {url}
        </a>
      ) : (
        <code>{name.slice(0, 200)}</code>
      )}
    </p>
  );
}
