// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as streams of models use them.

import { type Fields, isFields } from "./conversation";

/** The documents in a stream's text. One that was cut off is left out. */
export function documents(stream: string): Fields[] {
  const reader = new EventReader();
  return [...reader.push(stream), ...reader.push("\n\n")];
}

/** Reads a stream piece by piece. */
export class EventReader {
  private rest = "";

  push(piece: string): Fields[] {
    const blocks = (this.rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.flatMap(documentOf);
  }
}

function documentOf(block: string): Fields[] {
  const lines = block.split("\n").filter((line) => line.startsWith("data:"));
  const data = lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
  try {
    const value: unknown = JSON.parse(data);
    return isFields(value) ? [value] : [];
  } catch {
    return [];
  }
}
