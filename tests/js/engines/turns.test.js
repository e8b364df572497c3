import assert from "node:assert/strict";
import { test } from "node:test";

import { createPause, given, Turns } from "../../../site/engines/turns.js";

const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

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

test("what a callback is given comes one by one, also what was given at once", async () => {
  const run = async (/** @type {(value: number) => void} */ push) => {
    push(1);
    push(2);
    await soon();
    push(3);
  };
  /** @type {number[]} */
  const got = [];
  for await (const value of given(run)) got.push(value);
  assert.deepEqual(got, [1, 2, 3]);
});

test("what fails is told after what came before it", async () => {
  /** @type {number[]} */
  const got = [];
  const run = async (/** @type {(value: number) => void} */ push) => {
    push(1);
    throw new Error("gone");
  };
  await assert.rejects(async () => { for await (const value of given(run)) got.push(value); }, /gone/);
  assert.deepEqual(got, [1]);
});

test("left early, it ends when what gives has ended", async () => {
  let ended = false;
  const run = async (/** @type {(value: number) => void} */ push) => {
    push(1);
    await soon();
    ended = true;
  };
  for await (const _ of given(run)) break;
  assert.ok(ended);
});
