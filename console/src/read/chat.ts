// OpenAI's Chat Completions (https://platform.openai.com/docs/api-reference/chat).

import { type Conversation, type Fields, type Part, type Turn, fields, inline, linked, list, others, text } from "./conversation";

export function read(request: Fields, answer: Fields | Fields[]): Conversation {
  return {
    asked: list(request.messages).map((message) => turn(fields(message))),
    answered: Array.isArray(answer) ? streamed(answer) : list(answer.choices).map((choice) => turn(fields(fields(choice).message))),
    tools: list(request.tools).map((tool) => ({ name: text(fields(fields(tool).function).name), definition: tool })),
    settings: others(request, ["messages", "tools"]),
  };
}

function turn(message: Fields): Turn {
  const said = parts(message.content);
  const thinking = text(message.reasoning_content) || text(message.reasoning);
  if (thinking) said.unshift({ kind: "thinking", text: thinking });
  if (text(message.refusal)) said.push({ kind: "refusal", text: text(message.refusal) });
  const audio = fields(message.audio);
  if (text(audio.data)) said.push(inline("audio/wav", text(audio.data)));
  else if (text(audio.transcript)) said.push({ kind: "text", text: text(audio.transcript) });
  for (const call of list(message.tool_calls).map(fields)) {
    const made = fields(call.function ?? call.custom);
    said.push({ kind: "call", id: text(call.id), name: text(made.name), input: text(made.arguments ?? made.input) });
  }
  const role = text(message.role) || "assistant";
  if (role === "tool") return { role, parts: [{ kind: "result", id: text(message.tool_call_id), parts: said, isError: false }] };
  return { role, parts: said };
}

function parts(content: unknown): Part[] {
  if (typeof content === "string") return content ? [{ kind: "text", text: content }] : [];
  return list(content).map((value) => part(fields(value)));
}

function part(value: Fields): Part {
  switch (value.type) {
    case "text":
      return { kind: "text", text: text(value.text) };
    case "refusal":
      return { kind: "refusal", text: text(value.refusal) };
    case "image_url":
      return linked(text(fields(value.image_url).url));
    case "input_audio": {
      const audio = fields(value.input_audio);
      return inline(`audio/${text(audio.format) || "wav"}`, text(audio.data));
    }
    case "file": {
      const file = fields(value.file);
      return { kind: "file", url: "", name: text(file.filename) || text(file.file_id) || "file" };
    }
    default:
      return { kind: "other", value };
  }
}

interface Choice {
  text: string;
  thinking: string;
  refusal: string;
  calls: { id: string; name: string; input: string }[];
}

/** The chunks of a stream, put together. */
function streamed(chunks: Fields[]): Turn[] {
  const choices: Choice[] = [];
  for (const chunk of chunks) {
    for (const choice of list(chunk.choices).map(fields)) {
      const at = typeof choice.index === "number" ? choice.index : 0;
      choices[at] ??= { text: "", thinking: "", refusal: "", calls: [] };
      add(choices[at], fields(choice.delta));
    }
  }
  return choices.filter(Boolean).map((choice) => ({ role: "assistant", parts: said(choice) }));
}

function add(choice: Choice, delta: Fields): void {
  choice.text += text(delta.content);
  choice.thinking += text(delta.reasoning_content) || text(delta.reasoning);
  choice.refusal += text(delta.refusal);
  for (const call of list(delta.tool_calls).map(fields)) {
    const at = typeof call.index === "number" ? call.index : choice.calls.length;
    choice.calls[at] ??= { id: "", name: "", input: "" };
    const known = choice.calls[at];
    known.id ||= text(call.id);
    known.name += text(fields(call.function).name);
    known.input += text(fields(call.function).arguments);
  }
}

function said({ thinking, text, refusal, calls }: Choice): Part[] {
  return [
    ...(thinking ? [{ kind: "thinking" as const, text: thinking }] : []),
    ...(text ? [{ kind: "text" as const, text }] : []),
    ...(refusal ? [{ kind: "refusal" as const, text: refusal }] : []),
    ...calls.filter(Boolean).map((call) => ({ kind: "call" as const, ...call })),
  ];
}
