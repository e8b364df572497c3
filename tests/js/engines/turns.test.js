import assert from "node:assert/strict";
import { test } from "node:test";

import { createPause, Turns } from "../../../site/engines/turns.js";

test("one at a time, in the order they asked", async () => {
  const turns = new Turns();
  /** @type {string[]} */
  const log = [];
  /** @param {string} name */
  const hold = async (name) => {
    const done = await turns.take();
    log.push(`${name} in`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    log.push(`${name} out`);
    done();
  };
  await Promise.all([hold("a"), hold("b"), hold("c")]);
  assert.deepEqual(log, ["a in", "a out", "b in", "b out", "c in", "c out"]);
});

test("a pause lets a message in that had arrived", async () => {
  /** @type {MessagePort[]} */
  const open = []; // Node runs for as long as a port listens
  const { MessageChannel } = globalThis;
  globalThis.MessageChannel = class extends MessageChannel {
    constructor() {
      super();
      open.push(this.port1);
    }
  };
  const { port1, port2 } = new globalThis.MessageChannel();
  let heard = false;
  port2.onmessage = () => (heard = true);
  port1.postMessage("abort");
  const pause = createPause();
  await pause();
  await pause();
  assert.ok(heard);
  open.forEach((port) => port.close());
  globalThis.MessageChannel = MessageChannel;
});
