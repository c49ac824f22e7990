import { createOpenAI } from "@ai-sdk/openai";
import { checks, key, refusesKey, url } from "./checks.mjs";

const baseURL = `${url}/v1`;

checks(createOpenAI({ baseURL, apiKey: key }).chat("gpt-4.1-mini"));
refusesKey(createOpenAI({ baseURL, apiKey: "fl_wrong" }).chat("gpt-4.1-mini"));
