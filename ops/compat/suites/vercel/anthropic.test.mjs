import { createAnthropic } from "@ai-sdk/anthropic";
import { checks, key, refusesKey, url } from "./checks.mjs";

const baseURL = `${url}/v1`;

checks(createAnthropic({ baseURL, apiKey: key })("claude-sonnet-4-5"));
refusesKey(createAnthropic({ baseURL, apiKey: "fl_wrong" })("claude-sonnet-4-5"));
