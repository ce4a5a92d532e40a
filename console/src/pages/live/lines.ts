// Series as the gateway tells them, as lines of charts.

import type { Percentiles, Series, SeriesPoint } from "../../api/types";
import { millis, money, short } from "../../format";
import type { Line } from "./chart";

export interface ChartOf {
  title: string;
  format: (value: number) => string;
  /** Where nothing tells requests apart. */
  lines: [name: string, value: (point: SeriesPoint) => number | null, isBad?: boolean][];
  /** What each group is told by. */
  one: (point: SeriesPoint, percentile: keyof Percentiles) => number | null;
}

const cost = (point: SeriesPoint): number => Object.values(point.cost).reduce((sum, amount) => sum + Number(amount), 0);
const share = ({ failed, requests }: SeriesPoint) => (requests === 0 ? null : (failed / requests) * 100);
const whole = (value: number): string => (Number.isInteger(value) ? short(value) : value < 1 ? value.toFixed(1) : short(value));

export const CHARTS: ChartOf[] = [
  {
    title: "Requests",
    format: whole,
    lines: [["requests", ({ requests }) => requests], ["failed", ({ failed }) => failed, true]],
    one: ({ requests }) => requests,
  },
  {
    title: "Errors, share of requests",
    format: (value) => `${value < 10 ? value.toFixed(1).replace(".0", "") : Math.round(value)}%`,
    lines: [["failed", share, true]],
    one: share,
  },
  {
    title: "Tokens",
    format: whole,
    lines: [["input", ({ tokens }) => tokens.input], ["output", ({ tokens }) => tokens.output], ["of input from cache", ({ tokens }) => tokens.cached]],
    one: ({ tokens }) => tokens.input + tokens.output,
  },
  { title: "Cost", format: (value) => money(String(value), "USD"), lines: [["cost", cost]], one: cost },
  {
    title: "Latency",
    format: millis,
    lines: [["p50", ({ latency_ms }) => latency_ms.p50], ["p90", ({ latency_ms }) => latency_ms.p90], ["p99", ({ latency_ms }) => latency_ms.p99]],
    one: ({ latency_ms }, percentile) => latency_ms[percentile],
  },
  {
    title: "Time to the first token",
    format: millis,
    lines: [["p50", ({ first_token_ms }) => first_token_ms.p50], ["p90", ({ first_token_ms }) => first_token_ms.p90], ["p99", ({ first_token_ms }) => first_token_ms.p99]],
    one: ({ first_token_ms }, percentile) => first_token_ms[percentile],
  },
];

/** Most groups that have a line of their own. */
const LINES_MAX = 8;

export function times(series: Series): number[] {
  return (series.series[0]?.points ?? []).map(({ timestamp }) => Date.parse(timestamp) / 1000);
}

export function linesOf(series: Series, chart: ChartOf, percentile: keyof Percentiles): Line[] {
  if (series.group_by === null) {
    const points = series.series[0]?.points ?? [];
    return chart.lines.map(([name, value, isBad]) => ({ name, values: points.map(value), isBad }));
  }
  return series.series.slice(0, LINES_MAX).map(({ name, points, others }) => ({
    name: others ? `${others} others` : (name ?? "(none)"),
    values: points.map((point) => chart.one(point, percentile)),
  }));
}
