// A provider that says what a test wants to see: OpenAI's two formats and Anthropic's, whole and streamed.
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

const ANSWER = "A gateway is one door in front of many models.";
const THINKING = "Somebody asks for the weather.";

/** Starts it on a free port; `asked` is what it was sent. */
export async function startUpstream() {
  const asked = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const body = text ? JSON.parse(text) : {};
    asked.push({ path: request.url, body });
    if (text.includes("PLEASE FAIL")) return json(response, 500, { error: { message: "The engine is on fire.", type: "server_error" } });
    if (text.includes("PLEASE GUARD")) return guarded(body, response);
    if (request.url.endsWith("/messages")) return messages(body, response);
    if (request.url.endsWith("/responses")) return responses(body, response);
    return chat(body, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, asked, stop: () => server.close() };
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_of_the_provider" });
  response.end(JSON.stringify(value));
}

/** As a gateway behind this one answers: from its cache, with what its guardrails found. */
function guarded(body, response) {
  const check = { id: "default.contains", verdict: false, execution_time: 1.5, data: { word: "guard" } };
  const hook = { id: "secrets", verdict: false, deny: false, execution_time: 2, checks: [check] };
  const message = { role: "assistant", content: ANSWER };
  const usage = { prompt_tokens: 25, completion_tokens: 30, total_tokens: 55 };
  response.writeHead(246, { "content-type": "application/json", "x-portkey-cache-status": "HIT" });
  response.end(
    JSON.stringify({
      id: "c1", object: "chat.completion", created: 1, model: body.model, usage,
      choices: [{ index: 0, message, finish_reason: "stop" }],
      hook_results: { before_request_hooks: [hook], after_request_hooks: [] },
    }),
  );
}

async function chat(body, response) {
  // A long prompt, which is read from the cache but where its beginning has changed.
  const isLong = JSON.stringify(body).includes("LONG");
  const cached = isLong ? (JSON.stringify(body).includes("NEW") ? 0 : 1536) : 10;
  const prompt = isLong ? 2000 : 25;
  const usage = { prompt_tokens: prompt, completion_tokens: 30, total_tokens: prompt + 30, prompt_tokens_details: { cached_tokens: cached } };
  const head = { id: "c1", created: 1, model: body.model };
  const wantsTool = body.tools && !body.messages.some(({ role }) => role === "tool");
  if (!body.stream) {
    const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } };
    const message = wantsTool ? { role: "assistant", content: null, tool_calls: [call] } : { role: "assistant", content: ANSWER };
    return json(response, 200, { ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: wantsTool ? "tool_calls" : "stop" }], usage });
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const say = (rest) => response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...rest })}\n\n`);
  for (const word of ANSWER.split(/(?<= )/)) {
    say({ choices: [{ index: 0, delta: { content: word }, finish_reason: null }] });
    await wait(10);
  }
  say({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  say({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}

async function messages(body, response) {
  const usage = { input_tokens: 120, output_tokens: 40, cache_read_input_tokens: 100 };
  const head = { id: "msg_1", type: "message", role: "assistant", model: body.model };
  const content = [{ type: "thinking", thinking: THINKING, signature: "s" }, { type: "text", text: "It is sunny." }];
  if (!body.stream) return json(response, 200, { ...head, content, stop_reason: "end_turn", usage });
  response.writeHead(200, { "content-type": "text/event-stream" });
  const say = (type, rest) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
  say("message_start", { message: { ...head, content: [], usage: { ...usage, output_tokens: 1 } } });
  say("content_block_start", { index: 0, content_block: { type: "thinking", thinking: "" } });
  say("content_block_delta", { index: 0, delta: { type: "thinking_delta", thinking: THINKING } });
  say("content_block_stop", { index: 0 });
  say("content_block_start", { index: 1, content_block: { type: "text", text: "" } });
  for (const word of ["It ", "is ", "sunny."]) {
    say("content_block_delta", { index: 1, delta: { type: "text_delta", text: word } });
    await wait(10);
  }
  say("content_block_stop", { index: 1 });
  say("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 40 } });
  say("message_stop", {});
  response.end();
}

function responses(body, response) {
  const item = { type: "message", id: "m1", role: "assistant", status: "completed", content: [{ type: "output_text", text: "Hello from Responses.", annotations: [] }] };
  const whole = { id: "resp_1", object: "response", status: "completed", model: body.model, output: [item], usage: { input_tokens: 30, output_tokens: 12, total_tokens: 42 } };
  if (!body.stream) return json(response, 200, whole);
  response.writeHead(200, { "content-type": "text/event-stream" });
  let number = 0;
  const say = (type, rest) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...rest })}\n\n`);
  say("response.created", { response: { ...whole, status: "in_progress", output: [], usage: null } });
  say("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } });
  say("response.content_part.added", { output_index: 0, content_index: 0, item_id: "m1", part: { type: "output_text", text: "", annotations: [] } });
  for (const word of ["Hello ", "from ", "Responses."]) say("response.output_text.delta", { item_id: "m1", output_index: 0, content_index: 0, delta: word });
  say("response.output_item.done", { output_index: 0, item });
  say("response.completed", { response: whole });
  response.end();
}
