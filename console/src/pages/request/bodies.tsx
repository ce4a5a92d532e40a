import type { KeptBody, LogRecord } from "../../api/types";
import { Code, Json } from "../../parts/code";
import { Missing } from "./missing";

/** Both bodies, as they went over the wire. */
export function Bodies({ record }: { record: LogRecord }) {
  return (
    <div className="bodies">
      <Side body={record.request} side="request" label="Request" />
      <Side body={record.response} side="answer" label={record.stream ? "Answer, a stream" : "Answer"} />
      <details>
        <summary>The record itself</summary>
        <Json label="Record" value={{ ...record, request: undefined, response: undefined }} />
      </details>
    </div>
  );
}

function Side({ body, side, label }: { body: KeptBody; side: "request" | "answer"; label: string }) {
  return (
    <>
      <Missing body={body} side={side} />
      {typeof body.body === "string" ? <Code label={label} text={body.body} /> : body.body !== undefined && <Json label={label} value={body.body} />}
    </>
  );
}
