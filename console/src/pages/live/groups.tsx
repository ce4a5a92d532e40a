import type { Summary } from "../../api/types";
import { millis, money, number } from "../../format";
import { Link } from "../../parts/link";
import { useSearch } from "../../router";

/** The same figures for each provider, model or key. */
export function Groups({ by, groups }: { by: string; groups: Summary["groups"] }) {
  const [search] = useSearch();
  const logs = (name: string) => {
    const place = new URLSearchParams();
    for (const field of ["from", "to"]) if (search.get(field)) place.set(field, search.get(field) ?? "");
    if (!search.has("from")) place.set("since", search.get("since") ?? "1h");
    place.set(by, name);
    return `/logs?${place}`;
  };
  const told = (ms: number | null) => (ms === null ? "–" : millis(ms));
  return (
    <div className="scroll-x card">
      <table className="list">
        <thead>
          <tr>
            <th>{by}</th>
            {["Requests", "Failed", "Input", "Output", "Cached", "Cost", "p50", "p90", "p99"].map((label) => (
              <th key={label} className="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((sums) => (
            <tr key={sums.name}>
              <td>{sums.name ? <Link to={logs(sums.name)}>{sums.name}</Link> : <span className="faint">(none)</span>}</td>
              <td className="number">{number(sums.requests)}</td>
              <td className="number">{number(sums.failed)}</td>
              <td className="number">{number(sums.prompt_tokens)}</td>
              <td className="number">{number(sums.completion_tokens)}</td>
              <td className="number">{number(sums.cached_tokens)}</td>
              <td className="number">
                {Object.entries(sums.cost)
                  .map(([currency, amount]) => money(amount, currency))
                  .join(" + ") || "–"}
                {sums.attempts_of_unknown_cost > 0 && " + ?"}
              </td>
              <td className="number">{told(sums.latency_ms.p50)}</td>
              <td className="number">{told(sums.latency_ms.p90)}</td>
              <td className="number">{told(sums.latency_ms.p99)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
