// The requests of a trace and the spans of applications, one below the other, over the time that it took.

import { type FormEvent, useState } from "react";
import type { AppLog, AppSpan, LogRecord, TraceNode, TraceRequest, TraceTold } from "../../api/types";
import { useAnswer } from "../../api/use";
import { clock, fullTime, micros, money, number } from "../../format";
import { type Fact, Facts } from "../../parts/facts";
import { Link } from "../../parts/link";
import { Loading, Problem } from "../../parts/notes";
import { Status } from "../../parts/status";
import { costText, costs, lastAttempt, provider, tokens } from "../../record";
import { go, usePlace } from "../../router";

export function TracesPage() {
  const { parts } = usePlace();
  const id = parts[1];
  return (
    <div className="page">
      <header>
        <h1>Traces</h1>
      </header>
      <Find key={id} id={id ?? ""} />
      {id ? <Trace id={id} /> : <Recent />}
    </div>
  );
}

function Find({ id }: { id: string }) {
  const [text, setText] = useState(id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) go(`/traces/${encodeURIComponent(text.trim())}`);
  };
  return (
    <form className="find" role="search" onSubmit={submit}>
      <input type="search" value={text} onChange={(event) => setText(event.target.value)} placeholder="The id of a trace, of a request, or of a provider" aria-label="The id of a trace" spellCheck={false} />
      <button type="submit">Show</button>
    </form>
  );
}

interface Row {
  node: TraceNode;
  depth: number;
}

function rows(tree: TraceNode[], depth = 0): Row[] {
  return tree.flatMap((node) => [{ node, depth }, ...rows(node.children, depth + 1)]);
}

function isRequest(node: TraceNode): node is TraceRequest {
  return node.object === "request";
}

function Trace({ id }: { id: string }) {
  const { data, error, again } = useAnswer<TraceTold>(`/v1/traces/${encodeURIComponent(id)}`);
  if (error) return <Problem error={error} again={again} />;
  if (!data) return <Loading />;
  const all = rows(data.data);
  const requests = all.map(({ node }) => node).filter(isRequest);
  const began = Math.min(...all.map(({ node }) => node.started_ms));
  const ended = Math.max(...all.map(({ node }) => node.started_ms + node.duration_us / 1000));
  const used = requests.map(tokens);
  const sum = (of: "input" | "output") => used.reduce((total, tokens) => total + (tokens?.[of] ?? 0), 0);
  const cost = costs(requests.flatMap(({ attempts }) => attempts)).map(([currency, amount]) => money(amount, currency));
  const facts: Fact[] = [
    ["Requests", number(requests.length)],
    ...(all.length > requests.length ? [["Spans", number(all.length - requests.length)] as Fact] : []),
    ["In all", micros(Math.round((ended - began) * 1000))],
    ["Input", number(sum("input"))],
    ["Output", number(sum("output"))],
    ["Cost", cost.join(" + ") || "–"],
    ["Began", clock(began)],
  ];
  return (
    <>
      <Facts facts={facts} />
      <div className="card">
        {all.map((row) => (
          <SpanRow key={isRequest(row.node) ? row.node.id : `${row.node.span_id} ${row.node.key ?? ""}`} row={row} began={began} spanMs={Math.max(1, ended - began)} />
        ))}
      </div>
      {data.logs.length > 0 && <Logs logs={data.logs} />}
    </>
  );
}

function SpanRow({ row: { node, depth }, began, spanMs }: { row: Row; began: number; spanMs: number }) {
  const left = ((node.started_ms - began) / spanMs) * 100;
  const width = (node.duration_us / 1000 / spanMs) * 100;
  const isGood = isRequest(node) ? node.status < 400 && node.end === "whole" : node.status !== "error";
  const kind = isRequest(node) ? undefined : "of-app";
  return (
    <div className="span-row">
      <div className="span-name" style={{ paddingLeft: Math.min(depth, DEPTH_SHOWN) * 16 }}>
        {isRequest(node) ? <RequestName record={node} /> : <AppName span={node} />}
      </div>
      <div className="span-track" aria-hidden="true">
        <span className={isGood ? kind : "failed"} style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
      </div>
      <span className="number">{micros(node.duration_us)}</span>
      <span className="number">{(isRequest(node) && costText(node)) || "–"}</span>
      {node.logs && <Logs logs={node.logs} />}
    </div>
  );
}

/** How far rows are moved in at most: what lies deeper has no room on the page. */
const DEPTH_SHOWN = 12;

function RequestName({ record }: { record: LogRecord }) {
  return (
    <>
      <Status record={record} /> <Link to={`/logs/${record.id}`}>{record.span_name ?? record.model ?? lastAttempt(record)?.model ?? record.path}</Link>{" "}
      <span className="muted">{provider(record)}</span>
    </>
  );
}

function AppName({ span }: { span: AppSpan }) {
  const { attributes, events, status, status_message, key, scope } = span;
  const more = { kind: span.kind, scope, key, status, status_message, attributes, events };
  return (
    <details className="span-more">
      <summary>
        {status === "error" && <span className="status error">✕ </span>}
        {span.name} <span className="muted">{span.service}</span>
      </summary>
      <pre>{JSON.stringify(more, (_, value) => value ?? undefined, 2)}</pre>
    </details>
  );
}

function Logs({ logs }: { logs: AppLog[] }) {
  return (
    <ul className="span-logs">
      {logs.map((log, at) => (
        <li key={at}>
          <span className="muted">
            {clock(log.at_ms)} {log.severity}
          </span>{" "}
          {typeof log.body === "string" ? log.body : JSON.stringify(log.body)}
        </li>
      ))}
    </ul>
  );
}

/** Of how many requests the traces are looked for. */
const LOOKED_AT = 500;

function Recent() {
  const { data, error, again } = useAnswer<{ data: LogRecord[] }>("/v1/logs", { limit: LOOKED_AT });
  if (error) return <Problem error={error} again={again} />;
  if (!data) return <Loading />;
  const traces = new Map<string, LogRecord[]>();
  for (const record of data.data) traces.set(record.trace_id, [...(traces.get(record.trace_id) ?? []), record]);
  const several = [...traces].filter(([, records]) => records.length > 1);
  return (
    <section className="section">
      <header>
        <h2>Of the last {number(data.data.length)} requests</h2>
      </header>
      {several.length === 0 ? (
        <p className="note">
          No two of them belong to one trace. Send W3C's <code>traceparent</code> (OpenTelemetry does) or one <code>x-ostia-trace-id</code> with all
          requests of a task, and they stand together here.
        </p>
      ) : (
        <div className="card scroll-x">
          <table className="list">
            <thead>
              <tr>
                <th>Trace</th>
                <th>Began</th>
                <th className="number">Requests</th>
                <th className="number">Failed</th>
                <th className="number">Cost</th>
              </tr>
            </thead>
            <tbody>
              {several.map(([id, records]) => (
                <tr key={id}>
                  <td>
                    <Link to={`/traces/${encodeURIComponent(id)}`}>
                      <code>{id}</code>
                    </Link>
                  </td>
                  <td>{fullTime(Math.min(...records.map(({ started_ms }) => started_ms)))}</td>
                  <td className="number">{number(records.length)}</td>
                  <td className="number">{number(records.filter(({ status }) => status >= 400).length)}</td>
                  <td className="number">
                    {costs(records.flatMap(({ attempts }) => attempts))
                      .map(([currency, amount]) => money(amount, currency))
                      .join(" + ") || "–"}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
