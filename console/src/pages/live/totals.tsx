import type { Sums } from "../../api/types";
import { millis, money, number, short } from "../../format";
import { type Fact, Facts } from "../../parts/facts";
import { Link } from "../../parts/link";

/** What it all comes to. */
export function Totals({ sums }: { sums: Sums }) {
  const costs = Object.entries(sums.cost).map(([currency, amount]) => money(amount, currency));
  const estimated = Object.entries(sums.estimated_cost).map(([currency, amount]) => money(amount, currency));
  const share = sums.requests === 0 ? "–" : `${((sums.failed / sums.requests) * 100).toFixed(1)}%`;
  const cached = sums.prompt_tokens === 0 ? "" : `${Math.round((sums.cached_tokens / sums.prompt_tokens) * 100)}% from cache`;
  const told = (ms: number | null | undefined) => (ms === null || ms === undefined ? "–" : millis(ms));
  const facts: Fact[] = [
    ["Requests", number(sums.requests), `${number(sums.attempts)} attempts`],
    ["Errors", share, `${number(sums.failed)} failed, ${number(sums.client_left)} left`],
    ["Input", short(sums.prompt_tokens), cached],
    ["Output", short(sums.completion_tokens), sums.reasoning_tokens > 0 ? `${short(sums.reasoning_tokens)} reasoning` : ""],
    ["Cost", costs.join(" + ") || "–", estimated.length > 0 ? `${estimated.join(" + ")} of it estimated` : ""],
    ["Latency", told(sums.latency_ms.p50), `p90 ${told(sums.latency_ms.p90)}, p99 ${told(sums.latency_ms.p99)}`],
    ["First token", told(sums.first_token_ms?.p50), `p90 ${told(sums.first_token_ms?.p90)}`],
  ];
  return (
    <>
      <Facts facts={facts} />
      {sums.attempts_of_unknown_cost > 0 && (
        <p className="note warning">
          The cost of {number(sums.attempts_of_unknown_cost)} {sums.attempts_of_unknown_cost === 1 ? "attempt is" : "attempts is"} unknown and not in the sum:
          write the models' prices under <code>prices</code> in <code>ostia.yaml</code>. <Link to="/providers">Which models have prices</Link>
        </p>
      )}
    </>
  );
}
