// What a newcomer sees: the first call, ready to paste. It shows up here by itself.

import type { Configuration, Providers } from "../../api/types";
import { useAnswer, useModels } from "../../api/use";
import { Code } from "../../parts/code";
import { Empty } from "../../parts/notes";
import { Link } from "../../parts/link";

export function FirstCall() {
  const { data: config } = useAnswer<Configuration>("/v1/gateway/config");
  const { data: providers } = useAnswer<Providers>("/v1/gateway/providers");
  const { models } = useModels();
  const auth = config?.in_force.auth as { keys: unknown[] } | undefined;
  const ready = providers?.data.filter(({ key }) => key.state !== "missing") ?? [];
  const provider = ready.find(({ id }) => id === providers?.default_provider) ?? ready[0];
  return (
    <Empty title="No request yet">
      <p>Send one. It shows up here within a second.</p>
      <Code
        label="A first call"
        text={command(models?.[0]?.id ?? modelOf(provider?.id), (auth?.keys.length ?? 0) > 0, providers !== null && !provider)}
      />
      <p>
        SDKs need only the base URL <code>{location.origin}/v1</code>. Or try a model in the <Link to="/playground">playground</Link>.
      </p>
    </Empty>
  );
}

/** A model's name where nobody lists any. */
function modelOf(provider: string | undefined): string {
  return provider === undefined || provider === "openai" ? "@openai/gpt-4o-mini" : `@${provider}/NAME-OF-A-MODEL`;
}

function command(model: string, needsKey: boolean, needsProviderKey: boolean): string {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  return [
    `curl ${location.origin}/v1/chat/completions \\`,
    "  -H 'content-type: application/json' \\",
    ...(needsKey ? ["  -H 'x-ostia-api-key: YOUR-KEY-FOR-THIS-GATEWAY' \\"] : []),
    ...(needsProviderKey ? ["  -H 'authorization: Bearer YOUR-OPENAI-KEY' \\"] : []),
    `  -d '${body.replaceAll("'", "'\\''")}'`,
  ].join("\n");
}
