import { Dialog } from "./parts/dialog";

const KEYS: [string, string][] = [
  ["/", "search"],
  ["j  k", "next and previous request"],
  ["Enter", "open the request"],
  ["Esc", "close it, leave a field"],
  ["t", "live tail on or off"],
  ["f", "filters"],
  ["?", "this page"],
];

const WORDS: [string, string][] = [
  ["status:error", "success, error, client_left, 404, 4xx"],
  ["provider:openai", "who answered"],
  ["model:gpt-5", "the model that was asked for"],
  ["key:team-red", "the gateway's key that was shown"],
  ["operation:openai_chat", "which API was called"],
  ["cost>0.01", "dollars; also cost<0.5"],
  ["latency>2000", "milliseconds"],
  ["tokens>1000", "read and written together"],
  ["text:Paris", "in the bodies that are kept"],
  ["team=red", "a field of the metadata"],
  ["32 digits", "a request, a trace, or a provider's request id"],
];

/** The keys, and the words of the search. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys and search" onClose={onClose}>
      <div className="help">
        <dl>
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                {key.split("  ").map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <dl>
          {WORDS.map(([word, what]) => (
            <div key={word}>
              <dt>
                <code>{word}</code>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </div>
      <p className="muted">
        <a href="/console/licenses.md">Licences</a> of what the console is made of
      </p>
    </Dialog>
  );
}
