// Ask any model in any of the formats, one or two at a time.

import { useEffect, useState } from "react";
import { get } from "../../api/client";
import type { LogRecord } from "../../api/types";
import { useModels } from "../../api/use";
import { useKeys } from "../../keyboard";
import { Code } from "../../parts/code";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/notes";
import { Tabs } from "../../parts/tabs";
import { isFields } from "../../read/conversation";
import { useSearch } from "../../router";
import { gatewayKey, keep, kept, setGatewayKey } from "../../settings";
import { samples } from "./code";
import { FORMATS, type Prompt, promptOf } from "./formats";
import { type Choice, Pane } from "./pane";
import { PromptForm } from "./prompt";
import { useRun } from "./run";

const PROMPT: Prompt = { system: "", turns: [{ role: "user", text: "What is a gateway? Answer in one sentence." }], images: [], maxTokens: null, temperature: null, tools: [] };
const CHOICES: Choice[] = [{ model: "", format: "chat" }];
const NAMES = ["A", "B"];

export function PlaygroundPage() {
  const [search] = useSearch();
  const { models, error, again } = useModels();
  const [prompt, setPrompt] = useState(() => ({ ...PROMPT, ...kept("prompt", PROMPT) }));
  const [choices, setChoices] = useState(() => kept("choices", CHOICES));
  const [coded, setCoded] = useState<Choice | null>(null);
  const [key, setKey] = useState(gatewayKey);
  const runs = [useRun(), useRun()];
  const from = search.get("from");
  useEffect(() => {
    if (!from) return;
    const abort = new AbortController();
    get<LogRecord>(`/v1/logs/${encodeURIComponent(from)}`, {}, abort.signal).then(
      (record) => {
        const told = isFields(record.request.body) ? promptOf(record.path, record.request.body) : null;
        if (!told) return;
        setPrompt(told.prompt);
        setChoices([{ model: record.model ?? "", format: told.format }]);
      },
      // It stays as it was.
      () => undefined,
    );
    return () => abort.abort();
  }, [from]);
  useEffect(() => {
    const first = models?.[0]?.id;
    if (first) setChoices((choices) => choices.map((choice) => (choice.model ? choice : { ...choice, model: first })));
  }, [models]);
  useEffect(() => {
    // A picture may be larger than what a browser keeps.
    keep("prompt", { ...prompt, images: [] });
    keep("choices", choices);
  }, [prompt, choices]);
  const isUnderWay = runs.some(({ run }) => run.state === "asking" || run.state === "streaming");
  const send = () => choices.forEach(({ model, format }, index) => runs[index]?.start(FORMATS[format], model, prompt));
  const stop = () => runs.forEach((run) => run.stop());
  useKeys({ Escape: stop });
  const saveKey = () => {
    setGatewayKey(key.trim());
    again();
  };
  const canSend = choices.every(({ model }) => model !== "") && prompt.turns.at(-1)?.text !== "";
  return (
    <div className="page">
      <header>
        <h1>Playground</h1>
        {(error?.status === 401 || key !== "") && (
          <form
            className="find"
            onSubmit={(event) => {
              event.preventDefault();
              saveKey();
            }}
          >
            <input type="password" value={key} onChange={(event) => setKey(event.target.value)} placeholder="A key of auth.keys" aria-label="The gateway's key for calls" autoComplete="off" />
            <button type="submit">Use this key</button>
          </form>
        )}
        {choices.length === 1 && (
          <button type="button" onClick={() => setChoices([...choices, { ...(choices[0] ?? { model: "", format: "chat" }) }])}>
            Compare two
          </button>
        )}
        {isUnderWay ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="button" className="primary" onClick={send} disabled={!canSend} title="Ctrl+Enter">
            Send
          </button>
        )}
      </header>
      {error && <Problem error={error} again={again} />}
      {models?.length === 0 && (
        <p className="note">
          No model is listed yet: set a provider's key, or write the name of a model, like <code>@openai/gpt-4o-mini</code>.
        </p>
      )}
      <div className="playground">
        <PromptForm prompt={prompt} onPrompt={setPrompt} onSend={() => canSend && send()} />
        <div className="panes">
          {choices.map((choice, index) => (
            <Pane
              key={index}
              name={NAMES[index] ?? ""}
              choice={choice}
              models={models ?? []}
              run={runs[index]?.run ?? runs[0]!.run}
              onChoice={(choice) => setChoices(choices.map((other, place) => (place === index ? choice : other)))}
              onCode={() => setCoded(choice)}
              onAway={choices.length > 1 && index > 0 ? () => setChoices(choices.slice(0, 1)) : undefined}
            />
          ))}
        </div>
      </div>
      {coded && <CodeDialog choice={coded} prompt={prompt} needsKey={key !== "" || error?.status === 401} onClose={() => setCoded(null)} />}
    </div>
  );
}

function CodeDialog({ choice, prompt, needsKey, onClose }: { choice: Choice; prompt: Prompt; needsKey: boolean; onClose: () => void }) {
  const [shown, setShown] = useState("python");
  const all = samples(choice.format, choice.model, prompt, needsKey);
  return (
    <Dialog title="The same call in code" onClose={onClose}>
      <Tabs label="SDK" shown={shown} onShow={setShown} tabs={all.map(({ id, label, text }) => ({ id, label, content: () => <Code label={label} text={text} /> }))} />
    </Dialog>
  );
}
