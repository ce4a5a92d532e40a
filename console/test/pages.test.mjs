// The other pages; and of all of them, what holds everywhere.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, open, seriousProblems } from "./browser.mjs";
import { hello, startGateway } from "./gateway.mjs";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
/** Where pictures of the pages go, if anywhere. */
const PICTURES = process.env.OSTIA_TEST_PICTURES;

let browser;
let gateway;
before(async () => {
  browser = await launch();
  gateway = await startGateway();
  const span = (id) => ({ traceparent: `00-${TRACE}-${id}-01` });
  await gateway.call("/v1/chat/completions", hello("Hello", { stream: true, stream_options: { include_usage: true } }), span("b7ad6b7169203331"));
  await gateway.call("/v1/chat/completions", hello("And?", { model: "smart" }), span("b7ad6b7169203332"));
  await gateway.call("/v1/chat/completions", hello("PLEASE FAIL"));
  await gateway.call("/v1/chat/completions", hello("Hello", { model: "nobody-knows-it" }));
});
after(async () => {
  await browser.close();
  await gateway.stop();
});

test("live figures, and from a point to its requests", async () => {
  const { page, finish } = await open(browser, gateway, "/live?since=15m");
  await page.locator(".chart canvas").nth(5).waitFor();
  assert.equal(await page.locator(".chart").count(), 6);
  await page.waitForFunction(() => /Requests4/.test(document.querySelector(".facts").textContent));
  await page.getByText("is unknown and not in the sum").waitFor();
  await page.getByRole("button", { name: "model", exact: true }).click();
  await page.getByRole("cell", { name: "nobody-knows-it" }).waitFor();
  await page.getByRole("button", { name: "all", exact: true }).click();
  const over = page.locator(".chart .u-over").first();
  const box = await over.boundingBox();
  // The last minute is at the right border.
  await page.mouse.move(box.x + box.width - 3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.up();
  await page.waitForURL(/\/console\/logs\?.*from=/);
  await page.goBack();
  await page.locator(".chart canvas").nth(5).waitFor();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=.*to=/);
  await page.getByRole("button", { name: "Back to now" }).click();
  await finish();
});

test("the playground streams two answers side by side, and shows the code", async () => {
  const { page, finish } = await open(browser, gateway, "/playground");
  await page.waitForFunction(() => document.querySelector(".pane input").value !== "");
  await page.getByLabel("User").fill("What is a gateway?");
  await page.getByLabel("Model").fill("@openai/gpt-4o-mini");
  await page.getByRole("button", { name: "Compare two" }).click();
  const second = page.getByLabel("Answer B");
  await second.getByLabel("Model").fill("@anthropic/claude-sonnet-4-5");
  await second.getByLabel("Format").selectOption("messages");
  await page.locator(".prompt input[type=file]").setInputFiles({
    name: "dot.png",
    mimeType: "image/png",
    buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
  });
  await page.getByAltText("Picture 1").waitFor();
  await page.getByText("Tools", { exact: true }).click();
  await page.getByLabel("Tools, a list as JSON").fill('[{"name": "weather", "parameters": {"type": "object"}}]');
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByLabel("Answer A").getByText("A gateway is one door in front of many models.").waitFor();
  await second.getByText("It is sunny.").waitFor();
  await second.getByText("Somebody asks for the weather.").waitFor();
  assert.match(await page.getByLabel("Answer A").locator(".facts").textContent(), /Input25Output30/);
  const asked = gateway.upstream.asked.filter(({ path }) => path.endsWith("/messages")).at(-1).body;
  assert.equal(asked.messages[0].content[1].source.media_type, "image/png");
  assert.deepEqual(asked.tools, [{ name: "weather", input_schema: { type: "object" } }]);
  for (const format of ["responses", "chat"]) {
    await page.getByLabel("Answer A").getByLabel("Format").selectOption(format);
  }
  await page.getByLabel("Answer A").getByRole("button", { name: "Code" }).click();
  for (const sdk of ["openai (Python)", "openai (JavaScript)", "anthropic (Python)", "google-genai (Python)", "curl"]) {
    await page.getByRole("tab", { name: sdk }).click();
    assert.match(await page.getByRole("dialog").locator("pre").textContent(), new RegExp(gateway.url));
  }
  await page.keyboard.press("Escape");
  await page.getByLabel("Answer A").getByRole("link", { name: "Its record" }).click();
  await page.locator(".table-body [role=row]").first().waitFor();
  await finish();
});

test("the playground reads Responses, and tells of a failure", async () => {
  const { page, finish } = await open(browser, gateway, "/playground", { refused: [500] });
  await page.getByLabel("Model").fill("@openai/gpt-4o");
  await page.getByLabel("Format").selectOption("responses");
  await page.getByLabel("User").fill("Hi");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Hello from Responses.").waitFor();
  await page.getByLabel("User").fill("PLEASE FAIL");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("The engine is on fire.").waitFor();
  await finish();
});

test("the playground speaks Google's format, and takes a request in it up again", async () => {
  const { page, finish } = await open(browser, gateway, "/playground");
  await page.getByLabel("Model").fill("@openai/gpt-4o-mini");
  await page.getByLabel("Format").selectOption("generate");
  await page.locator(".prompt").getByLabel("System").fill("Be brief");
  await page.getByLabel("User").fill("What is a gateway?");
  await page.getByLabel("Most tokens").fill("99");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("A gateway is one door in front of many models.").waitFor();
  assert.match(await page.getByLabel("Answer A").locator(".facts").textContent(), /Input25Output30/);
  const asked = gateway.upstream.asked.at(-1).body;
  assert.deepEqual(asked.messages.map(({ role }) => role), ["system", "user"]);
  await page.getByRole("button", { name: "Code" }).click();
  await page.getByRole("tab", { name: "google-genai (Python)" }).click();
  assert.match(await page.getByRole("dialog").locator("pre").textContent(), /generate_content_stream[^]*max_output_tokens/);
  await page.keyboard.press("Escape");
  await page.getByLabel("Answer A").getByRole("link", { name: "Its record" }).click();
  await page.locator(".table-body .row-link").first().click();
  await page.getByRole("tab", { name: "Repeat" }).click();
  await page.getByRole("link", { name: "Open in the playground" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".prompt textarea")[1]?.value === "What is a gateway?");
  assert.equal(await page.getByLabel("Format").inputValue(), "generate");
  assert.equal(await page.getByLabel("Most tokens").inputValue(), "99");
  await finish();
});

test("providers, models and the configuration", async () => {
  const { page, finish } = await open(browser, gateway, "/providers");
  const row = (name) => page.getByRole("row", { name });
  await row("nobody").getByText("failing").waitFor();
  await row("Anthropic").getByText("well").waitFor();
  await row("@openai/gpt-4o-mini").getByText("$0.15").waitFor();
  await page.goto(`${gateway.url}/console/config`);
  await page.getByText("finds nothing doubtful").waitFor();
  const text = await page.locator("main").textContent();
  assert.match(text, /default_provider/);
  assert.doesNotMatch(text, /secret-of/);
  await finish();
});

test("a trace is a waterfall, with the spans of the application", async () => {
  const nanos = (ms) => `${Math.round(ms)}000000`;
  const span = { traceId: TRACE, spanId: "b7ad6b7169203331", name: "checkout", kind: 1, status: { code: 2, message: "no stock" } };
  const times = { startTimeUnixNano: nanos(Date.now() - 60_000), endTimeUnixNano: nanos(Date.now()) };
  const spans = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...times }] }] }] };
  const log = { traceId: TRACE, spanId: span.spanId, timeUnixNano: times.endTimeUnixNano, severityText: "WARN", body: { stringValue: "stock is low" } };
  assert.equal((await gateway.call("/v1/otel/v1/traces", spans)).status, 200);
  assert.equal((await gateway.call("/v1/otel/v1/logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [log] }] }] })).status, 200);
  const { page, finish } = await open(browser, gateway, "/traces");
  await page.getByRole("link", { name: TRACE }).click();
  await page.locator(".span-row").nth(2).waitFor();
  assert.equal(await page.locator(".span-row").count(), 3);
  const own = page.locator(".span-row").first();
  assert.match(await own.textContent(), /checkout.*stock is low/s);
  await own.locator("summary").click();
  await own.getByText("no stock").waitFor();
  await page.locator(".span-row a").first().click();
  await page.locator(".request").waitFor();
  await finish();
});

test("a session has all of its requests, and what they cost", async () => {
  const session = { "x-ostia-session": "tour-1" };
  for (const model of ["gpt-4o", "gpt-4o-mini", "gpt-4o"]) await gateway.call("/v1/chat/completions", hello("On we go", { model }), session);
  const { page, finish } = await open(browser, gateway, "/sessions");
  await page.getByRole("link", { name: "tour-1" }).click();
  await page.locator(".table-body [role=row]").nth(2).waitFor();
  // 15 tokens of input, 10 from the cache and 30 of output: twice 0.00035 and once 0.000021 dollars.
  await page.waitForFunction(() => /Requests3.*Cost\$0\.000721/.test(document.querySelector(".facts").textContent));
  await page.locator(".table-body .row-link").first().click();
  await page.locator(".request").getByRole("link", { name: "Session" }).click();
  await page.getByRole("heading", { name: "Session tour-1" }).waitFor();
  await finish();
});

test("what prompt caches save, and where a prefix changed", async () => {
  const session = { "x-ostia-session": "cache-1" };
  const ask = (system) =>
    gateway.call("/v1/chat/completions", { model: "gpt-4o", messages: [{ role: "system", content: system }, { role: "user", content: "On" }] }, session);
  await ask("LONG rules of the house, as of Monday");
  await ask("LONG rules of the house, as of NEW day");
  const { page, finish } = await open(browser, gateway, "/cache?since=1h");
  await page.getByText("The system prompt differs from the last call at character 32, about token").waitFor();
  assert.equal(await page.locator(".fall del").textContent(), "he house, as of Monday");
  assert.match(await page.locator(".fall").textContent(), /1,536 → 0 of 2,000 tokens from the cache, \$0\.00192 more/);
  assert.match(await page.getByRole("row", { name: /gpt-4o / }).first().textContent(), /%/);
  await page.locator(".fall").getByRole("link", { name: "this one" }).click();
  await page.locator(".request").waitFor();
  await page.goto(`${gateway.url}/console/cache?since=1h&model=nobody-asked-for-it`);
  await page.getByText("No model has read anything in this time").waitFor();
  await finish();
});

const PAGES = ["/logs", "/logs/ONE", "/live?since=15m&group_by=model", "/playground", `/traces/${TRACE}`, "/sessions", "/sessions/tour-1", "/cache", "/providers", "/config"];

for (const [width, height] of [[1440, 900], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every page at ${width} px, ${colorScheme}: axe-core finds nothing serious, nothing is cut off`, async () => {
      const { data } = await (await fetch(`${gateway.url}/v1/logs?model=smart`)).json();
      const problems = [];
      for (const path of PAGES) {
        const at = path.replace("ONE", data[0].id);
        const { page, finish } = await open(browser, gateway, at, { viewport: { width, height }, colorScheme, reducedMotion: "reduce" });
        await page.waitForTimeout(900);
        problems.push(...(await seriousProblems(page)).map((problem) => `${path}: ${problem}`));
        const surplus = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (surplus > 0) problems.push(`${path}: ${surplus} px too wide`);
        if (PICTURES) {
          mkdirSync(PICTURES, { recursive: true });
          await page.screenshot({ path: `${PICTURES}/${path.split("?")[0].slice(1).replaceAll("/", "-").replace(TRACE, "one")}-${width}-${colorScheme}.png` });
        }
        await finish();
      }
      assert.deepEqual(problems, []);
    });
  }
}
