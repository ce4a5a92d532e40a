// One request, beside the list.

import type { LogRecord } from "../../api/types";
import { useAnswer } from "../../api/use";
import { Loading, Problem } from "../../parts/notes";
import { RequestView } from "./view";

export function RequestPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error, again } = useAnswer<LogRecord>(`/v1/logs/${encodeURIComponent(id)}`);
  return (
    <aside className="panel" aria-label="Request">
      <button type="button" className="quiet close" onClick={onClose} aria-label="Close the request">
        ✕
      </button>
      {error ? <Problem error={error} again={again} /> : data ? <RequestView key={data.id} record={data} onChanged={again} /> : <Loading />}
    </aside>
  );
}
