import type { LogRecord } from "../api/types";
import { ENDINGS, type Ending, ending } from "../record";

// A sign beside the number, so that it is read without colour.
const SIGNS: Record<Ending, string> = { ok: "●", error: "✕", left: "◌", broken: "◐" };

/** The status of a request, and how it ended. */
export function Status({ record }: { record: LogRecord }) {
  const end = ending(record);
  return (
    <span className={`status ${end}`} title={ENDINGS[end]}>
      <span aria-hidden="true" className="sign">
        {SIGNS[end]}
      </span>
      {record.status || "–"}
      <span className="hidden-text"> {ENDINGS[end]}</span>
    </span>
  );
}
