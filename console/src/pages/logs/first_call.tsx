// What a newcomer sees: the first call, ready to paste. It shows up here by itself.

import type { Configuration } from "../../api/types";
import { useAnswer, useModels } from "../../api/use";
import { Code } from "../../parts/code";
import { Empty } from "../../parts/notes";
import { Link } from "../../parts/link";

export function FirstCall() {
  const { data: config } = useAnswer<Configuration>("/v1/gateway/config");
  const { models } = useModels();
  const auth = config?.in_force.auth as { keys: unknown[] } | undefined;
  const model = models?.[0]?.id ?? "@openai/gpt-4o-mini";
  return (
    <Empty title="No request yet">
      <p>Send one. It shows up here within a second.</p>
      <Code label="A first call" text={command(model, (auth?.keys.length ?? 0) > 0, models?.length === 0)} />
      <p>
        SDKs need only the base URL <code>{location.origin}/v1</code>. Or try a model in the <Link to="/playground">playground</Link>.
      </p>
    </Empty>
  );
}

function command(model: string, needsKey: boolean, needsProviderKey: boolean): string {
  return [
    `curl ${location.origin}/v1/chat/completions \\`,
    "  -H 'content-type: application/json' \\",
    ...(needsKey ? ["  -H 'x-ostia-api-key: YOUR-KEY-FOR-THIS-GATEWAY' \\"] : []),
    ...(needsProviderKey ? ["  -H 'authorization: Bearer YOUR-OPENAI-KEY' \\"] : []),
    `  -d '${JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }).replaceAll("'", "'\\''")}'`,
  ].join("\n");
}
