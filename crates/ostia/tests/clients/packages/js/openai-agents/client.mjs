// OpenAI Agents: https://openai.github.io/openai-agents-js/.

import {
  Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, assistant, setTracingDisabled, tool, user,
} from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";

import { INSTRUCTIONS, WEATHER, messages, run, weather } from "../tool_loop.mjs";

async function client(gateway, api, model) {
  setTracingDisabled(true);
  const openai = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: "sk-client", maxRetries: 0 });
  const kinds = { chat: OpenAIChatCompletionsModel, responses: OpenAIResponsesModel };
  const providerData = api === "responses" ? { include: ["reasoning.encrypted_content"] } : {};
  const agent = new Agent({
    name: "Weather",
    instructions: INSTRUCTIONS,
    model: new kinds[api](openai, model),
    modelSettings: {
      reasoning: { effort: "medium", ...(api === "responses" && { summary: "auto" }) },
      ...(api === "responses" && { store: false }), parallelToolCalls: true, providerData,
    },
    tools: [
      tool({
        name: "weather",
        description: WEATHER,
        parameters: z.object({ city: z.string() }),
        execute: async ({ city }) => weather(city),
        errorFunction: (_, error) => `Error: ${error}`,
      }),
    ],
  });
  const input = messages().map(({ role, content }) => (role === "user" ? user(content) : assistant(content)));
  const result = await new Runner().run(agent, input, { stream: true });
  const pieces = [];
  for await (const event of result) {
    if (event.type === "raw_model_stream_event" && event.data.type === "output_text_delta") pieces.push(event.data.delta);
  }
  await result.completed;
  return pieces;
}

await run(client);
