/**
 * The worker side of the wire protocol (protocol.d.ts): requests in, values out, one end or one error each.
 *
 * Rules of this file: every request is answered by exactly one `end` or `error`; requests run side by side and never
 * see each other; an abort reaches the op's signal before anything else, and is answered by `end` whatever the op does.
 *
 * @typedef {import("./protocol.d.ts").Op} Op
 * @typedef {import("./protocol.d.ts").WireError} WireError
 * @typedef {import("./protocol.d.ts").ErrorCode} ErrorCode
 * @typedef {import("./protocol.d.ts").WorkerRequest} WorkerRequest
 * @typedef {import("./protocol.d.ts").WorkerReply} WorkerReply
 */

/** An error an op raises on purpose; it crosses the wire as it is, without being classified. */
export class Failure extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message never a prompt
   * @param {Record<string, unknown>} [details] JSON values
   */
  constructor(code, message, details = {}) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.details = details;
  }
}

/**
 * @typedef {object} Endpoint a worker's global scope, or one end of a MessageChannel
 * @property {(type: "message", listener: (event: MessageEvent) => void) => void} addEventListener
 * @property {(reply: WorkerReply) => void} postMessage
 */

/**
 * Answers requests for `ops` on `endpoint` for as long as the worker lives.
 *
 * @param {string} name the op's first word
 * @param {Record<string, Op>} ops by verb
 * @param {(error: unknown) => WireError} classify what a library threw; Failures never reach it
 * @param {Endpoint} [endpoint]
 */
export function serve(name, ops, classify, endpoint = /** @type {Endpoint} */ (/** @type {unknown} */ (globalThis))) {
  /** @type {Map<number, AbortController>} */
  const running = new Map();

  endpoint.addEventListener("message", ({ data }) => {
    const request = /** @type {WorkerRequest} */ (data);
    if ("abort" in request) running.get(request.id)?.abort();
    else void answer(request);
  });

  /** @param {Extract<WorkerRequest, { op: string }>} request */
  async function answer({ id, op, payload, blobs = {} }) {
    const controller = new AbortController();
    running.set(id, controller);
    const { signal } = controller;
    try {
      const [worker, verb = ""] = op.split(".");
      const run = worker === name && Object.hasOwn(ops, verb) ? ops[verb] : undefined;
      if (!run) throw new Failure("engine_failed", `no such op: ${op}`);
      for await (const value of run(payload, { signal, blobs })) {
        if (signal.aborted) break;
        endpoint.postMessage({ id, value });
      }
      endpoint.postMessage({ id, end: true });
    } catch (error) {
      endpoint.postMessage(signal.aborted ? { id, end: true } : { id, error: toWire(error, classify) });
    } finally {
      running.delete(id);
    }
  }
}

/**
 * @param {unknown} error
 * @param {(error: unknown) => WireError} classify
 * @returns {WireError}
 */
function toWire(error, classify) {
  if (error instanceof Failure) return { code: error.code, message: error.message, details: error.details };
  return classify(error);
}
