// Conversations and agents' runs: the list of them, and all requests of one, however many.

import { useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, get } from "../../api/client";
import type { LogPage, LogRecord, Session } from "../../api/types";
import { toApiError, useAnswer } from "../../api/use";
import { fullTime, millis, money, number } from "../../format";
import { type Fact, Facts } from "../../parts/facts";
import { Link } from "../../parts/link";
import { Empty, Loading, Problem } from "../../parts/notes";
import { costs, tokens } from "../../record";
import { usePlace } from "../../router";
import { COLUMNS } from "../logs/columns";
import { Table } from "../logs/table";

export function SessionsPage() {
  const { parts } = usePlace();
  return parts[1] ? <One key={parts[1]} id={parts[1]} /> : <All />;
}

function All() {
  const { data, error, again } = useAnswer<{ data: Session[] }>("/v1/sessions", { limit: 200 }, 5000);
  return (
    <div className="page">
      <header>
        <h1>Sessions</h1>
      </header>
      {error && <Problem error={error} again={again} />}
      {!data && !error && <Loading />}
      {data?.data.length === 0 && (
        <Empty title="No session yet">
          <p>
            A session is a conversation or an agent's run: requests that agents mark themselves (Claude Code and Codex do), that go on from one
            another by <code>previous_response_id</code>, or that have the same header <code>x-ostia-session</code>.
          </p>
        </Empty>
      )}
      {data && data.data.length > 0 && (
        <div className="card scroll-x">
          <table className="list">
            <thead>
              <tr>
                <th>Session</th>
                <th>Last request</th>
                <th className="number">Lasted</th>
                <th className="number">Requests</th>
                <th className="number">Failed</th>
                <th className="number">Input</th>
                <th className="number">From cache</th>
                <th className="number">Output</th>
                <th className="number">Cost</th>
                <th>Models</th>
              </tr>
            </thead>
            <tbody>
              {data.data.map((session) => (
                <SessionRow key={session.id} session={session} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function SessionRow({ session: { id, first, last, requests, failed, tokens, cost, cost_unknown, models } }: { session: Session }) {
  return (
    <tr>
      <td>
        <Link to={`/sessions/${encodeURIComponent(id)}`}>
          <code>{id.length > 40 ? `${id.slice(0, 40)}…` : id}</code>
        </Link>
      </td>
      <td>{fullTime(Date.parse(last)).slice(0, 19)}</td>
      <td className="number">{millis(Date.parse(last) - Date.parse(first))}</td>
      <td className="number">{number(requests)}</td>
      <td className="number">{number(failed)}</td>
      <td className="number">{number(tokens.input)}</td>
      <td className="number">{share(tokens.cached, tokens.input)}</td>
      <td className="number">{number(tokens.output)}</td>
      <td className="number">{costText(Object.entries(cost), cost_unknown > 0)}</td>
      <td>{models.join(", ")}</td>
    </tr>
  );
}

const share = (cached: number, input: number): string => (input === 0 ? "–" : `${Math.round((cached / input) * 100)}%`);

function costText(costs: [string, string][], isPartlyUnknown: boolean): string {
  const known = costs.map(([currency, amount]) => money(amount, currency));
  return [...known, ...(isPartlyUnknown ? ["?"] : [])].join(" + ") || "–";
}

const SHOWN = ["time", "status", "model", "provider", "operation", "input", "cached", "output", "cost", "first", "latency", "finish"];

function One({ id }: { id: string }) {
  const { records, isWhole, error } = useSession(id);
  const scroller = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => COLUMNS.filter((column) => SHOWN.includes(column.id)), []);
  return (
    <div className="logs">
      <div className="page session-head">
        <header>
          <h1>
            Session <code>{id}</code>
          </h1>
          <Link to="/sessions">All sessions</Link>
        </header>
        {error && <Problem error={error} />}
        <Totals records={records} isWhole={isWhole} />
      </div>
      {records.length > 0 && (
        <Table
          records={records}
          columns={columns}
          isNarrow={false}
          currentId={undefined}
          opened={undefined}
          scroller={scroller}
          to={(record) => `/logs/${record.id}?session=${encodeURIComponent(id)}`}
          onOlder={nothing}
          onScrolled={nothing}
        />
      )}
      {isWhole && records.length === 0 && <Empty title="Nothing is kept of this session" />}
    </div>
  );
}

const nothing = () => undefined;

function Totals({ records, isWhole }: { records: LogRecord[]; isWhole: boolean }) {
  const used = records.map(tokens);
  const sum = (of: "input" | "output" | "cached") => used.reduce((total, tokens) => total + (tokens?.[of] ?? 0), 0);
  const attempts = records.flatMap(({ attempts }) => attempts);
  const [first, last] = [records[0], records.at(-1)];
  const facts: Fact[] = [
    ["Requests", number(records.length)],
    ["Failed", number(records.filter(({ status }) => status >= 400).length)],
    ["Input", number(sum("input"))],
    ["From cache", share(sum("cached"), sum("input"))],
    ["Output", number(sum("output"))],
    ["Cost", costText(costs(attempts), attempts.some(({ cost_unknown }) => cost_unknown !== undefined))],
    ["Lasted", first && last ? millis(last.started_ms + last.duration_us / 1000 - first.started_ms) : "–"],
  ];
  return <Facts facts={facts} isBusy={!isWhole} />;
}

/** All requests of a session, the oldest first, page by page. */
function useSession(id: string): { records: LogRecord[]; isWhole: boolean; error: ApiError | null } {
  const [records, setRecords] = useState<LogRecord[]>([]);
  const [isWhole, setWhole] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const follow = async () => {
      let all: LogRecord[] = [];
      let after: string | null = null;
      do {
        const page: LogPage = await get<LogPage>("/v1/logs", { session: id, limit: 500, after }, abort.signal);
        all = [...page.data.toReversed(), ...all];
        after = page.next;
        setRecords(all);
      } while (after !== null);
      setWhole(true);
    };
    follow().catch((error: unknown) => abort.signal.aborted || setError(toApiError(error)));
    return () => abort.abort();
  }, [id]);
  return { records, isWhole, error };
}
