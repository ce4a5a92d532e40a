// Two bodies to the conversation in them, by the path that they went to.

import type { LogRecord } from "../api/types";
import * as chat from "./chat";
import { type Conversation, type Fields, fields, isFields } from "./conversation";
import { documents } from "./events";
import * as generate from "./generate";
import * as messages from "./messages";
import * as responses from "./responses";

type Read = (request: Fields, answer: Fields | Fields[]) => Conversation;

const FORMATS: [RegExp, Read][] = [
  [/\/chat\/completions$/, chat.read],
  [/\/responses$/, responses.read],
  [/\/messages$/, messages.read],
  [/:(stream)?generateContent$/i, generate.read],
];

/** The conversation of a request; null where it is none, or nothing of it was kept. */
export function conversation(record: LogRecord): Conversation | null {
  const read = FORMATS.find(([path]) => path.test(record.path))?.[1];
  const { body: request } = record.request;
  const { body: answer } = record.response;
  if (!read || (!isFields(request) && answer === undefined)) return null;
  const told = read(fields(request), answerOf(answer));
  return told.asked.length + told.answered.length > 0 ? told : null;
}

/** A stream is a text, or with Google also an array. */
function answerOf(answer: unknown): Fields | Fields[] {
  if (typeof answer === "string") return documents(answer);
  return Array.isArray(answer) ? answer.map(fields) : fields(answer);
}
