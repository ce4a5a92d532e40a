import type { LogRecord } from "../../api/types";
import { Link } from "../../parts/link";
import { cacheText, guardrailText } from "../../record";

/** Everything else that is known of a request. */
export function Details({ record }: { record: LogRecord }) {
  const metadata = Object.entries(record.metadata);
  const rows: [string, string | null | undefined][] = [
    ["Path", `${record.method} ${record.path}`],
    ["Model asked for", record.model],
    ["Key of the gateway", record.key],
    ["Client", record.client],
    ["Its software", record.user_agent],
    ["Ended", { whole: "whole", broken: "broke off", client_left: "the client left", "": "" }[record.end]],
    ["Finish reason", record.finish_reason],
    ["Cache of answers", record.cache && cacheText(record.cache)],
    ...(record.guardrails ?? []).map((result): [string, string] => [`Guardrail ${result.name ?? result.id}`, guardrailText(result)]),
    ["Session", record.session],
    ["Trace", record.trace_id],
    ["Span", record.span_id],
    ["Span above", record.parent_span_id],
    ["Span's name", record.span_name],
    ...record.attempts.map(({ provider, request_id }): [string, string | undefined] => [`Request id of ${provider}`, request_id]),
  ];
  return (
    <>
      <dl className="rows">
        {rows.map(([name, value], index) =>
          value ? (
            <div key={index}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      <h3>Metadata</h3>
      {metadata.length === 0 ? (
        <p className="muted">
          None. Send <code>{`x-ostia-metadata: {"team": "red"}`}</code> to find requests by it.
        </p>
      ) : (
        <dl className="rows">
          {metadata.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Link to={`/logs?metadata=${encodeURIComponent(JSON.stringify({ [name]: value }))}`}>{value}</Link>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}
