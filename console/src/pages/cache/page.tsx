// What prompt caches save, by key and model, and where a call read less from its cache than the one before.

import type { CacheEconomy, CacheFall, Caches } from "../../api/types";
import { useAnswer } from "../../api/use";
import { fullTime, money, number, short } from "../../format";
import { type Fact, Facts } from "../../parts/facts";
import { Link } from "../../parts/link";
import { Empty, Loading, Problem } from "../../parts/notes";
import { useSearch } from "../../router";
import { queryOf } from "../logs/query";

const SINCE = ["1h", "24h", "7d", "30d"];
/** Tens of thousands of calls are compared for an answer. */
const EVERY_MS = 60_000;

export function CachePage() {
  const [search, change] = useSearch();
  const since = search.get("since") ?? "7d";
  const { data, error, again } = useAnswer<Caches>("/v1/analytics/cache", { ...queryOf(search), text: null, since }, EVERY_MS);
  return (
    <div className="page cache">
      <header>
        <h1>Prompt caches</h1>
        <div className="choice" role="group" aria-label="Time">
          {SINCE.map((option) => (
            <button key={option} type="button" aria-pressed={option === since} onClick={() => change({ since: option })}>
              {option}
            </button>
          ))}
        </div>
      </header>
      {error && <Problem error={error} again={again} />}
      {!data && !error && <Loading />}
      {data && (data.groups.length === 0 ? <Nothing /> : <All caches={data} />)}
    </div>
  );
}

function Nothing() {
  return (
    <Empty title="No model has read anything in this time">
      <p>
        Providers keep the beginning of a prompt for some minutes, and charge a fraction for tokens that they read from there. This page shows
        how much of what models read came from such caches, what that saved, and which call of a session broke its prefix.
      </p>
      <p>
        OpenAI, Google and DeepSeek cache by themselves from about 1,024 tokens on; for Anthropic a request marks the place with{" "}
        <code>cache_control</code>. Put first what stays the same: tools, then the system prompt, then the conversation.
      </p>
    </Empty>
  );
}

function All({ caches: { total, groups, falls, falls_in_all, calls_compared } }: { caches: Caches }) {
  return (
    <>
      <Totals total={total} falls={falls_in_all} compared={calls_compared} />
      {total.cached_tokens === 0 && (
        <p className="hint">
          Nothing was read from a cache. Prompts are cached from about 1,024 tokens on, if they begin with the same tools, system prompt and
          messages; Anthropic wants <code>cache_control</code> in the request.
        </p>
      )}
      <h2>By key and model</h2>
      <Groups groups={groups} />
      <h2>Where a prefix changed</h2>
      <Falls falls={falls} compared={calls_compared} />
    </>
  );
}

function Totals({ total, falls, compared }: { total: CacheEconomy; falls: number; compared: number }) {
  const facts: Fact[] = [
    ["Input tokens", short(total.input_tokens)],
    ["From caches", share(total.share), `${short(total.cached_tokens)} tokens`],
    ["Saved", amounts(total.saved), total.unpriced_tokens > 0 ? `without ${short(total.unpriced_tokens)} tokens of unknown price` : undefined],
    ["Missed", amounts(total.missed), `${short(total.missed_tokens)} tokens read anew`],
    ["Falls", number(falls), `of ${number(compared)} calls in a row`],
  ];
  return <Facts facts={facts} />;
}

function Groups({ groups }: { groups: Caches["groups"] }) {
  return (
    <div className="card scroll-x" tabIndex={0} role="region" aria-label="By key and model">
      <table className="list">
        <thead>
          <tr>
            <th>Key</th>
            <th>Provider</th>
            <th>Model</th>
            <th className="number">Calls</th>
            <th className="number">Input</th>
            <th>From cache</th>
            <th className="number">Saved</th>
            <th className="number">Missed</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={`${group.key} ${group.provider} ${group.model}`}>
              <td>{group.key ?? "–"}</td>
              <td>{group.provider}</td>
              <td>{group.model ?? "–"}</td>
              <td className="number">{number(group.attempts)}</td>
              <td className="number">{number(group.input_tokens)}</td>
              <td>
                <meter min={0} max={1} value={group.share ?? 0} aria-label="Share from the cache" /> {share(group.share)}
              </td>
              <td className="number">{amounts(group.saved)}</td>
              <td className="number">{amounts(group.missed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Falls({ falls, compared }: { falls: CacheFall[]; compared: number }) {
  if (falls.length === 0) {
    const told =
      compared === 0
        ? "No two calls of one session followed each other. Agents name their session themselves; others do with the header x-ostia-session."
        : `None of ${number(compared)} calls read less from its cache than the one before it in its session.`;
    return <p className="hint">{told}</p>;
  }
  return (
    <ol className="falls">
      {falls.map((fall) => (
        <Fall key={fall.request} fall={fall} />
      ))}
    </ol>
  );
}

function Fall({ fall }: { fall: CacheFall }) {
  const { words, place, session, model, provider } = fall;
  return (
    <li className="card fall">
      <p className="words">{words.charAt(0).toUpperCase() + words.slice(1)}.</p>
      {place && (
        <div className="differs">
          {place.before !== null && <del>{place.before}</del>}
          {place.after !== null && <ins>{place.after}</ins>}
        </div>
      )}
      <p className="beside">
        {number(fall.cached_before)} → {number(fall.cached)} of {number(fall.input_tokens)} tokens from the cache
        {Object.keys(fall.missed).length > 0 && <>, {amounts(fall.missed)} more</>}. {model ?? "no model"} at {provider},{" "}
        {fullTime(Date.parse(fall.started)).slice(0, 19)}, session <Link to={`/sessions/${encodeURIComponent(session)}`}>{session}</Link>.{" "}
        <Link to={`/logs/${fall.previous}`}>The call before</Link>, <Link to={`/logs/${fall.request}`}>this one</Link>.
      </p>
    </li>
  );
}

const share = (value: number | null): string => (value === null ? "–" : `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)}%`);

const amounts = (sums: Record<string, string>): string =>
  Object.entries(sums)
    .map(([currency, amount]) => money(amount, currency))
    .join(" + ") || "–";
