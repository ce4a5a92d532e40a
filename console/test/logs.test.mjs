// The list of requests, and one of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.mjs";
import { hello, startGateway } from "./gateway.mjs";

const PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";
const rows = (page) => page.locator(".table-body [role=row]");

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** A test with a gateway of its own. */
function withGateway(name, run, config) {
  test(name, async () => {
    const gateway = await startGateway(config);
    try {
      await run(gateway);
    } finally {
      await gateway.stop();
    }
  });
}

withGateway("the first call shows within two seconds, without a reload", async (gateway) => {
  const { page, finish } = await open(browser, gateway);
  await page.getByText("No request yet").waitFor();
  const command = await page.locator(".empty pre").textContent();
  assert.match(command, new RegExp(`curl ${gateway.url}/v1/chat/completions`));
  const began = Date.now();
  assert.equal((await gateway.call("/v1/chat/completions", hello())).status, 200);
  await rows(page).first().waitFor({ timeout: 5000 });
  const tookMs = Date.now() - began;
  assert.ok(tookMs < 2000, `it took ${tookMs} ms`);
  assert.match(await rows(page).first().textContent(), /200.*gpt-4o-mini.*openai/);
  await finish();
});

withGateway("the command of the empty list is a call that works", async (gateway) => {
  const { page, finish } = await open(browser, gateway);
  const command = await page.locator(".empty pre").textContent();
  const body = /-d '(.*)'$/s.exec(command)[1];
  const { status, text } = await gateway.call("/v1/chat/completions", JSON.parse(body));
  assert.equal(status, 200, text);
  await finish();
});

withGateway("what a cache and guardrails behind the gateway did is told", async (gateway) => {
  assert.equal((await gateway.call("/v1/chat/completions", hello("PLEASE GUARD"))).status, 246);
  const { page, finish } = await open(browser, gateway);
  await rows(page).first().locator(".row-link").click();
  await page.getByRole("tab", { name: "Details" }).click();
  await page.getByText("hit, at the gateway that was asked").waitFor();
  await page.getByText("failed: default.contains, before the request, 2.0 ms").waitFor();
  await page.getByRole("tab", { name: "Cost" }).click();
  await page.getByText("The answer came from a cache").waitFor();
  assert.match(await page.locator(".sheet").textContent(), /cached answers1× 00/);
  await finish();
});

withGateway("filters stand in the address and choose requests", async (gateway) => {
  await gateway.call("/v1/chat/completions", hello("Hello"), { "x-ostia-metadata": '{"team":"red"}' });
  await gateway.call("/v1/chat/completions", hello("Hello", { model: "gpt-4o" }), { "x-ostia-metadata": '{"team":"blue"}' });
  await gateway.call("/v1/chat/completions", hello("PLEASE FAIL"));
  await gateway.call("/v1/messages", { model: "@anthropic/claude-sonnet-4-5", max_tokens: 9, messages: [{ role: "user", content: "x" }] });
  const { page, finish } = await open(browser, gateway);
  await page.waitForFunction(() => document.querySelectorAll(".table-body [role=row]").length === 4);
  const check = async (words, count, field, value) => {
    await page.getByRole("searchbox").fill(words);
    await page.keyboard.press("Enter");
    await page.waitForFunction((count) => document.querySelectorAll(".table-body [role=row]").length === count, count);
    assert.equal(new URL(page.url()).searchParams.get(field), value);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".table-body [role=row]").length === 4);
  };
  await check("status:error", 1, "status", "error");
  await check("provider:anthropic", 1, "provider", "anthropic");
  await check("model:gpt-4o-mini", 2, "model", "gpt-4o-mini");
  await check("team=red", 1, "metadata", '{"team":"red"}');
  await check("text:FAIL", 1, "text", "FAIL");
  await check("tokens>100", 1, "tokens_min", "100");
  await check("operation:anthropic_messages status:success", 1, "operation", "anthropic_messages");
  await page.goto(`${gateway.url}/console/logs?status=error`);
  await rows(page).first().waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll(".table-body [role=row]").length === 4);
  await page.goto(`${gateway.url}/console/logs?model=nobody-asked-for-it`);
  await page.getByText("No request passes these filters").waitFor();
  await finish();
});

withGateway("the keyboard goes through the list", async (gateway) => {
  for (const model of ["gpt-4o", "gpt-4o-mini"]) await gateway.call("/v1/chat/completions", hello("Hello", { model }));
  const { page, finish } = await open(browser, gateway);
  await page.waitForFunction(() => document.querySelectorAll(".table-body [role=row]").length === 2);
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.type), "search");
  await page.keyboard.type("j?");
  assert.equal(await page.getByRole("searchbox").inputValue(), "j?", "a field takes its letters itself");
  await page.getByRole("searchbox").fill("");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys and search" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.locator(".request h2", { hasText: /gpt-4o$/ }).waitFor();
  await page.keyboard.press("k");
  await page.locator(".request h2", { hasText: /gpt-4o-mini$/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".panel").waitFor({ state: "detached" });
  assert.match(page.url(), /\/console\/logs$/);
  await finish();
});

withGateway("streams are read as conversations, in each of the formats", async (gateway) => {
  let calls = 0;
  const check = async (path, body, words) => {
    assert.equal((await gateway.call(path, body)).status, 200);
    const { page, finish } = await open(browser, gateway);
    calls += 1;
    await page.waitForFunction((calls) => document.querySelectorAll(".table-body [role=row]").length === calls, calls);
    await rows(page).first().click();
    for (const word of words) await page.locator(".conversation").getByText(word, { exact: true }).first().waitFor();
    await finish();
  };
  await check("/v1/chat/completions", hello("What is a gateway?", { stream: true, stream_options: { include_usage: true } }), [
    "What is a gateway?",
    "A gateway is one door in front of many models.",
  ]);
  await check("/v1/messages", { model: "@anthropic/claude-sonnet-4-5", max_tokens: 99, stream: true, system: "Be kind.", messages: [{ role: "user", content: "Weather?" }] }, [
    "Be kind.",
    "Somebody asks for the weather.",
    "It is sunny.",
  ]);
  await check("/v1/responses", { model: "gpt-4o", stream: true, instructions: "Be brief.", input: "Hi" }, ["Be brief.", "Hi", "Hello from Responses."]);
});

withGateway("tools and pictures are shown, and nothing that somebody wrote is run or loaded", async (gateway) => {
  const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
  const hostile = '<script>document.title = "run"</script><img src="https://elsewhere.example/x.png" onerror="document.title = 1">';
  await gateway.call("/v1/chat/completions", {
    model: "gpt-4o",
    tools,
    messages: [
      { role: "user", content: [{ type: "text", text: hostile }, { type: "image_url", image_url: { url: PICTURE } }, { type: "image_url", image_url: { url: "https://elsewhere.example/cat.png" } }, { type: "image_url", image_url: { url: "javascript:alert(1)" } }] },
      { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } }] },
      { role: "tool", tool_call_id: "call_1", content: '{"sky":"clear"}' },
    ],
  });
  const { page, finish } = await open(browser, gateway);
  await rows(page).first().click();
  const told = page.locator(".conversation");
  await told.getByText(hostile, { exact: true }).waitFor();
  assert.equal(await told.locator("img").count(), 1, "only the picture that is there whole");
  assert.equal(await told.locator("img").evaluate((image) => image.complete && image.naturalWidth), 10);
  assert.equal(await told.getByRole("link", { name: "https://elsewhere.example/cat.png" }).getAttribute("rel"), "noopener noreferrer nofollow");
  assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
  await told.getByText('"city": "Paris"').waitFor();
  await told.getByText('"sky": "clear"').waitFor();
  assert.doesNotMatch(await page.title(), /run|1/);
  await finish();
});

withGateway("one request tells its attempts, its decisions, its price and how to repeat it", async (gateway) => {
  await gateway.call("/v1/chat/completions", hello("Route me", { model: "smart", seed: 7 }));
  const { page, finish } = await open(browser, gateway);
  await rows(page).first().click();
  const request = page.locator(".request");
  await request.waitFor();
  assert.deepEqual(await request.locator(".outcome").allTextContents(), ["failed", "answered"]);
  await page.getByRole("tab", { name: "Decisions" }).click();
  await request.getByText("config.targets[1] answered").waitFor();
  await request.getByText("could not be said to anthropic").first().waitFor();
  await page.getByRole("tab", { name: "Cost" }).click();
  const sheet = await request.locator(".sheet").textContent();
  // 120 from no cache and 100 from it, 40 written: 3, 0.30 and 15 dollars for a million.
  assert.match(sheet, /0\.00036.*0\.00003.*0\.0006.*Total0\.00099/s);
  await page.getByRole("tab", { name: "Raw" }).click();
  await request.getByText('"seed"').first().waitFor();
  await page.getByRole("tab", { name: "Feedback" }).click();
  await page.getByLabel("Why").fill("It went to the right one");
  await page.getByRole("button", { name: "Good" }).click();
  await page.getByRole("tab", { name: "Feedback (1)" }).waitFor();
  await request.getByText("It went to the right one").waitFor();
  await page.getByRole("tab", { name: "Repeat" }).click();
  await request.locator("pre", { hasText: `curl ${gateway.url}/v1/chat/completions` }).waitFor();
  await request.getByRole("link", { name: "Open in the playground" }).click();
  await page.locator(".prompt textarea").nth(1).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".prompt textarea")[1].value === "Route me");
  assert.equal(await page.getByLabel("Model").inputValue(), "smart");
  await finish();
});

withGateway(
  "a body that is not kept says why",
  async (gateway) => {
    await gateway.call("/v1/chat/completions", hello());
    const { page, finish } = await open(browser, gateway);
    await rows(page).first().click();
    await page.getByText("Bodies are not kept").first().waitFor();
    await finish();
  },
  "records: {bodies: off}\n",
);

withGateway(
  "the operator's key is asked for, kept for the tab, and shown to nobody else",
  async (gateway) => {
    const { page, finish } = await open(browser, gateway, "/logs", { refused: [401] });
    await page.getByRole("textbox", { name: "Key" }).fill("wrong");
    await page.getByRole("button", { name: "Open the console" }).click();
    await page.getByText("none of the gateway's admin keys").waitFor();
    await page.getByRole("textbox", { name: "Key" }).fill("admin-secret-1234");
    await page.getByRole("button", { name: "Open the console" }).click();
    await page.getByText("No request yet").waitFor();
    await gateway.call("/v1/chat/completions", hello(), { "x-ostia-api-key": "client-secret-1234" });
    await rows(page).first().waitFor();
    await page.reload();
    await rows(page).first().waitFor();
    assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("admin-secret")), false);
    await page.getByRole("link", { name: "Playground" }).click();
    await page.getByLabel("The gateway's key for calls").fill("client-secret-1234");
    await page.getByRole("button", { name: "Use this key" }).click();
    await page.waitForFunction(() => document.querySelector(".pane input").value !== "");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(/one door|sunny/).first().waitFor();
    await finish();
  },
  'auth: {keys: ["client-secret-1234"], admin_keys: ["admin-secret-1234"]}\n',
);

withGateway("views, columns and the theme are kept by the browser", async (gateway) => {
  await gateway.call("/v1/chat/completions", hello("Hello"), { "x-ostia-metadata": '{"team":"red"}' });
  await gateway.call("/v1/chat/completions", hello("PLEASE FAIL"));
  const { page, finish } = await open(browser, gateway, "/logs?status=error");
  await rows(page).first().waitFor();
  await page.locator("summary", { hasText: "Views" }).click();
  await page.getByLabel("Name of the view").fill("Mine");
  await page.getByRole("button", { name: "Save" }).click();
  await page.keyboard.press("Escape");
  await page.locator("summary", { hasText: "Columns" }).click();
  await page.getByRole("checkbox", { name: "Metadata" }).check();
  await page.getByRole("columnheader", { name: "Metadata" }).waitFor();
  await page.getByRole("button", { name: /^Theme: system/ }).click();
  await page.getByRole("button", { name: /^Theme: light/ }).click();
  await page.goto(`${gateway.url}/console/logs`);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByText("team=red").waitFor();
  await page.locator("summary", { hasText: "Views" }).click();
  await page.getByRole("button", { name: "Mine", exact: true }).click();
  await page.waitForURL(/status=error/);
  await page.waitForFunction(() => document.querySelectorAll(".table-body [role=row]").length === 1);
  await finish();
});

withGateway("new requests wait while somebody reads further down, and a long list is not all in the page", async (gateway) => {
  const calls = 130;
  for (let count = 0; count < calls; count++) await gateway.call("/v1/chat/completions", hello(`Hello ${count}`));
  const { page, finish } = await open(browser, gateway);
  await rows(page).first().waitFor();
  const table = page.locator(".table");
  await table.evaluate((table) => (table.scrollTop = 1500));
  // The second page of the list was asked for by then.
  await page.waitForFunction((count) => document.querySelector(".table").ariaRowCount === String(count + 1), calls);
  assert.ok((await rows(page).count()) < 80, "only those that are seen are in the page");
  await gateway.call("/v1/chat/completions", hello("A new one", { model: "gpt-4o" }));
  const before = await table.evaluate((table) => table.scrollTop);
  await page.getByRole("button", { name: "1 new" }).waitFor();
  assert.equal(await table.evaluate((table) => table.scrollTop), before);
  await page.getByRole("button", { name: "1 new" }).click();
  await page.locator(".table-body [role=row]", { hasText: /gpt-4o(?!-)/ }).first().waitFor();
  assert.equal(await page.getByRole("button", { name: "1 new" }).count(), 0);
  await finish();
});
