// LangChain: https://docs.langchain.com/oss/javascript/langchain/agents.

import { ChatAnthropic } from "@langchain/anthropic";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, createMiddleware, tool, ToolMessage } from "langchain";
import { z } from "zod";

import { INSTRUCTIONS, WEATHER, messages, run, weather } from "../tool_loop.mjs";

function modelOf(gateway, api, model) {
  const shared = { model, apiKey: "sk-client", maxRetries: 0 };
  const configuration = { baseURL: `${gateway}/v1` };
  switch (api) {
    case "chat":
      return new ChatOpenAI({ ...shared, configuration, reasoning: { effort: "medium" } });
    case "responses":
      return new ChatOpenAI({
        ...shared, configuration, useResponsesApi: true, reasoning: { effort: "medium", summary: "auto" },
        zdrEnabled: true, include: ["reasoning.encrypted_content"],
      });
    case "messages":
      return new ChatAnthropic({
        ...shared, anthropicApiUrl: gateway, maxTokens: 4000, thinking: { type: "enabled", budget_tokens: 2000 },
      });
    case "gemini":
      return new ChatGoogleGenerativeAI({ ...shared, baseUrl: gateway, thinkingConfig: { includeThoughts: true } });
  }
}

// Tells the model of a failure, as the documentation has it.
const tellFailures = createMiddleware({
  name: "TellFailures",
  wrapToolCall: async (request, handler) => {
    try {
      return await handler(request);
    } catch (error) {
      return new ToolMessage({ content: String(error), status: "error", tool_call_id: request.toolCall.id });
    }
  },
});

async function client(gateway, api, model) {
  const told = tool(({ city }) => weather(city), {
    name: "weather",
    description: WEATHER,
    schema: z.object({ city: z.string() }),
  });
  const agent = createAgent({
    model: modelOf(gateway, api, model), tools: [told], systemPrompt: INSTRUCTIONS, middleware: [tellFailures],
  });
  const pieces = [];
  for await (const [chunk] of await agent.stream({ messages: messages() }, { streamMode: "messages" })) {
    if (chunk.getType() === "ai" && chunk.text) pieces.push(chunk.text);
  }
  return pieces;
}

await run(client);
