// What was thought of an answer, and a place to say it.

import { type FormEvent, useState } from "react";
import { type ApiError, post } from "../../api/client";
import type { LogRecord } from "../../api/types";
import { toApiError } from "../../api/use";
import { fullTime } from "../../format";
import { Problem } from "../../parts/notes";

const GOOD = 1;
const BAD = -1;

export function FeedbackView({ record, onSent }: { record: LogRecord; onSent: () => void }) {
  const [text, setText] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const send = (value: number) => {
    const metadata = text.trim() ? { text: text.trim() } : undefined;
    post("/v1/feedback", { trace_id: record.trace_id, value, metadata }).then(
      () => {
        setText("");
        setError(null);
        onSent();
      },
      (error: unknown) => setError(toApiError(error)),
    );
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const pressed = (event.nativeEvent as SubmitEvent).submitter;
    send(pressed instanceof HTMLButtonElement && pressed.value === "bad" ? BAD : GOOD);
  };
  const all = record.feedback ?? [];
  return (
    <>
      {error && <Problem error={error} />}
      {all.length === 0 ? (
        <p className="muted">Nobody has said yet what they think of this trace. Applications send it to /v1/feedback.</p>
      ) : (
        <ul className="steps">
          {all.map(({ id, created_ms, value, weight, metadata }) => (
            <li key={id}>
              <span className="number">
                <b>{value > 0 ? `+${value}` : value}</b>
                {weight !== 1 && ` × ${weight}`}
              </span>
              <span>
                {typeof metadata?.text === "string" ? metadata.text : metadata && JSON.stringify(metadata)}{" "}
                <span className="muted">{fullTime(created_ms).slice(0, 19)}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
      <form className="find" onSubmit={submit}>
        <input value={text} onChange={(event) => setText(event.target.value)} placeholder="Why (may stay empty)" aria-label="Why" />
        <button type="submit" value="good">
          Good
        </button>
        <button type="submit" value="bad">
          Bad
        </button>
      </form>
    </>
  );
}
