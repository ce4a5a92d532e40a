// A chart: lines over time. Drag to look closer, click a point to see its requests.

import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { clock } from "../../format";

export interface Line {
  name: string;
  values: (number | null)[];
  /** Is drawn as what is wrong. */
  isBad?: boolean;
}

interface Props {
  title: string;
  /** Seconds since 1970. */
  times: number[];
  lines: Line[];
  format: (value: number) => string;
  onZoom: (fromS: number, toS: number) => void;
  onPoint: (timeS: number, line: Line | undefined) => void;
}

const HEIGHT_PX = 150;
/** So that lines are told apart without colour, too. */
const STROKES = ["solid", "dashed", "dotted", "dashed", "dashed", "dotted", "dotted", "dashed"];
const DASHES = [[], [6, 3], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2, 1, 2], [1, 2], [8, 2]];

export function Chart({ title, times, lines, format, onZoom, onPoint }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef({ lines, onZoom, onPoint, format });
  current.current = { lines, onZoom, onPoint, format };
  const names = lines.map(({ name }) => name).join("\n");
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element, current), data.current, element);
    };
    draw();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    sizes.observe(element);
    // Colours are read from the style sheet, which another theme changes.
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      sizes.disconnect();
      themes.disconnect();
      scheme.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
    // Other lines are another chart; other values of the same are not.
  }, [names]);
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = [times, ...lines.map(({ values }) => values)];
  useEffect(() => plot.current?.setData(data.current), [times, lines]);
  return (
    <figure className="chart card" aria-label={`${title}: ${lines.map(({ name }) => name).join(", ")}`}>
      <figcaption>{title}</figcaption>
      <div ref={place} />
    </figure>
  );
}

type Current = { current: Pick<Props, "lines" | "onZoom" | "onPoint" | "format"> };

function options(element: HTMLElement, current: Current): uPlot.Options {
  const colour = colours(element);
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const { lines } = current.current;
  const isNear = { prox: 24 };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [8, 22, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false }, focus: isNear, sync: { key: "live" }, points: { size: 6 } },
    focus: { alpha: 0.35 },
    legend: { live: true, markers: { width: 2, dash: (_, line) => (lines[line - 1]?.isBad ? "dotted" : (STROKES[line - 1] ?? "solid")) } },
    scales: { y: { range: (_, _least, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [{ ...axis, size: 22, gap: 4, space: 64, values: (_, splits, _axis, _space, step) => splits.map((value) => moment(value, step)) }, { ...axis, size: 58, values: (_, splits) => splits.map((value) => current.current.format(value)) }],
    series: [
      { value: (_, value) => (value === null ? "" : clock(value * 1000)) },
      ...lines.map(({ name, isBad }, index) => ({
        label: name,
        stroke: colour(isBad ? "--bad" : `--series-${(index % 8) + 1}`),
        width: 1.6,
        dash: isBad ? [3, 3] : (DASHES[index % DASHES.length] ?? []),
        points: { show: true, size: 4, filter: (u: uPlot, series: number) => alone(u.data[series] ?? []) },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : current.current.format(value)),
      })),
    ],
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const [from, to] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          current.current.onZoom(from, to);
        },
      ],
      ready: [(u) => listen(u, current)],
    },
  };
}

/** Colours of the style sheet by their names, as a canvas takes them: for the theme that holds now. */
function colours(element: HTMLElement): (name: string) => string {
  const probe = element.appendChild(document.createElement("span"));
  const told = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const names = ["--muted", "--line", "--bad", ...DASHES.map((_, index) => `--series-${index + 1}`)];
  const known = new Map(names.map((name) => [name, told(name)]));
  probe.remove();
  return (name) => known.get(name) ?? "";
}

/** Values between gaps: without a mark nothing would be seen of them. */
function alone(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values).flatMap((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
}

/** A moment on the axis: the time, and the day where one begins. */
function moment(timeS: number, stepS: number): string {
  const date = new Date(timeS * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const isDay = stepS >= 86_400 || date.getHours() + date.getMinutes() === 0;
  return isDay ? `${two(date.getMonth() + 1)}-${two(date.getDate())}` : `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A click that is no drag. */
function listen(u: uPlot, current: Current): void {
  let focused = 0;
  let pressedAt = 0;
  u.hooks.setSeries = [(_, index) => void (focused = index ?? 0)];
  u.over.addEventListener("mousedown", (event) => void (pressedAt = event.clientX));
  u.over.addEventListener("click", (event) => {
    const index = u.cursor.idx;
    const time = index === null || index === undefined ? undefined : u.data[0]?.[index];
    if (Math.abs(event.clientX - pressedAt) > 3 || time === undefined) return;
    current.current.onPoint(time, current.current.lines[focused - 1]);
  });
}
