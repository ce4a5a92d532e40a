// How the time of a request passed: a bar for each attempt, over the whole of it.

import type { Attempt, LogRecord } from "../../api/types";
import { micros } from "../../format";

interface Phase {
  name: string;
  label: string;
  from: number;
  to: number;
}

/** The phases of an attempt, in microseconds from the request. */
function phases(attempt: Attempt): Phase[] {
  const { sent_us, connected_us, first_byte_us, first_token_us, ended_us } = attempt;
  const marks: [string, string, number | undefined][] = [
    ["connect", "connect", connected_us],
    ["wait", "first byte", first_byte_us],
    ["think", "first token", first_token_us],
    first_byte_us === undefined ? ["nothing", "no answer", ended_us] : ["stream", "answer", ended_us],
  ];
  const all: Phase[] = [];
  let from = sent_us;
  for (const [name, label, to] of marks) {
    if (to === undefined || to < from) continue;
    all.push({ name, label, from, to });
    from = to;
  }
  return all;
}

const OUTCOMES: Record<Attempt["outcome"], string> = {
  answered: "answered",
  failed: "failed",
  broken: "broke off",
  abandoned: "abandoned",
};

export function Timeline({ record }: { record: LogRecord }) {
  const whole = Math.max(1, record.duration_us, ...record.attempts.map(({ ended_us }) => ended_us));
  if (record.attempts.length === 0) {
    return <p className="note">No provider was asked: the gateway answered by itself, after {micros(record.duration_us)}.</p>;
  }
  return (
    <section aria-label="Attempts" className="timeline">
      <ol>
        {record.attempts.map((attempt, index) => (
          <li key={index}>
            <div className="attempt">
              <span className={`outcome ${attempt.outcome}`}>{OUTCOMES[attempt.outcome]}</span>
              <strong>{attempt.provider}</strong> <span>{attempt.model}</span>
              {attempt.answered_model && attempt.answered_model !== attempt.model && <span className="muted">as {attempt.answered_model}</span>}
              {attempt.status !== undefined && <span className="muted">{attempt.status}</span>}
              <span className="muted target">{attempt.target}</span>
            </div>
            <div className="track" aria-hidden="true">
              {phases(attempt).map(({ name, label, from, to }) => (
                <span
                  key={name}
                  className={`phase ${name}`}
                  title={`${label}: ${micros(to - from)}`}
                  style={{ left: `${(from / whole) * 100}%`, width: `max(1px, ${((to - from) / whole) * 100}%)` }}
                />
              ))}
            </div>
            <ul className="phases">
              <li>
                queue <b>{micros(attempt.sent_us)}</b>
              </li>
              {phases(attempt).map(({ name, label, from, to }) => (
                <li key={name}>
                  <span className={`swatch ${name}`} aria-hidden="true" /> {label} <b>{micros(to - from)}</b>
                </li>
              ))}
            </ul>
            {attempt.error && (
              <p className="attempt-error">
                {attempt.error.class.replaceAll("_", " ")}
                {attempt.error.message && `: ${attempt.error.message}`}
              </p>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
