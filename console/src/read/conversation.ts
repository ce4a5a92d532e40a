// A conversation, whatever format it was told in.

/** One thing that was said. */
export type Part =
  | { kind: "text" | "thinking" | "refusal"; text: string }
  | { kind: "call"; id: string; name: string; input: string }
  | { kind: "result"; id: string; parts: Part[]; isError: boolean }
  | { kind: "image" | "audio" | "file"; url: string; name: string }
  | { kind: "other"; value: unknown };

export interface Turn {
  role: string;
  parts: Part[];
}

/** What stands in two bodies. */
export interface Conversation {
  asked: Turn[];
  answered: Turn[];
  /** The tools that the model may call, by name. */
  tools: { name: string; definition: unknown }[];
  /** Settings of the request that are no part of what was said. */
  settings: Record<string, unknown>;
}

export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields => value !== null && typeof value === "object" && !Array.isArray(value);
export const fields = (value: unknown): Fields => (isFields(value) ? value : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The fields of a request that are not among these. */
export function others(request: Fields, known: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !known.includes(name)));
}

/** A file by its base64 text. Types that a browser would run are shown as files. */
export function inline(media: string, data: string): Part {
  const kind = /^image\/(png|jpeg|gif|webp)$/.test(media) ? "image" : /^audio\//.test(media) ? "audio" : "file";
  return { kind, url: `data:${media};base64,${data}`, name: media };
}

/** A file by its address, which may be a data: URL. */
export function linked(url: string, kind: "image" | "audio" | "file" = "image"): Part {
  const data = /^data:([\w.+/-]+)[^,]*;base64,(.*)$/s.exec(url);
  return data ? inline(data[1] ?? "", data[2] ?? "") : { kind, url, name: url };
}

/** JSON in a text, laid out; the text as it is where that is none. */
export function laidOut(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value ?? {}, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
