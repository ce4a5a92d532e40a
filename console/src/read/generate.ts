// Google's generateContent (https://ai.google.dev/api/generate-content).

import { type Conversation, type Fields, type Part, type Turn, fields, inline, list, others, text } from "./conversation";

export function read(request: Fields, answer: Fields | Fields[]): Conversation {
  const system = turn(fields(request.systemInstruction ?? request.system_instruction), "system");
  const chunks = Array.isArray(answer) ? answer : [answer];
  const said = chunks.flatMap((chunk) => list(chunk.candidates).flatMap((candidate) => turn(fields(fields(candidate).content), "model").parts));
  const declared = list(request.tools).flatMap((tool) => list(fields(tool).functionDeclarations));
  return {
    asked: [...(system.parts.length > 0 ? [system] : []), ...list(request.contents).map((content) => turn(fields(content), "user"))],
    answered: said.length > 0 ? [{ role: "model", parts: joined(said) }] : [],
    tools: declared.map((tool) => ({ name: text(fields(tool).name), definition: tool })),
    settings: others(request, ["contents", "systemInstruction", "system_instruction", "tools"]),
  };
}

function turn(content: Fields, role: string): Turn {
  return { role: text(content.role) || role, parts: list(content.parts).map((value) => part(fields(value))) };
}

function part(value: Fields): Part {
  if (typeof value.text === "string") return { kind: value.thought === true ? "thinking" : "text", text: value.text };
  const file = fields(value.inlineData ?? value.inline_data);
  if (text(file.data)) return inline(text(file.mimeType ?? file.mime_type), text(file.data));
  const call = fields(value.functionCall);
  if (text(call.name)) return { kind: "call", id: text(call.id), name: text(call.name), input: JSON.stringify(call.args ?? {}) };
  const result = fields(value.functionResponse);
  if (text(result.name)) {
    const told = JSON.stringify(result.response ?? {});
    return { kind: "result", id: text(result.id) || text(result.name), parts: [{ kind: "text", text: told }], isError: false };
  }
  return { kind: "other", value };
}

/** Pieces of one text, put together. */
function joined(parts: Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    const isText = part.kind === "text" || part.kind === "thinking";
    if (isText && last?.kind === part.kind && "text" in last) last.text += part.text;
    else all.push({ ...part });
  }
  return all;
}
