import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { checks, key, refusesKey, url } from "./checks.mjs";

const named = { name: "fairlead", baseURL: `${url}/v1`, includeUsage: true, supportsStructuredOutputs: true };

checks(createOpenAICompatible({ ...named, apiKey: key })("gpt-4.1-mini"));
refusesKey(createOpenAICompatible({ ...named, apiKey: "fl_wrong" })("gpt-4.1-mini"));
