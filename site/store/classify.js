import { Failure } from "../worker.js";

/**
 * What the browser's storage throws, as wire codes. Everything else the store raises is a Failure already.
 *
 * @param {unknown} error
 * @returns {import("../protocol").WireError}
 */
export function classify(error) {
  if (!(error instanceof Error)) return { code: "storage_failed", message: String(error) };
  return { code: isFull(error) ? "quota_exceeded" : "storage_failed", message: `${error.name}: ${error.message}` };
}

/** @param {unknown} error a DOMException in some browsers, a class of its own in others */
export function isFull(error) {
  if (error instanceof Failure) return error.code === "quota_exceeded";
  return error instanceof Error && error.name === "QuotaExceededError";
}

/** @param {unknown} error of a file the user picked, which was moved, changed or taken away since */
export function isUnreadable(error) {
  return error instanceof Error && (error.name === "NotReadableError" || error.name === "NotFoundError");
}
