// OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses).

import { type Conversation, type Fields, type Part, type Turn, fields, inline, linked, list, others, text } from "./conversation";

export function read(request: Fields, answer: Fields | Fields[]): Conversation {
  const asked: Turn[] = text(request.instructions) ? [{ role: "instructions", parts: [{ kind: "text", text: text(request.instructions) }] }] : [];
  if (typeof request.input === "string") asked.push({ role: "user", parts: [{ kind: "text", text: request.input }] });
  else asked.push(...list(request.input).map((item) => turn(fields(item))));
  const items = Array.isArray(answer) ? streamed(answer) : list(answer.output).map(fields);
  return {
    asked,
    answered: together(items.map(turn)),
    tools: list(request.tools).map((tool) => ({ name: text(fields(tool).name) || text(fields(tool).type), definition: tool })),
    settings: others(request, ["input", "instructions", "tools"]),
  };
}

/** What one speaker says in a row is one turn. */
function together(turns: Turn[]): Turn[] {
  const all: Turn[] = [];
  for (const turn of turns) {
    const last = all.at(-1);
    if (last?.role === turn.role) last.parts.push(...turn.parts);
    else all.push(turn);
  }
  return all;
}

function turn(item: Fields): Turn {
  switch (item.type) {
    case "reasoning":
      return { role: "assistant", parts: [{ kind: "thinking", text: thinking(item) || "(not shown by the provider)" }] };
    case "function_call":
    case "custom_tool_call":
      return { role: "assistant", parts: [{ kind: "call", id: text(item.call_id), name: text(item.name), input: text(item.arguments ?? item.input) }] };
    case "function_call_output":
    case "custom_tool_call_output":
      return { role: "tool", parts: [{ kind: "result", id: text(item.call_id), parts: parts(item.output), isError: false }] };
    case "image_generation_call":
      return { role: "assistant", parts: [text(item.result) ? inline("image/png", text(item.result)) : { kind: "other", value: item }] };
    case "message":
    case undefined:
      return { role: text(item.role) || "user", parts: parts(item.content) };
    default:
      return { role: "assistant", parts: [{ kind: "other", value: item }] };
  }
}

function thinking(item: Fields): string {
  return [...list(item.summary), ...list(item.content)].map((part) => text(fields(part).text)).join("\n\n");
}

function parts(content: unknown): Part[] {
  if (typeof content === "string") return content ? [{ kind: "text", text: content }] : [];
  return list(content).map((value) => part(fields(value)));
}

function part(value: Fields): Part {
  switch (value.type) {
    case "input_text":
    case "output_text":
    case "text":
      return { kind: "text", text: text(value.text) };
    case "refusal":
      return { kind: "refusal", text: text(value.refusal) };
    case "input_image":
      return linked(text(value.image_url) || text(value.file_id));
    case "input_audio": {
      const audio = fields(value.input_audio);
      return inline(`audio/${text(audio.format) || "wav"}`, text(audio.data));
    }
    case "input_file":
      return { kind: "file", url: "", name: text(value.filename) || text(value.file_id) || text(value.file_url) };
    default:
      return { kind: "other", value };
  }
}

/** The items of a stream: those of its last event, or as far as it came. */
function streamed(events: Fields[]): Fields[] {
  const whole = events.findLast(({ type }) => type === "response.completed" || type === "response.incomplete");
  const output = list(fields(whole?.response).output).map(fields);
  if (output.length > 0) return output;
  const items: Fields[] = [];
  for (const event of events) {
    const at = typeof event.output_index === "number" ? event.output_index : 0;
    if (event.type === "response.output_item.added" || event.type === "response.output_item.done") items[at] = fields(event.item);
    else if (text(event.delta)) items[at] = grown(items[at] ?? {}, text(event.type), text(event.delta));
  }
  return items.filter(Boolean);
}

/** An item that is not whole yet, and what comes next of it. */
function grown(item: Fields, type: string, delta: string): Fields {
  if (type === "response.function_call_arguments.delta") return { ...item, arguments: text(item.arguments) + delta };
  const field = type.startsWith("response.reasoning") ? "summary" : "content";
  const before = list(item[field]).map((part) => text(fields(part).text)).join("");
  const kind = type === "response.refusal.delta" ? { type: "refusal", refusal: before + delta } : { type: "output_text", text: before + delta };
  return { ...item, [field]: [kind] };
}
