/**
 * What only the page's own thread can say of this device.
 *
 * @typedef {import("./protocol").PageOps["page.device"]["out"]} Device
 */

const PATIENCE_MS = 1000; // Chromium's answer about its own model may never come

/** @returns {Promise<Device>} */
export async function device() {
  const { userAgentData, deviceMemory } = /** @type {any} */ (navigator); // of Chromium only
  return {
    memory_gb: deviceMemory ?? null,
    mobile: userAgentData?.mobile ?? null,
    user_agent: navigator.userAgent,
    touch_points: navigator.maxTouchPoints,
    builtin_ai: await builtinAi(),
  };
}

/** @returns {Promise<Device["builtin_ai"]>} */
async function builtinAi() {
  const { LanguageModel } = /** @type {any} */ (globalThis);
  if (!LanguageModel) return "missing";
  const text = [{ type: "text", languages: ["en"] }];
  const asked = LanguageModel.availability({ expectedInputs: text, expectedOutputs: text }).catch(() => "unavailable");
  return Promise.race([asked, new Promise((late) => setTimeout(late, PATIENCE_MS, "unavailable"))]);
}
