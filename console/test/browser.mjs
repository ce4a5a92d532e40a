// A real Chromium, and pages of it that complain of errors and of requests to anybody but the gateway.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const PROGRAM = process.env.OSTIA_TEST_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () => chromium.launch({ executablePath: PROGRAM, args: FLAGS });

/** Opens a page of the console; `finish` fails where it complained. `refused`: answers of the gateway that are meant to be errors. */
export async function open(browser, gateway, path = "/logs", { refused = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  const isMeant = (text) => refused.some((status) => text.includes(`status of ${status}`));
  page.on("console", (message) => message.type() === "error" && !isMeant(message.text()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const isOwn = request.url().startsWith(`${gateway.url}/`) || /^(data|blob):/.test(request.url());
    if (!isOwn) complaints.push(`asks ${request.url()}`);
  });
  await page.goto(`${gateway.url}/console${path}`);
  const finish = async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  };
  return { page, context, finish };
}

/** What axe-core finds serious (https://github.com/dequelabs/axe-core). */
export async function seriousProblems(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
}
