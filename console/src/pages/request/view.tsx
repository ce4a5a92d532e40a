// A request as a whole: what it was, how its time passed, and behind tabs all that is known of it.

import { useMemo, useState } from "react";
import type { LogRecord } from "../../api/types";
import { bytes, fullTime, micros, number } from "../../format";
import { Copy } from "../../parts/copy";
import { type Fact, Facts } from "../../parts/facts";
import { Link } from "../../parts/link";
import { Status } from "../../parts/status";
import { type Tab, Tabs } from "../../parts/tabs";
import { conversation } from "../../read/read";
import { costText, lastAttempt, operationName, provider, tokens } from "../../record";
import { Bodies } from "./bodies";
import { ConversationView } from "./conversation";
import { Decisions } from "./decisions";
import { Details } from "./details";
import { FeedbackView } from "./feedback";
import { PriceSheet } from "./price_sheet";
import { Repeat } from "./repeat";
import { Timeline } from "./timeline";

export function RequestView({ record, onChanged }: { record: LogRecord; onChanged: () => void }) {
  const told = useMemo(() => conversation(record), [record]);
  const tabs: Tab[] = [
    { id: "conversation", label: "Conversation", content: () => <ConversationView record={record} told={told} /> },
    { id: "decisions", label: "Decisions", content: () => <Decisions record={record} /> },
    { id: "cost", label: "Cost", content: () => <PriceSheet record={record} /> },
    { id: "raw", label: "Raw", content: () => <Bodies record={record} /> },
    { id: "repeat", label: "Repeat", content: () => <Repeat record={record} /> },
    { id: "feedback", label: `Feedback${record.feedback?.length ? ` (${record.feedback.length})` : ""}`, content: () => <FeedbackView record={record} onSent={onChanged} /> },
    { id: "details", label: "Details", content: () => <Details record={record} /> },
  ];
  const [shown, setShown] = useState(told || record.request.body === undefined ? "conversation" : "raw");
  return (
    <article className="request">
      <header>
        <h2>
          <Status record={record} /> {record.model ?? lastAttempt(record)?.model ?? record.path}
        </h2>
        <p className="muted">
          {operationName(record.operation)}
          {record.stream ? ", streamed" : ""}
          {provider(record) && (
            <>
              {" "}
              by <strong>{provider(record)}</strong>
            </>
          )}
          , {fullTime(record.started_ms)}
        </p>
        <p className="ids">
          <code title="The id of the request">{record.id}</code> <Copy text={record.id} label="Copy id" />
          <Link to={`/traces/${encodeURIComponent(record.trace_id)}`}>Trace</Link>
          {record.session && <Link to={`/sessions/${encodeURIComponent(record.session)}`}>Session</Link>}
        </p>
      </header>
      {record.error && <Failure record={record} />}
      <Summary record={record} />
      <Timeline record={record} />
      <Tabs label="What is known of the request" tabs={tabs} shown={shown} onShow={setShown} />
    </article>
  );
}

function Failure({ record: { error } }: { record: LogRecord }) {
  return (
    <div className="note error">
      <strong>{[error?.class.replaceAll("_", " "), error?.code].filter(Boolean).join(" · ")}</strong> {error?.message}
    </div>
  );
}

function Summary({ record }: { record: LogRecord }) {
  const used = tokens(record);
  const facts: Fact[] = [
    ["Latency", micros(record.duration_us), `upstream ${micros(record.upstream_us)}`],
    ["First token", record.first_token_us === null ? "–" : micros(record.first_token_us)],
    ["Input", used ? number(used.input) : "–", used?.cached ? `${number(used.cached)} from cache` : undefined],
    ["Output", used ? number(used.output) : "–", used?.reasoning ? `${number(used.reasoning)} reasoning` : undefined],
    ["Cost", costText(record) || "–"],
    ["Size", bytes(record.response_bytes), `${bytes(record.request_bytes)} asked`],
  ];
  return <Facts facts={facts} />;
}
