// The four formats of clients: how a prompt is said in each, and how an answer is read.

import type { Fields, Part, Turn } from "../../read/conversation";
import { fields, isFields, list, text } from "../../read/conversation";
import * as chat from "../../read/chat";
import * as generate from "../../read/generate";
import * as messages from "../../read/messages";
import * as responses from "../../read/responses";

export type FormatId = "chat" | "responses" | "messages" | "generate";

export interface Said {
  role: "user" | "assistant";
  text: string;
}

export interface Prompt {
  system: string;
  turns: Said[];
  /** data: URLs, of the last turn. */
  images: string[];
  maxTokens: number | null;
  temperature: number | null;
  tools: Tool[];
}

/** A function that the model may call. */
export interface Tool {
  name: string;
  description?: string;
  /** A JSON Schema. */
  parameters?: unknown;
}

export interface Used {
  input: number;
  output: number;
}

export interface Format {
  label: string;
  /** Where a model is asked. */
  path: (model: string) => string;
  /** Is that the path of a request in this format? */
  isOf: RegExp;
  headers: Record<string, string>;
  body: (model: string, prompt: Prompt) => Fields;
  read: (events: Fields[]) => Turn[];
  usage: (events: Fields[]) => Used | null;
}

/** Anthropic wants a bound. */
const TOKENS = 1024;

const chatFormat: Format = {
  label: "Chat Completions",
  path: () => "/v1/chat/completions",
  isOf: /\/chat\/completions$/,
  headers: {},
  body: (model, prompt) => ({
    model,
    messages: [
      ...(prompt.system ? [{ role: "system", content: prompt.system }] : []),
      ...prompt.turns.map(({ role, text }, index) => ({
        role,
        content: withImages(text, imagesAt(prompt, index), (url) => ({ type: "image_url", image_url: { url } }), "text"),
      })),
    ],
    ...(prompt.maxTokens === null ? {} : { max_completion_tokens: prompt.maxTokens }),
    ...(prompt.temperature === null ? {} : { temperature: prompt.temperature }),
    ...tools(prompt, (tool) => ({ type: "function", function: tool })),
    stream: true,
    stream_options: { include_usage: true },
  }),
  read: (events) => chat.read({}, events).answered,
  usage: (events) => used(events.map(({ usage }) => usage), "prompt_tokens", "completion_tokens"),
};

const responsesFormat: Format = {
  label: "Responses",
  path: () => "/v1/responses",
  isOf: /\/responses$/,
  headers: {},
  body: (model, prompt) => ({
    model,
    ...(prompt.system ? { instructions: prompt.system } : {}),
    input: prompt.turns.map(({ role, text }, index) => ({
      role,
      content: withImages(text, imagesAt(prompt, index), (url) => ({ type: "input_image", image_url: url }), "input_text"),
    })),
    ...(prompt.maxTokens === null ? {} : { max_output_tokens: prompt.maxTokens }),
    ...(prompt.temperature === null ? {} : { temperature: prompt.temperature }),
    ...tools(prompt, (tool) => ({ type: "function", ...tool })),
    stream: true,
  }),
  read: (events) => responses.read({}, events).answered,
  usage: (events) => used(events.map(({ response }) => fields(response).usage), "input_tokens", "output_tokens"),
};

const messagesFormat: Format = {
  label: "Messages",
  path: () => "/v1/messages",
  isOf: /\/messages$/,
  headers: { "anthropic-version": "2023-06-01" },
  body: (model, prompt) => ({
    model,
    max_tokens: prompt.maxTokens ?? TOKENS,
    ...(prompt.system ? { system: prompt.system } : {}),
    messages: prompt.turns.map(({ role, text }, index) => ({ role, content: withImages(text, imagesAt(prompt, index), imageBlock, "text") })),
    ...(prompt.temperature === null ? {} : { temperature: prompt.temperature }),
    ...tools(prompt, ({ parameters, ...tool }) => ({ ...tool, input_schema: parameters ?? { type: "object" } })),
    stream: true,
  }),
  read: (events) => messages.read({}, events).answered,
  // The beginning tells what was read, the end what was written.
  usage: (events) => {
    const begun = events.map(({ message }) => fields(message).usage);
    const input = used([...begun, ...events.map(({ usage }) => usage)], "input_tokens", "output_tokens");
    const output = used(events.map(({ usage }) => usage), "input_tokens", "output_tokens");
    return input && { input: Math.max(input.input, ...begun.map((usage) => Number(fields(usage).input_tokens ?? 0))), output: output?.output ?? input.output };
  },
};

const generateFormat: Format = {
  label: "generateContent",
  // The stream is asked for by the path, and the model named there.
  path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
  isOf: /:(stream)?generateContent$/i,
  headers: {},
  body: (_, prompt) => ({
    ...(prompt.system ? { systemInstruction: { parts: [{ text: prompt.system }] } } : {}),
    contents: prompt.turns.map(({ role, text }, index) => ({
      role: role === "assistant" ? "model" : role,
      parts: [{ text }, ...imagesAt(prompt, index).map(inlineData)],
    })),
    ...generationConfig(prompt),
    ...(prompt.tools.length === 0 ? {} : { tools: [{ functionDeclarations: prompt.tools }] }),
  }),
  read: (events) => generate.read({}, events).answered,
  // Each piece tells the count so far.
  usage: (events) => used(events.map(({ usageMetadata }) => usageMetadata), "promptTokenCount", "candidatesTokenCount"),
};

function generationConfig({ maxTokens, temperature }: Prompt): { generationConfig?: Fields } {
  const config = { ...(maxTokens === null ? {} : { maxOutputTokens: maxTokens }), ...(temperature === null ? {} : { temperature }) };
  return Object.keys(config).length === 0 ? {} : { generationConfig: config };
}

export const FORMATS: Record<FormatId, Format> = { chat: chatFormat, responses: responsesFormat, messages: messagesFormat, generate: generateFormat };

/** The format of a request to this path, if it is one of them. */
export function formatOf(path: string): FormatId | null {
  const found = (Object.entries(FORMATS) as [FormatId, Format][]).find(([, format]) => format.isOf.test(path));
  return found?.[0] ?? null;
}

function tools(prompt: Prompt, told: (tool: Tool) => Fields): { tools?: Fields[] } {
  return prompt.tools.length === 0 ? {} : { tools: prompt.tools.map(told) };
}

/** Tools as somebody wrote them, each in the form of any of the formats; null for what is no list of them. */
export function toolsOf(written: string): Tool[] | null {
  if (!written.trim()) return [];
  try {
    const value: unknown = JSON.parse(written);
    const tools = list(value).map((one) => toolOf(fields(one)));
    return Array.isArray(value) && tools.every(({ name }) => name !== "") ? tools : null;
  } catch {
    return null;
  }
}

function toolOf(written: Fields): Tool {
  const inner = isFields(written.function) ? written.function : written;
  const description = text(inner.description);
  return { name: text(inner.name), ...(description && { description }), parameters: inner.parameters ?? inner.input_schema ?? { type: "object" } };
}

function imagesAt(prompt: Prompt, index: number): string[] {
  return index === prompt.turns.length - 1 ? prompt.images : [];
}

function withImages(said: string, images: string[], block: (url: string) => Fields, kind: string): string | Fields[] {
  return images.length === 0 ? said : [{ type: kind, text: said }, ...images.map(block)];
}

function imageBlock(url: string): Fields {
  const { type, data } = fileOf(url);
  return { type: "image", source: { type: "base64", media_type: type, data } };
}

function inlineData(url: string): Fields {
  const { type, data } = fileOf(url);
  return { inlineData: { mimeType: type, data } };
}

/** What a data: URL holds. */
function fileOf(url: string): { type: string; data: string } {
  const [head = "", data = ""] = url.split(",");
  return { type: head.slice(5).replace(";base64", ""), data };
}

function used(usages: unknown[], input: string, output: string): Used | null {
  const last = usages.map(fields).findLast((usage) => typeof usage[input] === "number" || typeof usage[output] === "number");
  return last ? { input: Number(last[input] ?? 0), output: Number(last[output] ?? 0) } : null;
}

/** A prompt as a recorded request said it, as far as the playground can. */
export function promptOf(path: string, request: Fields): { format: FormatId; prompt: Prompt } | null {
  const format = formatOf(path);
  if (!format) return null;
  const { asked, tools } = { chat, responses, messages, generate }[format].read(request, {});
  const settings = { ...request, ...fields(request.generationConfig) };
  const said = (parts: Part[]) => parts.map((part) => ("text" in part ? part.text : "")).filter(Boolean).join("\n");
  const system = asked.filter(({ role }) => /^(system|developer|instructions)$/.test(role)).map(({ parts }) => said(parts));
  const turns = asked.flatMap(({ role, parts }): Said[] => {
    const by = role === "model" ? "assistant" : role;
    return by === "user" || by === "assistant" ? [{ role: by, text: said(parts) }] : [];
  });
  const images = (asked.at(-1)?.parts ?? []).flatMap((part) => (part.kind === "image" && part.url.startsWith("data:") ? [part.url] : []));
  const number = (...names: string[]) => names.map((name) => settings[name]).find((value) => typeof value === "number") ?? null;
  return {
    format,
    prompt: {
      system: system.join("\n\n"),
      turns: turns.length > 0 ? turns : [{ role: "user", text: "" }],
      images,
      maxTokens: number("max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens") as number | null,
      temperature: number("temperature") as number | null,
      tools: tools.map(({ definition }) => toolOf(fields(definition))).filter(({ name }) => name !== ""),
    },
  };
}
