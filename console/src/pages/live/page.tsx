// What goes on: over the last minutes to days, in all or by provider, model or key.

import { useMemo } from "react";
import type { Percentiles, Series, Summary } from "../../api/types";
import { useAnswer } from "../../api/use";
import { Loading, Problem } from "../../parts/notes";
import { go, useSearch } from "../../router";
import { fullTime } from "../../format";
import { chosen, queryOf, words } from "../logs/query";
import { Chart, type Line } from "./chart";
import { Groups } from "./groups";
import { CHARTS, linesOf, times } from "./lines";
import { Totals } from "./totals";

const SINCE = ["15m", "1h", "6h", "24h", "7d", "30d"];
const GROUPS = ["provider", "model", "key"];
/** How often is looked again, of what goes on. */
const EVERY_MS = 5000;

export function LivePage() {
  const [search, change] = useSearch();
  const since = search.get("since") ?? "1h";
  const isZoomed = search.has("from");
  const by = search.get("group_by");
  const percentile = (search.get("percentile") ?? "p90") as keyof Percentiles;
  const query = { ...queryOf(search), text: null, since: isZoomed ? null : since, group_by: by };
  const everyMs = isZoomed ? 0 : EVERY_MS;
  const series = useAnswer<Series>("/v1/analytics/series", query, everyMs);
  const summary = useAnswer<Summary>("/v1/analytics/summary", query, everyMs);
  const zoom = (fromS: number, toS: number) =>
    change({ from: new Date(Math.floor(fromS / 60) * 60_000).toISOString(), to: new Date(Math.ceil(toS / 60) * 60_000).toISOString() });
  return (
    <div className="page live">
      <header>
        <h1>Live</h1>
        {isZoomed ? (
          <span className="chip">
            {range(search)}
            <button type="button" className="quiet" onClick={() => change({ from: null, to: null })}>
              Back to now
            </button>
          </span>
        ) : (
          <Choice label="Time" options={SINCE} value={since} onChoose={(since) => change({ since })} />
        )}
        <Choice label="By" options={["all", ...GROUPS]} value={by ?? "all"} onChoose={(by) => change({ group_by: by === "all" ? null : by })} />
        {by && <Choice label="Percentile" options={["p50", "p90", "p99"]} value={percentile} onChoose={(percentile) => change({ percentile })} />}
        {chosen(search).map(([name, value]) => (
          <span className="chip" key={name}>
            {words(name, value)}
            <button type="button" className="quiet" onClick={() => change({ [name]: null })} aria-label={`Without ${words(name, value)}`}>
              ✕
            </button>
          </span>
        ))}
      </header>
      {series.error && <Problem error={series.error} again={series.again} />}
      {summary.data && <Totals sums={summary.data.total} />}
      {series.data ? <Charts series={series.data} percentile={percentile} onZoom={zoom} /> : !series.error && <Loading />}
      {by && summary.data && <Groups by={by} groups={summary.data.groups} />}
    </div>
  );
}

function Charts({ series, percentile, onZoom }: { series: Series; percentile: keyof Percentiles; onZoom: (fromS: number, toS: number) => void }) {
  const [search] = useSearch();
  const at = useMemo(() => times(series), [series]);
  const charts = useMemo(() => CHARTS.map((chart) => ({ chart, lines: linesOf(series, chart, percentile) })), [series, percentile]);
  const open = (timeS: number, line: Line | undefined, isOfErrors: boolean) => {
    const place = new URLSearchParams();
    for (const [name, value] of chosen(search)) place.set(name, value);
    place.set("from", new Date(timeS * 1000).toISOString());
    place.set("to", new Date((timeS + series.step_seconds) * 1000).toISOString());
    if (series.group_by && line && series.series.some(({ name, others }) => name === line.name && !others)) place.set(series.group_by, line.name);
    if (line?.isBad || isOfErrors) place.set("status", "error");
    go(`/logs?${place}`);
  };
  return (
    <>
      <p className="muted hint">Drag over a chart to look closer. A click on a point leads to its requests.</p>
      <div className="charts">
        {charts.map(({ chart, lines }) => (
          <Chart
            key={chart.title}
            title={chart.title}
            times={at}
            lines={lines}
            format={chart.format}
            onZoom={onZoom}
            onPoint={(timeS, line) => open(timeS, line, chart.title.startsWith("Errors"))}
          />
        ))}
      </div>
    </>
  );
}

function Choice({ label, options, value, onChoose }: { label: string; options: string[]; value: string; onChoose: (value: string) => void }) {
  return (
    <div className="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChoose(option)}>
          {option}
        </button>
      ))}
    </div>
  );
}

function range(search: URLSearchParams): string {
  const told = (name: string) => fullTime(Date.parse(search.get(name) ?? "")).slice(0, 16);
  return `${told("from")} – ${search.has("to") ? told("to") : "now"}`;
}
