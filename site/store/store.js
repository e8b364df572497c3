/**
 * The worker that keeps model files: by sha256, in OPFS, or in memory where there is none.
 */
import { sha256 } from "../vendor/noble-hashes/sha2.js";
import { serve } from "../worker.js";
import { classify } from "./classify.js";
import { MemoryDisk } from "./memory.js";
import { openOpfs } from "./opfs.js";
import { operations } from "./ops.js";

const disk = openOpfs().catch(() => new MemoryDisk()); // a private window; status says opfs: false
const site = new URL("../", self.location.href); // where the catalog is

serve("store", operations(disk, () => sha256.create(), site), classify);
