// The configuration as it is in force, as the file says it, and what is doubtful about it.

import type { Configuration } from "../../api/types";
import { useAnswer } from "../../api/use";
import { bytes } from "../../format";
import { Json } from "../../parts/code";
import { Loading, Problem } from "../../parts/notes";
import { isFields } from "../../read/conversation";

const EVERY_MS = 5000;

export function ConfigPage() {
  const { data, error, again } = useAnswer<Configuration>("/v1/gateway/config", {}, EVERY_MS);
  return (
    <div className="page">
      <header>
        <h1>Configuration</h1>
        {data && (
          <span className="muted">
            {data.file}, Ostia {data.version}
          </span>
        )}
      </header>
      {error && <Problem error={error} again={again} />}
      {!data && !error && <Loading />}
      {data && <Told config={data} />}
    </div>
  );
}

function Told({ config: { problems, in_force, written } }: { config: Configuration }) {
  const plain = Object.entries(in_force).filter(([, value]) => !isFields(value));
  const sections = Object.entries(in_force).filter(([, value]) => isFields(value));
  return (
    <>
      {problems.length === 0 ? (
        <p className="note">
          <span className="state good">●</span> <code>ostia check</code> finds nothing doubtful.
        </p>
      ) : (
        problems.map(({ severity, path, line, message, hint }, index) => (
          <p key={index} className={severity === "error" ? "note error" : "note warning"}>
            <b>
              {severity === "error" ? "✕" : "▲"} {path || "the file"}
              {line !== null && `, line ${line}`}
            </b>{" "}
            {message}
            {hint && <span className="muted"> — {hint}</span>}
          </p>
        ))
      )}
      <div className="columns">
        <div className="sections">
          <section className="card">
            <h2>In force</h2>
            <Rows rows={plain} />
          </section>
          {sections.map(([name, value]) => (
            <section key={name} className="card">
              <h2>{name}</h2>
              <Rows rows={Object.entries(value as object)} />
            </section>
          ))}
        </div>
        <div>
          {written === null ? (
            <p className="note">
              There is no file: these are the defaults. <code>ostia init</code> writes a first one.
            </p>
          ) : (
            <Json label="What the file says (credentials are hidden)" value={written} />
          )}
        </div>
      </div>
    </>
  );
}

function Rows({ rows }: { rows: [string, unknown][] }) {
  return (
    <dl className="rows">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{shown(name, value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function shown(name: string, value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "none";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && name.endsWith("bytes")) return bytes(value);
  return String(value);
}
