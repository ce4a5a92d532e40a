// What needs no browser: streams into conversations, words into filters, exact sums.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const SOURCES = {
  chat: "read/chat.ts",
  responses: "read/responses.ts",
  messages: "read/messages.ts",
  generate: "read/generate.ts",
  events: "read/events.ts",
  conversation: "read/conversation.ts",
  query: "pages/logs/query.ts",
  format: "format.ts",
};

let folder;
const of = {};
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "ostia-console-read-"));
  const source = (path) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
  const entry = Object.fromEntries(Object.entries(SOURCES).map(([name, path]) => [name, source(path)]));
  await build({ configFile: false, logLevel: "error", build: { outDir: folder, lib: { entry, formats: ["es"] }, minify: false } });
  for (const name of Object.keys(SOURCES)) of[name] = await import(pathToFileURL(join(folder, `${name}.js`)));
});
after(() => rmSync(folder, { recursive: true }));

const stream = (documents) => documents.map((document) => `event: x\ndata: ${JSON.stringify(document)}\n\n`).join("");

test("events, over every split of the stream", () => {
  const documents = [{ type: "a", text: "é\n\n" }, { type: "b" }];
  const text = `: a comment\n\n${stream(documents)}data: [DONE]\n\n`.replaceAll("\n", "\r\n");
  for (let at = 0; at <= text.length; at++) {
    const reader = new of.events.EventReader();
    assert.deepEqual([...reader.push(text.slice(0, at)), ...reader.push(text.slice(at))], documents, `at ${at}`);
  }
  assert.deepEqual(of.events.documents(stream(documents).slice(0, -12)), documents.slice(0, 1), "the last one is cut off");
});

test("the answer of a stream, whole or broken off, is that of the whole one", () => {
  const check = (format, whole, events, broken) => {
    const { read } = of[format];
    assert.deepEqual(read({}, events).answered, read({}, whole).answered, format);
    for (let count = 0; count <= events.length; count++) read({}, events.slice(0, count));
    assert.match(JSON.stringify(read({}, events.slice(0, broken)).answered), /Pa/, format);
  };
  const call = (rest) => ({ index: 0, ...rest });
  check(
    "chat",
    { choices: [{ message: { role: "assistant", content: "Paris", reasoning_content: "hm", tool_calls: [{ id: "1", function: { name: "w", arguments: '{"a":1}' } }] } }] },
    [
      { choices: [{ index: 0, delta: { reasoning_content: "hm" } }] },
      { choices: [{ index: 0, delta: { content: "Pa" } }] },
      { choices: [{ index: 0, delta: { content: "ris" } }] },
      { choices: [{ index: 0, delta: { tool_calls: [call({ id: "1", function: { name: "w", arguments: "" } })] } }] },
      { choices: [{ index: 0, delta: { tool_calls: [call({ function: { arguments: '{"a":1}' } })] } }] },
      { choices: [], usage: {} },
    ],
    2,
  );
  const item = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Paris" }] };
  check(
    "responses",
    { output: [item] },
    [
      { type: "response.created", response: { output: [] } },
      { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
      { type: "response.output_text.delta", output_index: 0, delta: "Pa" },
      { type: "response.output_text.delta", output_index: 0, delta: "ris" },
      { type: "response.completed", response: { output: [item] } },
    ],
    3,
  );
  check(
    "messages",
    { content: [{ type: "thinking", thinking: "hm" }, { type: "text", text: "Paris" }, { type: "tool_use", id: "1", name: "w", input: { a: 1 } }] },
    [
      { type: "message_start", message: {} },
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Pa" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "ris" } },
      { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "1", name: "w", input: {} } },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"a":' } },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "1}" } },
    ],
    5,
  );
  const chunk = (text) => ({ candidates: [{ content: { role: "model", parts: [{ text }] } }] });
  check("generate", chunk("Paris"), [chunk("Pa"), chunk("ris")], 1);
});

test("nothing that a body may hold stops a reader", () => {
  const odd = [null, 1, "x", [], [null], {}, { type: 1 }, { content: [1, null, { type: "image" }] }];
  for (const format of ["chat", "responses", "messages", "generate"]) {
    for (const value of odd) {
      for (const field of ["messages", "input", "contents", "system", "tools", "instructions"]) of[format].read({ [field]: value }, {});
      for (const field of ["choices", "output", "content", "candidates"]) of[format].read({}, { [field]: value });
      of[format].read({}, [{ type: "content_block_delta", index: 3, delta: value }, { choices: [{ delta: value }] }, { output_index: 2, delta: value }]);
    }
  }
});

test("what is not a picture is shown as none", () => {
  const check = (url, kind) => assert.equal(of.conversation.linked(url).kind, kind, url);
  check("data:image/png;base64,AAAA", "image");
  check("data:image/svg+xml;base64,AAAA", "file");
  check("data:text/html;base64,AAAA", "file");
  check("data:audio/wav;base64,AAAA", "audio");
});

test("words of the search", () => {
  const check = (words, expected, before = "") => assert.deepEqual(of.query.changesOf(words, new URLSearchParams(before)), expected, words);
  check("status:error provider:openai", { status: "error", provider: "openai" });
  check("model:@anthropic/claude:x", { model: "@anthropic/claude:x" });
  check("cost>0.01 cost<=2 latency>=2000 tokens<10", { cost_min: "0.01", cost_max: "2", latency_min: "2000", tokens_max: "10" });
  check("team=red user=a=b", { metadata: '{"team":"red","user":"a=b"}' });
  check("user=ada", { metadata: '{"team":"red","user":"ada"}' }, 'metadata={"team":"red"}');
  check("0af7651916cd43dd8448eb211c80319c", { trace: "0af7651916cd43dd8448eb211c80319c" });
  check("text:Paris", { text: "Paris" });
  check("colour:red", { trace: "colour:red" });
  check("  ", {});
});

test("sums are exact, and money is short", () => {
  assert.equal(of.format.sum(["0.1", "0.2", "0.000000000000000001"]), "0.300000000000000001");
  assert.equal(of.format.sum([]), "0");
  assert.equal(of.format.times("0.0000025", 15), "0.0000375");
  assert.equal(of.format.times("2", 3), "6");
  const check = (amount, expected) => assert.equal(of.format.money(amount, "USD"), expected, amount);
  check("0", "$0");
  check("0.3", "$0.30");
  check("12.4", "$12.40");
  check("0.00021", "$0.00021");
  check("0.000195", "$0.000195");
});
