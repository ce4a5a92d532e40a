// Node's http2 as a provider's server. Each connection takes three requests at a time, and gets GOAWAY after its twelfth.
//
//     node node_http2.mjs CERT KEY
//
// Says where it listens, then for each request its id and the connection's port. A request for a stream gets one, with a
// pause between its events.

import { createSecureServer } from "node:http2";
import { readFileSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const say = (line) => writeSync(1, `${line}\n`);
const [cert, key] = process.argv.slice(2).map((path) => readFileSync(path));

async function answer(body, id, stream) {
  const choice = { index: 0, message: { role: "assistant", content: id }, finish_reason: "stop" };
  if (!body.stream) {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "m", choices: [choice] }));
    return;
  }
  const event = (delta, finish_reason) => {
    const chunk = { index: 0, delta, finish_reason };
    return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [chunk] })}\n\n`;
  };
  stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  stream.write(event({ role: "assistant", content: id }, null));
  await setTimeout(5);
  stream.end(`${event({}, "stop")}data: [DONE]\n\n`);
}

const server = createSecureServer({ cert, key, allowHTTP1: true, settings: { maxConcurrentStreams: 3 } });
server.on("session", (session) => {
  let streams = 0;
  session.on("stream", async (stream) => {
    streams += 1;
    if (streams === 12) session.close();
    stream.on("error", () => {});
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const id = /"(id-[a-z0-9-]+)"/.exec(text)[1];
    say(`${id} ${session.socket.remotePort}`);
    await answer(JSON.parse(text), id, stream);
  });
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 512 }, () => say(`listens on 127.0.0.1:${server.address().port}`));
