// Who can be asked: whether there is a key, how it went of late, and what models cost.

import { useState } from "react";
import type { Configuration, Model, Provider, Providers } from "../../api/types";
import { useAnswer, useModels } from "../../api/use";
import { millis, number, perMillion, short } from "../../format";
import { Empty, Loading, Problem } from "../../parts/notes";
import { Link } from "../../parts/link";
import { useSearch } from "../../router";

const EVERY_MS = 5000;
/** Most rows of the list of models. */
const MODELS_SHOWN = 300;

export function ProvidersPage() {
  const [search, change] = useSearch();
  const since = search.get("since") ?? "1h";
  const { data, error, again } = useAnswer<Providers>("/v1/gateway/providers", { since }, EVERY_MS);
  return (
    <div className="page">
      <header>
        <h1>Providers and models</h1>
        <div className="choice" role="group" aria-label="Time">
          {["15m", "1h", "24h", "7d"].map((time) => (
            <button key={time} type="button" aria-pressed={time === since} onClick={() => change({ since: time })}>
              {time}
            </button>
          ))}
        </div>
      </header>
      {error && <Problem error={error} again={again} />}
      {!data && !error && <Loading />}
      {data?.data.length === 0 && (
        <Empty title="No provider yet">
          <p>
            Set a key, as <code>OPENAI_API_KEY</code>, before the gateway starts, or write providers into <code>ostia.yaml</code>. Clients may also
            bring their own.
          </p>
        </Empty>
      )}
      {data && data.data.length > 0 && <Table providers={data} since={since} />}
      {data && data.breakers.length > 0 && <Breakers breakers={data.breakers} />}
      <Models />
    </div>
  );
}

function Table({ providers: { data, default_provider }, since }: { providers: Providers; since: string }) {
  return (
    <div className="card scroll-x">
      <table className="list">
        <thead>
          <tr>
            <th>Provider</th>
            <th>Health</th>
            <th>Key</th>
            <th className="number">Requests</th>
            <th className="number">Failed attempts</th>
            <th className="number">p50</th>
            <th className="number">p90</th>
            <th className="number">p99</th>
            <th>APIs</th>
          </tr>
        </thead>
        <tbody>
          {data.map((provider) => (
            <tr key={provider.id}>
              <td>
                <Link to={`/logs?since=${since}&provider=${encodeURIComponent(provider.id)}`}>
                  <strong>{provider.name}</strong>
                </Link>
                {provider.id === default_provider && <span className="muted"> default</span>}
                <br />
                <small>{provider.host ?? "where you say"}</small>
              </td>
              <td>
                <Health provider={provider} />
              </td>
              <td>
                <Key provider={provider} />
              </td>
              <td className="number">{provider.recent ? number(provider.recent.requests) : "–"}</td>
              <td className="number">{provider.recent ? `${number(provider.recent.failed_attempts)} of ${number(provider.recent.attempts)}` : "–"}</td>
              {(["p50", "p90", "p99"] as const).map((percentile) => (
                <td key={percentile} className="number">
                  {told(provider.recent?.latency_ms[percentile])}
                </td>
              ))}
              <td className="apis">
                <details>
                  <summary>{provider.apis.length} APIs</summary>
                  {provider.apis.map((api) => api.replaceAll("_", " ")).join(", ")}
                </details>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const told = (ms: number | null | undefined): string => (ms === null || ms === undefined ? "–" : millis(ms));

/** From what share of failed attempts on a provider is in trouble, and from which on it is down. */
const TROUBLE = 0.05;
const DOWN = 0.5;

function Health({ provider: { recent, retired, key } }: { provider: Provider }) {
  if (retired) return <span className="state bad">✕ gone: {retired}</span>;
  if (key.state === "missing") return <span className="state doubtful">▲ no key</span>;
  if (!recent || recent.attempts === 0) return <span className="muted">not asked</span>;
  const share = recent.failed_attempts / recent.attempts;
  if (share >= DOWN) return <span className="state bad">✕ failing</span>;
  if (share >= TROUBLE) return <span className="state doubtful">▲ some fail</span>;
  return <span className="state good">● well</span>;
}

function Key({ provider: { key } }: { provider: Provider }) {
  switch (key.state) {
    case "present":
      return <>{key.from ?? "present"}</>;
    case "not_needed":
      return <span className="muted">none needed</span>;
    case "missing":
      return (
        <span className="muted">
          {key.variables.length === 0 ? "none" : <>set {key.variables.map((name) => <code key={name}>{name} </code>)}</>}
          {!key.read && key.variables.length > 0 && "in ostia.yaml"}
        </span>
      );
  }
}

const STATES = { closed: ["good", "● closed"], open: ["bad", "✕ open"], half_open: ["doubtful", "▲ half open"] } as const;

function Breakers({ breakers }: { breakers: Providers["breakers"] }) {
  return (
    <section className="section">
      <header>
        <h2>Circuit breakers</h2>
      </header>
      <div className="card scroll-x">
        <table className="list">
          <thead>
            <tr>
              <th>Config</th>
              <th>Target</th>
              <th>Provider</th>
              <th>State</th>
              <th className="number">Failures</th>
            </tr>
          </thead>
          <tbody>
            {breakers.map(({ config, target, provider, breaker }) => {
              const [kind, label] = STATES[breaker.state];
              return (
                <tr key={`${config} ${target}`}>
                  <td>{config}</td>
                  <td>
                    <code>{target}</code>
                  </td>
                  <td>{provider ?? "–"}</td>
                  <td>
                    <span className={`state ${kind}`}>{label}</span>
                    {breaker.open_for_ms !== undefined && <span className="muted"> for {millis(breaker.open_for_ms)}</span>}
                  </td>
                  <td className="number">
                    {number(breaker.failures)} of {number(breaker.requests)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Models() {
  const { models, error, again } = useModels();
  const { data: config } = useAnswer<Configuration>("/v1/gateway/config");
  const [text, setText] = useState("");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (models ?? []).filter(({ id }) => words.every((word) => id.toLowerCase().includes(word)));
  return (
    <section className="section">
      <header>
        <h2>Models</h2>
        <input type="search" value={text} onChange={(event) => setText(event.target.value)} placeholder="Part of a name" aria-label="Models whose name has" />
      </header>
      {error?.status === 401 ? (
        <p className="note">
          The list of models is for clients of the gateway: enter one of its keys in the <Link to="/playground">playground</Link>.
        </p>
      ) : (
        error && <Problem error={error} again={again} />
      )}
      {models && (
        <>
          <div className="card scroll-x">
            <table className="list">
              <thead>
                <tr>
                  <th>Model</th>
                  <th className="number">Context</th>
                  <th className="number">Output</th>
                  <th className="number">Input, $ for 1M</th>
                  <th className="number">From cache</th>
                  <th className="number">To cache</th>
                  <th className="number">Output, $ for 1M</th>
                </tr>
              </thead>
              <tbody>
                {found.slice(0, MODELS_SHOWN).map((model) => (
                  <ModelRow key={model.id} model={model} />
                ))}
              </tbody>
            </table>
          </div>
          <p className="muted">
            {found.length > MODELS_SHOWN ? `The first ${MODELS_SHOWN} of ${number(found.length)}. ` : `${number(found.length)} models. `}
            Prices are the operator's, else the catalogue's
            {config && ` (${config.catalogue.map(({ source, version, date }) => `${source} ${version} of ${date}`).join(", ")})`}. A model without one
            costs “?”.
          </p>
        </>
      )}
    </section>
  );
}

function ModelRow({ model: { id, context_length, max_output_tokens, pricing } }: { model: Model }) {
  const price = (rate: string | undefined) => (rate === undefined ? <span className="faint">?</span> : perMillion(rate));
  return (
    <tr>
      <td>
        <Link to={`/logs?model=${encodeURIComponent(id)}`}>{id}</Link>
      </td>
      <td className="number">{context_length === undefined ? "–" : short(context_length)}</td>
      <td className="number">{max_output_tokens === undefined ? "–" : short(max_output_tokens)}</td>
      <td className="number">{price(pricing?.prompt)}</td>
      <td className="number">{pricing?.input_cache_read === undefined ? "–" : perMillion(pricing.input_cache_read)}</td>
      <td className="number">{pricing?.input_cache_write === undefined ? "–" : perMillion(pricing.input_cache_write)}</td>
      <td className="number">{price(pricing?.completion)}</td>
    </tr>
  );
}
