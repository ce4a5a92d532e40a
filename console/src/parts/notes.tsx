import type { ReactNode } from "react";
import type { ApiError } from "../api/client";

/** Where there is nothing: what that means, and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What the gateway said instead of an answer. */
export function Problem({ error, again }: { error: ApiError; again?: () => void }) {
  return (
    <div className="note error" role="alert">
      <strong>{error.status > 0 ? `The gateway answered ${error.status}.` : "No answer."}</strong> {error.message}
      {again && (
        <button type="button" className="small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export const Loading = () => (
  <p className="loading" role="status">
    Loading…
  </p>
);
