// Vercel AI SDK: https://ai-sdk.dev/docs/ai-sdk-core/tools-and-tool-calling.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { INSTRUCTIONS, WEATHER, messages, run, weather } from "../tool_loop.mjs";

const STEPS_MAX = 5;

function modelOf(gateway, api, model) {
  const apiKey = "sk-client";
  const baseURL = `${gateway}/v1`;
  switch (api) {
    case "chat":
      return { model: createOpenAI({ baseURL, apiKey }).chat(model), openai: { reasoningEffort: "medium" } };
    case "compatible":
      return { model: createOpenAICompatible({ name: "ostia", baseURL, apiKey, includeUsage: true })(model) };
    case "responses":
      // Its default, which sends `item_reference` to answers that the server is to remember.
      return {
        model: createOpenAI({ baseURL, apiKey })(model),
        openai: { reasoningEffort: "medium", reasoningSummary: "auto" },
      };
    case "responses-stateless":
      return {
        model: createOpenAI({ baseURL, apiKey })(model),
        openai: {
          reasoningEffort: "medium", reasoningSummary: "auto", store: false,
          include: ["reasoning.encrypted_content"], forceReasoning: true,
        },
      };
    case "messages":
      return {
        model: createAnthropic({ baseURL, apiKey })(model),
        anthropic: { thinking: { type: "enabled", budgetTokens: 2000 } },
      };
    case "gemini":
      return {
        model: createGoogleGenerativeAI({ baseURL: `${gateway}/v1beta`, apiKey })(model),
        google: { thinkingConfig: { includeThoughts: true } },
      };
  }
}

async function client(gateway, api, name) {
  const { model, ...providerOptions } = modelOf(gateway, api, name);
  let failure;
  const result = streamText({
    model,
    providerOptions,
    system: INSTRUCTIONS,
    messages: messages(),
    maxRetries: 0,
    stopWhen: stepCountIs(STEPS_MAX),
    onError: ({ error }) => { failure = error; },
    tools: {
      weather: tool({
        description: WEATHER,
        inputSchema: z.object({ city: z.string() }),
        execute: async ({ city }) => weather(city),
      }),
    },
  });
  const pieces = [];
  for await (const piece of result.textStream) if (piece) pieces.push(piece);
  if (failure) throw failure;
  return pieces;
}

await run(client);
