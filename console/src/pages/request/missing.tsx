import type { KeptBody } from "../../api/types";

const WHY: Record<NonNullable<KeptBody["missing"]>, string> = {
  none: "There was none, or it was not read.",
  off: "Bodies are not kept: see records.bodies in ostia.yaml, or the request asked for it with x-ostia-debug: false.",
  no_error: "Bodies are kept of failures only (records.bodies: errors), and this request did not fail.",
  queue_full: "So much waited to be written that there was no room for bodies.",
  aged_out: "It has been kept for as long as bodies are (records.keep_bodies).",
};

/** Why a body is not there, or not all of it. */
export function Missing({ body, side }: { body: KeptBody; side: "request" | "answer" }) {
  if (body.missing !== undefined) {
    return (
      <p className="note">
        <b>The {side}'s body is not kept.</b> {WHY[body.missing]}
      </p>
    );
  }
  if (!body.cut) return null;
  return (
    <p className="note">
      <b>Only the beginning of the {side} is kept</b> (records.body_bytes): its end is missing here.
    </p>
  );
}
