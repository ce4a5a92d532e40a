// The same call again: as a command, and in the playground.

import type { LogRecord } from "../../api/types";
import { Code } from "../../parts/code";
import { Link } from "../../parts/link";
import { isFields } from "../../read/conversation";
import { lastAttempt } from "../../record";
import { formatOf } from "../playground/formats";
import { Missing } from "./missing";

export function Repeat({ record }: { record: LogRecord }) {
  const canPlay = formatOf(record.path) !== null && isFields(record.request.body);
  return (
    <div>
      <Missing body={record.request} side="request" />
      <Code label="The same call by curl" text={curl(record)} />
      <p className="muted">Headers are not kept. Put your key in, if the gateway wants one, and a config of yours (x-ostia-config).</p>
      {canPlay && (
        <p>
          <Link to={`/playground?from=${record.id}`} className="button primary">
            Open in the playground
          </Link>
        </p>
      )}
    </div>
  );
}

function curl(record: LogRecord): string {
  const { body } = record.request;
  const last = lastAttempt(record);
  // A model without `@` was asked of whoever a header or the configuration named.
  const isNamed = record.model?.startsWith("@") || record.attempts.some(({ target }) => target !== "config");
  const lines = [`curl ${location.origin}${record.path}`, "-H 'content-type: application/json'", "-H 'x-ostia-api-key: YOUR-KEY'"];
  if (last && !isNamed) lines.push(`-H ${quoted(`x-ostia-provider: ${last.provider}`)}`);
  if (record.path.endsWith("/messages")) lines.push("-H 'anthropic-version: 2023-06-01'");
  if (record.method !== "POST") lines.push(`-X ${record.method}`);
  if (body !== undefined) lines.push(`-d ${quoted(typeof body === "string" ? body : JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
