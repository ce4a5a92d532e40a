// Node's http as a provider's server. It closes connections that are idle for a second.
//
//     node node_http.mjs
//
// Says where it listens, then for each request its id and the connection's port. The path's first part says how the
// answer ends: /length/, /chunked/ or /events/.

import { createServer } from "node:http";
import { writeSync } from "node:fs";

const say = (line) => writeSync(1, `${line}\n`);

function answer(kind, text, response) {
  const choice = { index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" };
  const whole = JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "m", choices: [choice] });
  const chunk = { index: 0, delta: { role: "assistant", content: text }, finish_reason: "stop" };
  const event = JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [chunk] });
  if (kind === "length") {
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(whole) });
    response.end(whole);
    return;
  }
  const events = kind === "events";
  response.writeHead(200, { "content-type": events ? "text/event-stream" : "application/json" });
  response.write(events ? `data: ${event}\n\n` : whole.slice(0, 20));
  response.end(events ? "data: [DONE]\n\n" : whole.slice(20));
}

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const id = /"(id-[a-z0-9-]+)"/.exec(Buffer.concat(pieces).toString())[1];
  say(`${id} ${request.socket.remotePort}`);
  answer(request.url.split("/")[1], id, response);
});
// The answers' header says it too: `keep-alive: timeout=1`.
server.keepAliveTimeout = 1000;
server.listen({ host: "127.0.0.1", port: 0, backlog: 512 }, () => say(`listens on 127.0.0.1:${server.address().port}`));
