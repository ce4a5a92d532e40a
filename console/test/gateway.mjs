// The gateway as a process, in front of a scripted provider.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startUpstream } from "./upstream.mjs";

const PROGRAM = process.env.OSTIA_TEST_PROGRAM;
const START_MS = 20_000;

/** Starts both; `more` is added to the configuration. */
export async function startGateway(more = "") {
  if (!PROGRAM) throw new Error("OSTIA_TEST_PROGRAM says where the gateway is: run `cargo xtask console --test`");
  const upstream = await startUpstream();
  const folder = mkdtempSync(join(tmpdir(), "ostia-console-test-"));
  writeFileSync(
    join(folder, "ostia.yaml"),
    `listen: 127.0.0.1:0
default_provider: openai
providers:
  openai: {base_url: "${upstream.url}/v1", api_key: secret-of-openai, models: [gpt-4o-mini, gpt-4o]}
  anthropic: {base_url: "${upstream.url}", api_key: secret-of-anthropic, models: [claude-sonnet-4-5]}
  nobody: {base_url: "http://127.0.0.1:9/v1", dialects: [openai_chat], local: true}
aliases:
  smart:
    strategy: {mode: fallback}
    targets:
      - {provider: nobody, override_params: {model: gpt-4o}}
      - {provider: anthropic, override_params: {model: claude-sonnet-4-5}}
${more}`,
  );
  const child = spawn(PROGRAM, ["--config", "ostia.yaml", "--data", join(folder, "data")], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const url = await new Promise((resolve, reject) => {
    let said = "";
    const hear = (piece) => {
      said += piece;
      const told = /listens on (http:\/\/[\d.:]+)/.exec(said);
      if (told) resolve(told[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", () => reject(new Error(`the gateway ended: ${said}`)));
    setTimeout(() => reject(new Error(`the gateway does not listen: ${said}`)), START_MS).unref();
  });
  const stop = async () => {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill();
    await ended;
    upstream.stop();
    rmSync(folder, { recursive: true });
  };
  return { url, upstream, stop, call: (path, body, headers) => call(url + path, body, headers) };
}

async function call(url, body, headers = {}) {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

/** A call in OpenAI's first format. */
export const hello = (content = "Hello", rest = {}) => ({ model: "gpt-4o-mini", messages: [{ role: "user", content }], ...rest });
