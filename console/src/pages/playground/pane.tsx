// One of the answers: of whom, in which format, and what came.

import type { Model } from "../../api/types";
import { millis, number } from "../../format";
import { type Fact, Facts } from "../../parts/facts";
import { Link } from "../../parts/link";
import { Problem } from "../../parts/notes";
import { TurnView } from "../request/conversation";
import { FORMATS, type FormatId } from "./formats";
import type { Run } from "./run";

export interface Choice {
  model: string;
  format: FormatId;
}

interface Props {
  name: string;
  choice: Choice;
  models: Model[];
  run: Run;
  onChoice: (choice: Choice) => void;
  onCode: () => void;
  onAway?: () => void;
}

export function Pane({ name, choice, models, run, onChoice, onCode, onAway }: Props) {
  const isUnderWay = run.state === "asking" || run.state === "streaming";
  const list = `models-${name}`;
  return (
    <section className="pane card" aria-label={`Answer ${name}`}>
      <header>
        <label>
          Model
          <input value={choice.model} list={list} onChange={(event) => onChoice({ ...choice, model: event.target.value })} placeholder="@openai/gpt-4o-mini" spellCheck={false} />
          <datalist id={list}>
            {models.map(({ id }) => (
              <option key={id} value={id} />
            ))}
          </datalist>
        </label>
        <label>
          Format
          <select value={choice.format} onChange={(event) => onChoice({ ...choice, format: event.target.value as FormatId })}>
            {(Object.keys(FORMATS) as FormatId[]).map((id) => (
              <option key={id} value={id}>
                {FORMATS[id].label}
              </option>
            ))}
          </select>
        </label>
      </header>
      <div className="output" aria-live="polite" aria-busy={isUnderWay}>
        {run.error && <Problem error={run.error} />}
        {run.turns.map((turn, index) => (
          <TurnView key={index} turn={turn} />
        ))}
        {isUnderWay && <span className="cursor" role="status" aria-label="The answer is coming" />}
        {run.state === "idle" && <p className="faint">The answer streams in here.</p>}
        {run.state === "stopped" && <p className="muted">Stopped.</p>}
      </div>
      {run.totalMs !== null && <Figures run={run} />}
      <p className="actions">
        <button type="button" className="small" onClick={onCode}>
          Code
        </button>
        {run.traceId && run.state !== "asking" && (
          <Link to={`/logs?trace=${encodeURIComponent(run.traceId)}`} className="button small">
            Its record
          </Link>
        )}
        {onAway && (
          <button type="button" className="small" onClick={onAway}>
            Take away
          </button>
        )}
      </p>
    </section>
  );
}

function Figures({ run }: { run: Run }) {
  const facts: Fact[] = [
    ["By", run.provider ?? "–"],
    ["First token", run.firstTokenMs === null ? "–" : millis(run.firstTokenMs)],
    ["In all", millis(run.totalMs ?? 0)],
    ["Input", run.used ? number(run.used.input) : "–"],
    ["Output", run.used ? number(run.used.output) : "–"],
  ];
  return <Facts facts={facts} />;
}
