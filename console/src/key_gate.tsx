// The operator's key: asked for where the gateway wants one.

import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from "react";
import { ApiError, get } from "./api/client";
import { toApiError } from "./api/use";
import { Problem } from "./parts/notes";
import { adminKey, setAdminKey } from "./settings";

type State = "asking" | "open" | ApiError;

/** Shows the page to whoever may see it, and else asks for the key. */
export function KeyGate({ isGuarded, children }: { isGuarded: boolean; children: ReactNode }) {
  const [state, setState] = useState<State>("asking");
  const ask = useCallback(() => {
    get("/v1/gateway/providers", { since: "1m" }).then(
      () => setState("open"),
      (error: unknown) => setState(toApiError(error)),
    );
  }, []);
  useEffect(ask, [ask]);
  if (!isGuarded || state === "open") return children;
  if (state === "asking") return null;
  if (state.needsKey) return <KeyForm wasWrong={adminKey() !== ""} onKey={ask} />;
  return (
    <div className="page narrow">
      <Problem error={state} again={ask} />
    </div>
  );
}

function KeyForm({ wasWrong, onKey }: { wasWrong: boolean; onKey: () => void }) {
  const [key, setKey] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAdminKey(key.trim());
    onKey();
  };
  return (
    <form className="key-form" onSubmit={submit}>
      <h1>Operator's key</h1>
      <p>
        What this gateway tells of its requests is for operators. Enter one of the keys under <code>auth.admin_keys</code> in{" "}
        <code>ostia.yaml</code>. It stays in this tab, until you close it.
      </p>
      <label>
        Key
        <input type="password" value={key} onChange={(event) => setKey(event.target.value)} autoFocus autoComplete="off" required />
      </label>
      {wasWrong && (
        <p className="note error" role="alert">
          That is none of the gateway's admin keys.
        </p>
      )}
      <button type="submit" className="primary">
        Open the console
      </button>
    </form>
  );
}
