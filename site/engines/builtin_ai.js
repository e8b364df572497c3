/**
 * The browser's own model through the Prompt API (https://webmachinelearning.github.io/prompt-api/): the ops
 * "builtin_ai.*" of protocol.d.ts. The page answers them itself, for workers have no LanguageModel.
 *
 * A session is the library's; which one a request goes on with, and what of the stream is the answer, Python decides.
 *
 * @typedef {import("../protocol.d.ts").BuiltinAiOps} Ops
 * @typedef {import("../protocol.d.ts").ErrorCode} ErrorCode
 * @typedef {import("../protocol.d.ts").WireMessage} WireMessage
 */

import { Failure } from "../worker.js";

/** @type {Map<number, LanguageModel>} */
const sessions = new Map();

/** What the API rejects with, by name, while a session is made and while it is asked. */
export const WHEN_MADE = /** @type {Record<string, ErrorCode>} */ ({
  NotAllowedError: "click_needed",
  NotSupportedError: "engine_unavailable",
  NetworkError: "network_failed",
  QuotaExceededError: "context_overflow",
});
export const WHEN_ASKED = /** @type {Record<string, ErrorCode>} */ ({
  NotAllowedError: "engine_unavailable",
  NotSupportedError: "invalid_request",
  SyntaxError: "invalid_request",
  TypeError: "invalid_request",
  InvalidStateError: "not_loaded", // the browser took the session back
  QuotaExceededError: "context_overflow",
});

/**
 * @template T
 * @param {Record<string, ErrorCode>} codes
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} rejects with Failures only
 */
export async function named(codes, work) {
  try {
    return await work();
  } catch (cause) {
    const { name, message, requested, quota } = /** @type {any} */ (cause);
    const code = codes[name] ?? "engine_failed";
    const details = code === "context_overflow" ? { prompt_tokens: requested, context_tokens: quota } : {};
    throw new Failure(code, `${name}: ${message}`, details);
  }
}

/** @param {number} id @returns {LanguageModel} */
function session(id) {
  const found = sessions.get(id);
  if (!found) throw new Failure("not_loaded", "no such session");
  return found;
}

/** @param {string[]} languages @returns {LanguageModelCreateCoreOptions} */
function speaking(languages) {
  return { expectedInputs: [{ type: "text", languages }], expectedOutputs: [{ type: "text", languages }] };
}

/**
 * @param {string[]} languages
 * @param {Record<string, unknown>} options of LanguageModel.create
 * @param {AbortSignal} signal
 * @param {(value: { share: number }) => void} emit
 */
function create(languages, options, signal, emit) {
  return named(WHEN_MADE, () =>
    LanguageModel.create({
      ...speaking(languages),
      ...options,
      signal,
      monitor: (monitor) => monitor.addEventListener("downloadprogress", ({ loaded }) => emit({ share: loaded })),
    }),
  );
}

/** @param {WireMessage[]} messages @returns {any} our messages are the API's */
const asPrompt = (messages) => messages;

export const OPS = /** @type {Record<string, import("../bridge.js").PageOp>} */ ({
  /** @param {Ops["builtin_ai.probe"]["in"]} payload */
  async "builtin_ai.probe"({ languages }, _signal, emit) {
    if (!("LanguageModel" in globalThis)) return emit({ availability: "missing", sampling: null });
    // Where pages may still choose it there is params(), older than today's specification.
    const params = await LanguageModel.params?.().catch(() => null);
    emit({
      availability: await named(WHEN_MADE, () => LanguageModel.availability(speaking(languages))),
      sampling: params ? { max_temperature: params.maxTemperature, max_top_k: params.maxTopK } : null,
    });
  },

  /** @param {Ops["builtin_ai.download"]["in"]} payload */
  async "builtin_ai.download"({ languages }, signal, emit) {
    (await create(languages, {}, signal, emit)).destroy();
  },

  /** @param {Ops["builtin_ai.create"]["in"]} payload */
  async "builtin_ai.create"({ id, languages, messages, sampling }, signal, emit) {
    const chosen = sampling ? { temperature: sampling.temperature, topK: sampling.top_k } : {};
    const made = await create(languages, { initialPrompts: messages, ...chosen }, signal, emit);
    if (signal.aborted) return made.destroy();
    sessions.set(id, made);
    emit({ context_tokens: made.contextWindow ?? made.inputQuota });
  },

  /** @param {Ops["builtin_ai.clone"]["in"]} payload */
  async "builtin_ai.clone"({ id, from }, signal) {
    const made = await named(WHEN_ASKED, () => session(from).clone({ signal }));
    if (signal.aborted) return made.destroy();
    sessions.set(id, made);
  },

  /** @param {Ops["builtin_ai.count"]["in"]} payload */
  async "builtin_ai.count"({ id, messages }, _signal, emit) {
    const asked = session(id);
    const input = asPrompt(messages);
    const measure = () => asked.measureContextUsage?.(input) ?? asked.measureInputUsage(input);
    emit({ tokens: await named(WHEN_ASKED, measure) });
  },

  /** @param {Ops["builtin_ai.append"]["in"]} payload */
  async "builtin_ai.append"({ id, messages }, signal) {
    await named(WHEN_ASKED, () => session(id).append(asPrompt(messages), { signal }));
  },

  /** @param {Ops["builtin_ai.generate"]["in"]} payload */
  async "builtin_ai.generate"({ id, messages, schema }, signal, emit) {
    const asked = session(id);
    const overflowed = () => emit({ overflowed: true });
    asked.addEventListener("contextoverflow", overflowed, { signal });
    asked.addEventListener("quotaoverflow", overflowed, { signal });
    // What a schema means the request itself says: the session then holds the conversation and nothing else.
    const options = schema ? { signal, responseConstraint: schema, omitResponseConstraintInput: true } : { signal };
    await named(WHEN_ASKED, async () => {
      for await (const text of asked.promptStreaming(asPrompt(messages), options)) {
        if (text) emit({ piece: text }); // not "text": the bridge would join pieces, which are counted
      }
    });
  },

  /** @param {Ops["builtin_ai.keep"]["in"]} payload */
  async "builtin_ai.keep"({ ids }) {
    for (const [id, session] of sessions) {
      if (ids.includes(id)) continue;
      session.destroy();
      sessions.delete(id);
    }
  },
});
