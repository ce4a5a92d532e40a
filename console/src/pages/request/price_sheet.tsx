// What each attempt cost, line by line: exact, as the gateway counted it.

import type { Attempt, LogRecord } from "../../api/types";
import { number, times } from "../../format";
import { costs } from "../../record";

export function PriceSheet({ record }: { record: LogRecord }) {
  const counted = record.attempts.filter(({ cost, cost_unknown }) => cost || cost_unknown);
  if (counted.length === 0) return <p className="muted">No provider told any tokens, so there is nothing to pay for that we know of.</p>;
  return (
    <div className="price-sheet">
      {counted.map((attempt, index) => (
        <Sheet key={index} attempt={attempt} />
      ))}
      {counted.length > 1 &&
        costs(record.attempts).map(([currency, amount]) => (
          <p key={currency} className="total">
            All attempts{" "}
            <strong className="number">
              {amount} {currency}
            </strong>
          </p>
        ))}
    </div>
  );
}

function Sheet({ attempt: { provider, model, cost, cost_unknown, usage } }: { attempt: Attempt }) {
  if (!cost) {
    const price = `prices:\n  ${provider}/${model ?? "MODEL"}: {input: 1.25, output: 10}   # dollars for a million tokens`;
    return (
      <section>
        <h3>
          {provider} {model}: unknown
        </h3>
        <p>
          {cost_unknown}. It took {number(usage?.prompt_tokens ?? 0)} tokens of input and {number(usage?.completion_tokens ?? 0)} of output. Say
          what they cost in <code>ostia.yaml</code>:
        </p>
        <pre tabIndex={0} aria-label="What to write">{price}</pre>
      </section>
    );
  }
  return (
    <section>
      <h3>
        {provider} {model}
      </h3>
      <table className="sheet">
        <thead>
          <tr>
            <th>Unit</th>
            <th className="number">Count</th>
            <th className="number">Price of one</th>
            <th className="number">{cost.currency}</th>
          </tr>
        </thead>
        <tbody>
          {cost.lines.map(([unit, count, rate]) => (
            <tr key={unit}>
              <td>{unit.replaceAll("_", " ")}</td>
              <td className="number">{number(count)}</td>
              <td className="number">× {rate}</td>
              <td className="number">{times(rate, count)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={3}>Total</td>
            <td className="number">{cost.amount}</td>
          </tr>
        </tfoot>
      </table>
      <p className="muted">
        Priced as <code>{cost.priced_as}</code>
        {cost.catalogue && `, catalogue ${cost.catalogue}`}
      </p>
    </section>
  );
}
