// What a row of the list may tell.

import type { ReactNode } from "react";
import type { LogRecord } from "../../api/types";
import { bytes, clock, fullTime, micros, number } from "../../format";
import { Status } from "../../parts/status";
import { costText, lastAttempt, operationName, provider, tokens } from "../../record";

export interface Column {
  id: string;
  label: string;
  /** As a track of a grid. */
  width: string;
  isNumber?: boolean;
  cell: (record: LogRecord) => ReactNode;
}

const nothing = <span className="faint">–</span>;

export const COLUMNS: Column[] = [
  {
    id: "time",
    label: "Time",
    width: "118px",
    cell: (record) => <time dateTime={new Date(record.started_ms).toISOString()} title={fullTime(record.started_ms)}>{clock(record.started_ms)}</time>,
  },
  { id: "status", label: "Status", width: "76px", cell: (record) => <Status record={record} /> },
  { id: "model", label: "Model", width: "minmax(140px, 1.6fr)", cell: (record) => record.model ?? lastAttempt(record)?.model ?? nothing },
  { id: "provider", label: "Provider", width: "minmax(90px, 1fr)", cell: (record) => <Providers record={record} /> },
  { id: "operation", label: "Operation", width: "minmax(110px, 1fr)", cell: (record) => operationName(record.operation) },
  { id: "key", label: "Key", width: "minmax(70px, 0.7fr)", cell: (record) => record.key ?? nothing },
  { id: "input", label: "Input", width: "76px", isNumber: true, cell: (record) => count(tokens(record)?.input) },
  { id: "output", label: "Output", width: "76px", isNumber: true, cell: (record) => count(tokens(record)?.output) },
  { id: "cached", label: "Cached", width: "76px", isNumber: true, cell: (record) => count(tokens(record)?.cached) },
  { id: "cost", label: "Cost", width: "96px", isNumber: true, cell: (record) => costText(record) || nothing },
  { id: "first", label: "First token", width: "92px", isNumber: true, cell: (record) => (record.first_token_us === null ? nothing : micros(record.first_token_us)) },
  { id: "latency", label: "Latency", width: "88px", isNumber: true, cell: (record) => micros(record.duration_us) },
  { id: "finish", label: "Finish", width: "90px", cell: (record) => record.finish_reason ?? record.error?.class ?? nothing },
  { id: "attempts", label: "Attempts", width: "76px", isNumber: true, cell: (record) => record.attempts.length },
  { id: "size", label: "Answer", width: "84px", isNumber: true, cell: (record) => bytes(record.response_bytes) },
  { id: "metadata", label: "Metadata", width: "minmax(120px, 1.2fr)", cell: (record) => metadata(record) },
  { id: "trace", label: "Trace", width: "96px", cell: (record) => <code>{record.trace_id.slice(0, 10)}</code> },
  { id: "agent", label: "Client", width: "minmax(110px, 1fr)", cell: (record) => record.user_agent ?? record.client ?? nothing },
];

/** Those that are shown where nobody chose. */
export const SHOWN = ["time", "status", "model", "provider", "operation", "input", "output", "cost", "first", "latency", "finish"];
/** Those on a narrow screen, whatever was chosen: a row takes two lines there. */
export const NARROW = ["time", "status", "model", "cost", "latency"];

function count(value: number | undefined): ReactNode {
  return value === undefined ? nothing : number(value);
}

/** Who answered, behind those who did not. */
function Providers({ record }: { record: LogRecord }) {
  const others = record.attempts.length - 1;
  const name = provider(record);
  if (!name) return nothing;
  return (
    <>
      {name}
      {others > 0 && <span className="faint" title={record.attempts.map((attempt) => `${attempt.provider}: ${attempt.outcome}`).join("\n")}> +{others}</span>}
    </>
  );
}

function metadata(record: LogRecord): ReactNode {
  const fields = Object.entries(record.metadata);
  return fields.length === 0 ? nothing : fields.map(([name, value]) => `${name}=${value}`).join(" ");
}
