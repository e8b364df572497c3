/**
 * The browser's own summarizer (https://webmachinelearning.github.io/writing-assistance-apis/): the ops "summarizer.*"
 * of protocol.d.ts. The page answers them itself, for workers have no Summarizer. One is made for each text: it holds
 * nothing that the next could use.
 *
 * @typedef {import("../protocol.d.ts").SummarizerOps} Ops
 */

import { named, WHEN_ASKED, WHEN_MADE } from "./builtin_ai.js";

/** @param {{ length: SummarizerLength, language: string }} wished @returns {SummarizerCreateCoreOptions} */
function options({ length, language }) {
  return { type: "key-points", format: "markdown", length, ...(language && { outputLanguage: language }) };
}

/**
 * @template T
 * @param {{ length: SummarizerLength, language: string }} wished
 * @param {AbortSignal} signal
 * @param {(summarizer: Summarizer) => Promise<T>} work
 */
async function using(wished, signal, work) {
  const summarizer = await named(WHEN_MADE, () => Summarizer.create({ ...options(wished), signal }));
  try {
    return await named(WHEN_ASKED, () => work(summarizer));
  } finally {
    summarizer.destroy();
  }
}

export const OPS = /** @type {Record<string, import("../bridge.js").PageOp>} */ ({
  /** @param {Ops["summarizer.probe"]["in"]} payload */
  async "summarizer.probe"({ language }, _signal, emit) {
    if (!("Summarizer" in globalThis)) return emit({ availability: "missing" });
    emit({ availability: await named(WHEN_MADE, () => Summarizer.availability(options({ length: "medium", language }))) });
  },

  /** @param {Ops["summarizer.measure"]["in"]} payload */
  async "summarizer.measure"({ text, language }, signal, emit) {
    await using({ length: "medium", language }, signal, async (summarizer) => {
      emit({ tokens: await summarizer.measureInputUsage(text, { signal }), window_tokens: summarizer.inputQuota });
    });
  },

  /** @param {Ops["summarizer.summarise"]["in"]} payload */
  async "summarizer.summarise"({ text, ...wished }, signal, emit) {
    await using(wished, signal, async (summarizer) => {
      for await (const piece of summarizer.summarizeStreaming(text, { signal })) emit({ piece });
    });
  },
});
