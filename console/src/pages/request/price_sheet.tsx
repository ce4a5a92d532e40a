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

/** What to write into `ostia.yaml`, where a price would help: of the model, or of one more unit. */
function remedy({ provider, model, cost_unknown = "", usage }: Attempt): string | null {
  const name = `${provider}/${model ?? "MODEL"}`;
  const unit = /no price of the model for (\w+)$/.exec(cost_unknown)?.[1];
  if (unit) return `models:\n  ${name}: {prices: {input: 1.25, output: 10, ${unit}: 0.03}}   # all prices of the model`;
  const isOfTokens = usage !== undefined && cost_unknown.startsWith("the catalogue");
  return isOfTokens ? `prices:\n  ${name}: {input: 1.25, output: 10}   # dollars for a million tokens` : null;
}

function Sheet({ attempt }: { attempt: Attempt }) {
  const { provider, model, cost, cost_unknown, usage, usage_estimated } = attempt;
  if (!cost) {
    const price = remedy(attempt);
    return (
      <section>
        <h3>
          {provider} {model}: unknown
        </h3>
        <p>
          {cost_unknown}. {usage && `It took ${number(usage.prompt_tokens)} tokens of input and ${number(usage.completion_tokens)} of output.`}{" "}
          {price && (
            <>
              Say what they cost in <code>ostia.yaml</code>:
            </>
          )}
        </p>
        {price && (
          <pre tabIndex={0} aria-label="What to write">
            {price}
          </pre>
        )}
      </section>
    );
  }
  return (
    <section>
      <h3>
        {provider} {model}
        {usage_estimated && ": estimated"}
      </h3>
      {usage_estimated && <p>The provider did not tell all that it counted: four bytes of text are taken for a token.</p>}
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
        {cost.priced_as === "cache" ? (
          "The answer came from a cache of the gateway that was asked, so nobody charges for it."
        ) : (
          <>
            Priced as <code>{cost.priced_as}</code>
            {cost.catalogue && `, catalogue ${cost.catalogue}`}
          </>
        )}
      </p>
    </section>
  );
}
