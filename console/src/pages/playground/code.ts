// The same call in the SDKs that people use.

import type { FormatId, Prompt } from "./formats";
import { FORMATS } from "./formats";

export interface Sample {
  id: string;
  label: string;
  text: string;
}

/** `key`: the gateway wants one. */
export function samples(format: FormatId, model: string, prompt: Prompt, key: boolean): Sample[] {
  const body = shortened(FORMATS[format].body(model, prompt));
  return [
    { id: "python", label: "openai (Python)", text: openaiPython(format, shortened(FORMATS[openaiFormat(format)].body(model, prompt)), key) },
    { id: "js", label: "openai (JavaScript)", text: openaiJs(format, shortened(FORMATS[openaiFormat(format)].body(model, prompt)), key) },
    { id: "anthropic", label: "anthropic (Python)", text: anthropicPython(shortened(FORMATS.messages.body(model, prompt)), key) },
    { id: "google", label: "google-genai (Python)", text: googlePython(model, shortened(FORMATS.generate.body(model, prompt)), key) },
    { id: "curl", label: "curl", text: curl(format, model, body, key) },
  ];
}

/** OpenAI's SDKs have their own two. */
const openaiFormat = (format: FormatId): FormatId => (format === "responses" ? "responses" : "chat");
const keyText = (key: boolean): string => (key ? "YOUR-KEY-FOR-THIS-GATEWAY" : "not-needed");

function openaiPython(format: FormatId, body: object, key: boolean): string {
  const make = openaiFormat(format) === "responses" ? "responses.create" : "chat.completions.create";
  const show = openaiFormat(format) === "responses" ? 'if event.type == "response.output_text.delta":\n        print(event.delta, end="")' : 'if event.choices:\n        print(event.choices[0].delta.content or "", end="")';
  return `from openai import OpenAI

client = OpenAI(base_url="${location.origin}/v1", api_key="${keyText(key)}")
stream = client.${make}(
${pythonFields(body)}
)
for event in stream:
    ${show}
`;
}

function openaiJs(format: FormatId, body: object, key: boolean): string {
  const make = openaiFormat(format) === "responses" ? "responses.create" : "chat.completions.create";
  const show = openaiFormat(format) === "responses" ? 'if (event.type === "response.output_text.delta") process.stdout.write(event.delta);' : 'process.stdout.write(event.choices[0]?.delta?.content ?? "");';
  return `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${location.origin}/v1", apiKey: "${keyText(key)}" });
const stream = await client.${make}(${JSON.stringify(body, null, 2)});
for await (const event of stream) {
  ${show}
}
`;
}

function anthropicPython(body: object, key: boolean): string {
  const { stream: _, ...rest } = body as { stream?: unknown };
  return `from anthropic import Anthropic

client = Anthropic(base_url="${location.origin}", api_key="${keyText(key)}")
with client.messages.stream(
${pythonFields(rest)}
) as stream:
    for text in stream.text_stream:
        print(text, end="")
`;
}

/** The SDK has names of its own for some fields, and takes the rest as the API has them. */
function googlePython(model: string, body: object, key: boolean): string {
  const { contents, systemInstruction, generationConfig, tools } = body as Record<string, unknown>;
  const { maxOutputTokens, temperature } = (generationConfig ?? {}) as Record<string, unknown>;
  const config = { system_instruction: systemInstruction, max_output_tokens: maxOutputTokens, temperature, tools };
  const told = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return `from google import genai

client = genai.Client(api_key="${keyText(key)}", http_options={"base_url": "${location.origin}"})
stream = client.models.generate_content_stream(
${pythonFields({ model, contents, ...(Object.keys(told).length === 0 ? {} : { config: told }) })}
)
for chunk in stream:
    print(chunk.text or "", end="")
`;
}

function curl(format: FormatId, model: string, body: object, key: boolean): string {
  const { path, headers } = FORMATS[format];
  const all = { "content-type": "application/json", ...headers, ...(key ? { "x-ostia-api-key": keyText(key) } : {}) };
  const lines = Object.entries(all).map(([name, value]) => `  -H '${name}: ${value}' \\\n`);
  return `curl -N '${location.origin}${path(model)}' \\\n${lines.join("")}  -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
}

function pythonFields(body: object): string {
  return Object.entries(body)
    .map(([name, value]) => `    ${name}=${python(value, "    ")},`)
    .join("\n");
}

/** A value as Python writes it. */
function python(value: unknown, indent: string): string {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  const inner = `${indent}    `;
  if (Array.isArray(value)) return `[\n${value.map((item) => `${inner}${python(item, inner)},\n`).join("")}${indent}]`;
  if (typeof value === "object") {
    const fields = Object.entries(value as object).map(([name, field]) => `${JSON.stringify(name)}: ${python(field, inner)}`);
    return `{${fields.join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** Pictures are too long to be read. */
function shortened<T>(value: T): T {
  const text = JSON.stringify(value, (_, field: unknown) => (typeof field === "string" && field.length > 2000 && /^[\w+/=:;,-]+$/.test(field) ? `${field.slice(0, 40)}...` : field));
  return JSON.parse(text) as T;
}
