// Anthropic's Messages (https://docs.claude.com/en/api/messages).

import { type Conversation, type Fields, type Part, type Turn, fields, inline, linked, list, others, text } from "./conversation";

export function read(request: Fields, answer: Fields | Fields[]): Conversation {
  const system = parts(request.system);
  const content = Array.isArray(answer) ? streamed(answer) : list(answer.content).map(fields);
  return {
    asked: [...(system.length > 0 ? [{ role: "system", parts: system }] : []), ...list(request.messages).map((message) => turn(fields(message)))],
    answered: content.length > 0 ? [{ role: "assistant", parts: content.map(part) }] : [],
    tools: list(request.tools).map((tool) => ({ name: text(fields(tool).name), definition: tool })),
    settings: others(request, ["messages", "system", "tools"]),
  };
}

function turn(message: Fields): Turn {
  return { role: text(message.role), parts: parts(message.content) };
}

function parts(content: unknown): Part[] {
  if (typeof content === "string") return content ? [{ kind: "text", text: content }] : [];
  return list(content).map((value) => part(fields(value)));
}

function part(block: Fields): Part {
  switch (block.type) {
    case "text":
      return { kind: "text", text: text(block.text) };
    case "thinking":
      return { kind: "thinking", text: text(block.thinking) };
    case "redacted_thinking":
      return { kind: "thinking", text: "(not shown by the provider)" };
    case "tool_use":
    case "server_tool_use":
      return { kind: "call", id: text(block.id), name: text(block.name), input: typeof block.input === "string" ? block.input : JSON.stringify(block.input ?? {}) };
    case "tool_result":
      return { kind: "result", id: text(block.tool_use_id), parts: parts(block.content), isError: block.is_error === true };
    case "image":
    case "document":
      return source(fields(block.source), block.type === "image" ? "image" : "file", text(block.title));
    default:
      return { kind: "other", value: block };
  }
}

function source(value: Fields, kind: "image" | "file", title: string): Part {
  switch (value.type) {
    case "base64":
      return inline(text(value.media_type), text(value.data));
    case "url":
      return linked(text(value.url), kind);
    case "text":
      return { kind: "text", text: text(value.data) };
    default:
      return { kind: "file", url: "", name: title || text(value.file_id) || "file" };
  }
}

/** The blocks of a stream, put together. */
function streamed(events: Fields[]): Fields[] {
  const blocks: Fields[] = [];
  for (const event of events) {
    const at = typeof event.index === "number" ? event.index : 0;
    if (event.type === "content_block_start") {
      const block = fields(event.content_block);
      blocks[at] = block.type === "tool_use" ? { ...block, input: "" } : { ...block };
    } else if (event.type === "content_block_delta") {
      const delta = fields(event.delta);
      const block = blocks[at] ?? {};
      for (const [field, from] of [["text", "text"], ["thinking", "thinking"], ["input", "partial_json"]] as const) {
        if (text(delta[from])) block[field] = text(block[field]) + text(delta[from]);
      }
      blocks[at] = block;
    }
  }
  return blocks.filter(Boolean);
}
