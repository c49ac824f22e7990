// What each provider of the Vercel AI SDK must do; a suite gives its model.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generateObject, generateText, Output, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";

export const url = process.env.FAIRLEAD_URL;
export const key = process.env.FAIRLEAD_KEY;

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const Person = z.object({ name: z.string(), age: z.number().int(), mood: z.enum(["glad", "sad"]) });
const BOTH = "What is the weather in Paris and in Rome?";
const EXTRACT = "Extract: Jason is 25 years old and sad.";

export function checks(model) {
  const once = { model, maxRetries: 0 };

  test("generateText", async () => {
    const answer = await generateText({ ...once, system: "Be brief.", prompt: "Hello there" });
    assert.match(answer.text, /Hello there/);
    assert.match(answer.text, /Be brief\./);
    assert.equal(answer.finishReason, "stop");
    assert.ok(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0);
  });

  test("a conversation", async () => {
    const messages = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi" },
      { role: "user", content: "And again" },
    ];
    assert.match((await generateText({ ...once, messages })).text, /And again/);
  });

  test("an output cap", async () => {
    const prompt = "Write " + "many words ".repeat(30);
    const answer = await generateText({ ...once, prompt, maxOutputTokens: 16 });
    assert.equal(answer.finishReason, "length");
    assert.ok(answer.usage.outputTokens <= 16);
  });

  test("streamText", async () => {
    const streamed = streamText({ ...once, prompt: "Tell me a long story" });
    const pieces = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    assert.ok(pieces.length > 3);
    assert.match(pieces.join(""), /long story/);
    assert.equal(await streamed.finishReason, "stop");
    assert.ok((await streamed.usage).outputTokens > 0);
  });

  test("a tool that must be called", async () => {
    const tools = { weather: tool({ ...weather, execute: undefined }) };
    const asked = { ...once, tools, toolChoice: "required", prompt: "Hello" };
    const answer = await generateText(asked);
    assert.equal(answer.toolCalls[0].toolName, "weather");
    assert.equal(answer.finishReason, "tool-calls");
  });

  test("a named tool", async () => {
    const toolChoice = { type: "tool", toolName: "weather" };
    const answer = await generateText({ ...once, tools: { weather }, toolChoice, prompt: "Hello" });
    assert.equal(answer.toolResults.length, 1);
  });

  test("several steps with parallel tools", async () => {
    const asked = { ...once, tools: { weather }, stopWhen: stepCountIs(3), prompt: BOTH };
    const answer = await generateText(asked);
    assert.equal(answer.steps[0].toolCalls.length, 2);
    assert.match(answer.text, /sunny in Paris.*sunny in Rome/s);
  });

  test("several steps with parallel tools, streamed", async () => {
    const asked = { ...once, tools: { weather }, stopWhen: stepCountIs(3), prompt: BOTH };
    const streamed = streamText(asked);
    assert.match(await streamed.text, /sunny in Paris.*sunny in Rome/s);
    assert.equal((await streamed.steps)[0].toolCalls.length, 2);
  });

  test("generateObject", async () => {
    const { object } = await generateObject({ ...once, schema: Person, prompt: EXTRACT });
    assert.deepEqual(object, { name: "Jason", age: 25, mood: "sad" });
  });

  test("streamObject", async () => {
    const streamed = streamObject({ ...once, schema: Person, prompt: EXTRACT });
    let grown = 0;
    for await (const _ of streamed.partialObjectStream) grown += 1;
    assert.ok(grown > 1);
    assert.equal((await streamed.object).age, 25);
  });

  test("a text with an output schema", async () => {
    const output = Output.object({ schema: Person });
    assert.equal((await generateText({ ...once, output, prompt: EXTRACT })).output.age, 25);
  });

  test("an image", async () => {
    const content = [
      { type: "text", text: "See this" },
      { type: "image", image: PNG, mediaType: "image/png" },
    ];
    const answer = await generateText({ ...once, messages: [{ role: "user", content }] });
    assert.match(answer.text, new RegExp(`image/png, ${PNG.length} bytes`));
  });

  test("giving up in the middle of a stream", async () => {
    const stopping = new AbortController();
    const prompt = "Tell me a long story";
    const streamed = streamText({ ...once, prompt, abortSignal: stopping.signal });
    for await (const part of streamed.fullStream) {
      if (part.type === "text-delta") stopping.abort();
      if (part.type === "abort") return;
    }
    assert.fail("the stream was not aborted");
  });
}

export function refusesKey(model) {
  test("a wrong key is told", async () => {
    await assert.rejects(generateText({ model, maxRetries: 0, prompt: "Hi" }), (error) => {
      assert.equal(error.statusCode, 401);
      assert.match(error.message, /key/i);
      return true;
    });
  });
}
