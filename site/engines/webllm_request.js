/**
 * Our request as WebLLM takes it.
 *
 * @param {import("../protocol.d.ts").WebllmOps["webllm.generate"]["in"]} payload
 * @returns {import("@mlc-ai/web-llm").ChatCompletionRequestStreaming}
 */
export function asRequest({ messages, sampling, max_new_tokens, grammar }) {
  return {
    messages,
    temperature: sampling.temperature,
    top_p: sampling.top_p,
    repetition_penalty: sampling.repetition_penalty,
    seed: sampling.seed,
    max_tokens: max_new_tokens,
    ...(grammar === null ? {} : { response_format: { type: "grammar", grammar } }),
    stream: true,
    stream_options: { include_usage: true },
  };
}
