// How it was decided whom to ask, in words.

import type { LogRecord, Step } from "../../api/types";
import { millis } from "../../format";

const RESULTS: Record<string, string> = {
  answered: "was answered",
  under_way: "was still under way when this was written",
  exhausted: "had no target left to ask",
  stopped: "was not tried again: the config says so of this failure",
  deadline: "ran out of time",
  attempts_max: "had made as many attempts as it may",
  client_gone: "was left by its client",
  broken: "broke off in the middle of the answer",
  too_much_work: "asked for more decisions than a request may",
};

/** A step in a sentence. */
function sentence({ step, target, attempt, status, class: kind, wait_ms, why }: Step): string {
  const because = why ? ` (${why})` : "";
  const failure = [status, kind?.replaceAll("_", " ")].filter(Boolean).join(", ");
  switch (step) {
    case "chosen":
      return `${target} was chosen${because}.`;
    case "skipped":
      return `${target} was left out${because}.`;
    case "tried":
      return `Attempt ${attempt}: ${target} was asked${because}.`;
    case "answered":
      return `${target} answered${status ? ` ${status}` : ""}.`;
    case "failed":
      return `${target} failed${failure ? `: ${failure}` : ""}${because}.`;
    case "malformed":
      return `${target} answered with what is no answer${because}.`;
    case "dropped":
      return `${target} was given up: another one was faster, or nobody waited${because}.`;
    case "waits":
      return `Waited ${millis(wait_ms ?? 0)} before asking ${target} again${because}.`;
    case "not_again":
      return `${target} was not asked again${because}.`;
    case "breakers_ignored":
      return "The breakers of all targets are open, so none of them counts.";
    case "gave_up":
      return `Gave up${because.replaceAll("_", " ")}.`;
    default:
      return [step, target, why].filter(Boolean).join(" ");
  }
}

export function Decisions({ record }: { record: LogRecord }) {
  const { decisions, attempts } = record;
  const dropped = attempts.flatMap((attempt) => (attempt.dropped ?? []).map((field) => ({ provider: attempt.provider, field })));
  return (
    <div className="decisions">
      {decisions ? (
        <>
          <p>
            The request {RESULTS[decisions.result] ?? decisions.result}
            {decisions.answered_by && (
              <>
                {" "}
                by <code>{decisions.answered_by}</code>
              </>
            )}
            , after {decisions.attempts} {decisions.attempts === 1 ? "attempt" : "attempts"}.
          </p>
          {decisions.steps ? (
            <ol className="steps">
              {decisions.steps.map((step, index) => (
                <li key={index}>
                  <span className="number at-ms">{step.at_ms} ms</span>
                  <span>{sentence(step)}</span>
                </li>
              ))}
            </ol>
          ) : (
            <p className="note">The steps were too many to be kept.</p>
          )}
          {decisions.steps_left_out ? <p className="muted">and {decisions.steps_left_out} steps more</p> : null}
        </>
      ) : (
        <p>There was nothing to decide: the request named one target, or none was needed.</p>
      )}
      <h3>What was dropped</h3>
      {dropped.length === 0 ? (
        <p className="muted">Nothing: all of the request could be said to the provider.</p>
      ) : (
        <ul>
          {dropped.map(({ provider, field }, index) => (
            <li key={index}>
              <code>{field}</code> could not be said to {provider}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
