/**
 * What crosses between Python and JavaScript: the whole contract.
 *
 * Python calls `stream(op, payload)`; the bridge finds the worker by the op's first word, gives the
 * stream an id, and hands back every value until the end or an error. Values are JSON, so a test in
 * CPython can play either side. `op` is "<worker>.<verb>".
 */

export type ErrorCode =
  | "empty_prompt" | "context_overflow" | "invalid_request" | "not_text" | "file_too_large"
  | "pdf_encrypted" | "pdf_scanned" | "pdf_damaged"
  | "bad_input" | "schema_unsupported" | "run_elsewhere" | "nobody_may" | "no_document"
  | "engine_failed" | "engine_hung" | "engine_unavailable" | "engine_busy" | "click_needed" | "device_lost" | "out_of_memory"
  | "load_crashed" | "wrong_answer" | "not_loaded"
  | "server_unreachable" | "server_silent" | "server_overloaded" | "key_refused" | "model_missing" | "request_rejected"
  | "not_a_model_server" | "empty_answer" | "answer_broken"
  | "cloud_unreachable" | "cloud_token_refused" | "cloud_busy" | "cloud_spent" | "cloud_too_long" | "cloud_failed"
  | "cloud_interrupted"
  | "network_failed" | "transfer_truncated" | "server_busy" | "file_missing" | "access_denied" | "server_refused"
  | "file_changed" | "wrong_content" | "hash_mismatch"
  | "quota_exceeded" | "storage_unavailable" | "offline_unavailable" | "storage_failed"
  | "import_unreadable" | "import_too_new" | "import_too_large"
  | "not_gguf" | "gguf_truncated" | "gguf_damaged" | "gguf_unsupported" | "not_a_chat_model" | "parts_missing" | "several_models"
  | "file_unreadable"
  | "plugin_refused" | "plugin_failed" | "plugin_offline" | "plugin_hung"
  | "manifest_invalid";

/** Why an op failed. `details` are JSON values a sentence may show; never a prompt. */
export interface WireError { code: ErrorCode; message: string; details?: Record<string, unknown> }

/** Page -> worker. `blobs` are the files an engine loads, opened by the store, by file name. */
export type WorkerRequest =
  | { id: number; op: string; payload: unknown; blobs?: Record<string, Blob> }
  | { id: number; abort: true };

/** Worker -> page: any number of values, then exactly one end or error. After an abort: end. */
export type WorkerReply =
  | { id: number; value: unknown }
  | { id: number; end: true }
  | { id: number; error: WireError };

/** One op: an async generator; `signal` aborts it at the next token, chunk or write. */
export type Op = (payload: any, context: { signal: AbortSignal; blobs: Record<string, Blob> }) => AsyncGenerator<unknown, void>;

// ---- worker "store" (site/store/store.js): files by sha256 in OPFS, or in memory where there is none ----

export interface StoreOps {
  /**
   * One value. `opfs` is false for the in-memory store. Usage and quota are the browser's estimate, in bytes;
   * `indexed_db_bytes` is of the usage, null where the browser does not tell it apart.
   */
  "store.status": {
    in: {};
    out: { opfs: boolean; persisted: boolean; usage_bytes: number; quota_bytes: number; indexed_db_bytes: number | null };
  };
  /** One value: every committed blob and every partial with its journal (null when unreadable). */
  "store.list": { in: {}; out: { blobs: { sha256: string; bytes: number }[]; partials: { sha256: string; bytes: number; journal: unknown }[]; records: unknown[] } };
  /**
   * Takes the one lock of this origin's store and holds it until the stream is aborted: {held: true} when it is taken,
   * {held: false} before that while another tab has it. With `wait` false, engine_busy instead of waiting.
   * Whoever changes partials, blobs or records holds it; the lock of a tab that dies is free at once.
   */
  "store.lock": { in: { wait: boolean }; out: { held: boolean } };
  /** Makes the partial `bytes` long, so that a full quota shows before the download. quota_exceeded {bytes_needed}. */
  "store.allocate": { in: { sha256: string; bytes: number }; out: never };
  /**
   * GETs bytes [offset, offset + length) of `url` and writes them into the partial at `offset`.
   * `etag` (or null) goes into If-Range. Yields {received, etag} (bytes so far of this call, at most every 100 ms), last
   * {received: length, etag}. A server that answers 200 with the whole file is taken only if the call asks for the
   * whole file (offset 0, length = total) else `range_ignored: true` is yielded once and the call ends.
   * Written bytes are flushed before the last value. Raises the DownloadError codes and quota_exceeded. If-Range is
   * sent to the own origin only (elsewhere it would need a CORS preflight); the answer's ETag is compared everywhere.
   */
  "store.fetch": {
    in: { url: string; sha256: string; offset: number; length: number; total: number; etag: string | null; idle_timeout_ms: number };
    out: { received: number; etag?: string | null; range_ignored?: true };
  };
  /** GETs a small text, from anywhere the CSP allows. Raises the DownloadError codes. */
  "store.read": { in: { url: string; idle_timeout_ms: number }; out: { text: string } };
  /** Replaces the partial's journal in one atomic step. */
  "store.journal": { in: { sha256: string; journal: unknown }; out: never };
  /** Extends the running SHA-256 of the partial to its first `upto` bytes (from 0 after a restart); yields {hashed}, and {sha256} when upto is `total`. */
  "store.hash": { in: { sha256: string; upto: number; total: number }; out: { hashed: number; sha256?: string } };
  /**
   * Bytes [offset, offset + length) of a file of which nothing is known yet, fewer where it ends, in base64; and its
   * length. One value. Raises the DownloadError codes, wrong_content where the server does not tell the length.
   */
  "store.peek": { in: { url: string; offset: number; length: number; idle_timeout_ms: number }; out: { bytes: string; total: number } };
  /**
   * Copies a file the user picked (the bridge adds it, by the name in `files.file`) into the partial, hashing it on the
   * way: {hashed}, and {sha256} in the last value. file_unreadable when it changed or is gone.
   */
  "store.import": { in: { sha256: string; files: { file: string } }; out: { hashed: number; sha256?: string } };
  /** Partial -> blob, by rename, called `as` where its hash was not known before; the caller has checked the hash. */
  "store.commit": { in: { sha256: string; as?: string }; out: never };
  /** Re-reads a committed blob: one value {sha256} at the end, {hashed} in between. */
  "store.verify": { in: { sha256: string }; out: { hashed: number; sha256?: string } };
  /** Drops the partial and its journal. */
  "store.discard": { in: { sha256: string }; out: never };
  /** Writes the record of an installed variant (atomic). `key` is [a-z0-9._-]+ . */
  "store.record": { in: { key: string; record: unknown }; out: never };
  /** Deletes the record (null: none), then every blob in `blobs`. What is not there is no error. */
  "store.delete": { in: { key: string | null; blobs: string[] }; out: never };
  /**
   * For the bridge, not for Python: one value {blobs}, the committed files by name, as a structured clone. Reading one
   * costs nothing until the engine does. storage_failed when one is missing.
   */
  "store.open": { in: { files: Record<string, string> }; out: { blobs: Record<string, Blob> } };
}

// ---- worker "transformers_js" (site/engines/transformers_js.js) ----

export interface TransformersJsOps {
  /** Downloads and allocates nothing. `webgpu` is null without an adapter. */
  "transformers_js.probe": {
    in: {};
    out: {
      webgpu: { shader_f16: boolean; max_buffer_bytes: number; vendor: string; architecture: string } | null;
      cross_origin_isolated: boolean; hardware_concurrency: number; wasm_simd: boolean;
      /** 64-bit memory and JSPI, both of which wllama needs. */
      wasm_64: boolean;
    };
  };
  /**
   * `files` maps the repository's file names to sha256, or to the names of files the user picked; the bridge adds the
   * Blobs. So it is for every engine's load.
   */
  "transformers_js.load": {
    in: { files: Record<string, string>; device: "wasm" | "webgpu"; dtype: string; threads: number };
    out: { stage: "reading" | "session" };
  };
  /** Greedy next tokens after `prompt_ids`, without a template: the known-answer self-test. One value. */
  "transformers_js.self_test": { in: { prompt_ids: number[]; steps: number }; out: { next_ids: number[] } };
  /**
   * Prompt tokens with the chat template. One value. With `continue_last` the last message is the assistant's, and the
   * prompt ends where it ends, without a header after it.
   */
  "transformers_js.count": { in: { messages: WireMessage[]; continue_last: boolean }; out: { tokens: number } };
  "transformers_js.generate": {
    in: {
      messages: WireMessage[]; sampling: WireSampling; max_new_tokens: number; stop: string[]; continue_last: boolean;
      /** In the notation of llama.cpp's GBNF: the answer is of it, and ends within `max_new_tokens` where it can. */
      grammar: string | null;
    };
    /** Text in pieces (whole characters), then exactly one `finished`. */
    out: { text: string } | { finished: WireFinished };
  };
  /**
   * For each candidate the natural logarithm of the probability that the whole answer is that, as the tokenizer spells
   * it, the token that ends it included. One value; none when aborted.
   */
  "transformers_js.score": { in: { messages: WireMessage[]; candidates: string[] }; out: { scores: number[] } };
}

// ---- worker "digits" (site/engines/digits.js) ----

export interface DigitsOps {
  /** Runs the self-test's network once; loads it on the first call. The device stays that of the first call. */
  "digits.name": {
    in: { pixels: number[]; device: "wasm" | "webgpu" };
    out: { probabilities: number[]; run_ms: number; load_ms: number };
  };
}

// ---- worker "wllama" (site/engines/wllama.js) ----

export interface WllamaOps {
  /** The same as transformers_js.probe. */
  "wllama.probe": TransformersJsOps["transformers_js.probe"];
  /**
   * `files` are the parts of one GGUF in their order. The KV cache is made for `context_tokens` at once; a prompt is read
   * and an abort heard every `batch_tokens`. With `embeddings` an input of wllama.embed must fit into one batch.
   */
  "wllama.load": {
    in: {
      files: Record<string, string>; device: "wasm" | "webgpu"; threads: number;
      context_tokens: number; batch_tokens: number; embeddings: boolean;
    };
    out: { stage: "reading" | "session" };
  };
  /** As transformers_js.count; nothing of the prompt is run. */
  "wllama.count": TransformersJsOps["transformers_js.count"];
  /** As transformers_js.generate, but an answer of a grammar may be cut off as any other. */
  "wllama.generate": TransformersJsOps["transformers_js.generate"];
  /** One vector per text, of length 1, in their order. */
  "wllama.embed": { in: { texts: string[] }; out: { vector: number[] } };
}

export interface WireMessage { role: "system" | "user" | "assistant"; content: string }
export interface WireSampling { temperature: number; top_k: number; top_p: number; min_p: number; repetition_penalty: number; seed: number }
export interface WireFinished {
  reason: "stop" | "length";
  prompt_tokens: number; cached_tokens: number; new_tokens: number;
  prefill_ms: number; decode_ms: number;
}

// ---- worker "webllm" (site/engines/webllm.js) ----

export interface WebllmOps {
  /** `library` is the one of `files` that is the model's program for the GPU. Adapter and features are checked first. */
  "webllm.load": {
    in: { files: Record<string, string>; library: string; features: string[]; context_tokens: number };
    out: { stage: "reading" | "session"; fraction: number | null };
  };
  /** Tokens of each text, without any template. One value. */
  "webllm.count": { in: { texts: string[] }; out: { tokens: number[] } };
  /** A piece for each token, then exactly one `finished`, whose `prompt_tokens` are those that were not in the KV cache. */
  "webllm.generate": {
    in: {
      messages: WireMessage[];
      sampling: { temperature: number; top_p: number; repetition_penalty: number; seed: number };
      max_new_tokens: number;
      grammar: string | null;
    };
    out: { piece: string } | { finished: Omit<WireFinished, "cached_tokens"> };
  };
}

// ---- worker "pdf" (site/pdf.js) ----

export interface PdfOps {
  /** Opens a file the user picked, once for as long as the worker lives. pdf_encrypted, pdf_damaged, file_unreadable, out_of_memory. */
  "pdf.load": { in: { files: { file: string } }; out: { pages: number } };
  /** What is written on a page (from 1), as it comes in the file. One value. Points of 1/72 inch, y goes up. */
  "pdf.page": {
    in: { number: number };
    out: { texts: { text: string; x: number; y: number; width: number; height: number; ends_line: boolean }[] };
  };
}

// ---- the browser's own model (site/engines/builtin_ai.js), answered by the page itself: workers have no LanguageModel ----

/**
 * Sessions are named by numbers that Python gives. `languages` are BCP 47 tags. {share} is of the browser's own
 * download, in [0, 1]. `sampling` is null where pages may not choose it, which is today's specification.
 */
export interface BuiltinAiOps {
  /** One value. "missing": this browser has no such API. */
  "builtin_ai.probe": {
    in: { languages: string[] };
    out: {
      availability: "missing" | "unavailable" | "downloadable" | "downloading" | "available";
      sampling: { max_temperature: number; max_top_k: number } | null;
    };
  };
  /** Makes the browser fetch its model. click_needed where no click came just before. */
  "builtin_ai.download": { in: { languages: string[] }; out: { share: number } };
  /** A session that holds `messages` already. context_overflow, click_needed, engine_unavailable, network_failed. */
  "builtin_ai.create": {
    in: { id: number; languages: string[]; messages: WireMessage[]; sampling: { temperature: number; top_k: number } | null };
    out: { share: number } | { context_tokens: number };
  };
  "builtin_ai.clone": { in: { id: number; from: number }; out: never };
  /** Tokens `messages` would take in a session; one value. */
  "builtin_ai.count": { in: { id: number; messages: WireMessage[] }; out: { tokens: number } };
  "builtin_ai.append": { in: { id: number; messages: WireMessage[] }; out: never };
  /**
   * Asks, and the session holds question and answer then. `prefix` on a last assistant message: the answer goes on where
   * it ends. {overflowed}: the window is full, and the browser forgot the oldest of it.
   */
  "builtin_ai.generate": {
    in: { id: number; messages: (WireMessage & { prefix?: true })[]; schema: Record<string, unknown> | null };
    out: { piece: string } | { overflowed: true };
  };
  /** Gives every other session back. */
  "builtin_ai.keep": { in: { ids: number[] }; out: never };
}

// ---- workers of the user's own tasks (site/plugins/plugins.js), started and spoken to by the page itself ----

/** Workers are named by numbers that Python gives. A message is a JSON text; pyapp/tasks/plugins says what is in it. */
export interface PluginOps {
  /**
   * {started} once Python runs there, then what it says. Aborting ends the worker, whatever it is doing. `online`: it may
   * use the network. `wheel`: micropip is there. Its Python has at most `memory_bytes`. network_failed, plugin_failed.
   */
  "plugins.start": {
    in: { worker: number; online: boolean; wheel: boolean; memory_bytes: number };
    out: { started: true } | { message: string };
  };
  /** Nothing happens when there is no such worker any more. */
  "plugins.post": { in: { worker: number; message: string }; out: never };
}

// ---- the browser's own summarizer (site/engines/summarizer.js), answered by the page itself ----

/** `language` is the summary's, ISO 639-1, "" for what the browser likes. Codes as for builtin_ai. */
export interface SummarizerOps {
  /** One value, as builtin_ai.probe's. */
  "summarizer.probe": { in: { language: string }; out: { availability: BuiltinAiOps["builtin_ai.probe"]["out"]["availability"] } };
  /** What a text takes of what a text may have; one value. */
  "summarizer.measure": { in: { text: string; language: string }; out: { tokens: number; window_tokens: number } };
  /** The main points, as pieces of a Markdown list: about three, five or seven. */
  "summarizer.summarise": {
    in: { text: string; length: "short" | "medium" | "long"; language: string };
    out: { piece: string };
  };
}

// ---- answered by the page itself (site/bridge.js) ----

export interface PageOps {
  /** Terminates the worker; the next op for it starts a fresh one. After every failure, and to give memory back. */
  "page.replace_worker": { in: { worker: string }; out: never };
  /** navigator.storage.persist(); one value. */
  "page.persist": { in: {}; out: { persisted: boolean } };
  /** Makes the service worker keep the files of a group ("transformers_js:wasm"); {received, total} bytes. offline_unavailable. */
  "page.keep": { in: { group: string }; out: { received: number; total: number } };
  /** What only the page can say of the device; `memory_gb` and `mobile` are null outside Chromium. */
  "page.device": {
    in: {};
    out: {
      memory_gb: number | null;
      mobile: boolean | null;
      user_agent: string;
      touch_points: number;
      builtin_ai: BuiltinAiOps["builtin_ai.probe"]["out"]["availability"];
    };
  };
  /** GETs a small same-origin JSON file; one value {body} with the text. */
  "page.read": { in: { url: string }; out: { body: string } };
  /**
   * Asks for a Web Lock and holds it until the stream is aborted. {held} once at the start, and whenever that changes:
   * {held: false} when another tab took it (`steal`), {held: true} when the tab that had it is gone.
   */
  "page.lock": { in: { name: string; steal: boolean }; out: { held: boolean } };
  /** Tells the other tabs of this origin. */
  "page.post": { in: { value: unknown }; out: never };
  /** What the other tabs post. Ends only by abort. */
  "page.posts": { in: {}; out: { value: unknown } };
  /** Registers the service worker; {ready: true} when a new version waits. Ends only by abort. */
  "page.updates": { in: {}; out: { ready: true } };
  /** Lets the waiting version take over; the page reloads. */
  "page.apply_update": { in: {}; out: never };
  /**
   * One HTTP exchange with a server of the user's: its head once, then its bytes in base64. No cookies, no referrer, no
   * cache; a redirect is not followed and has status 0. network_failed.
   */
  "page.fetch_stream": {
    in: { url: string; method: "GET" | "POST"; headers: Record<string, string>; body: string | null };
    out: { status: number; headers: Record<string, string> } | { bytes: string };
  };
  /** Deletes all this origin keeps beside the database and the store: local storage, caches, the service worker. */
  "page.forget": { in: {}; out: never };
}

// ---- the page's IndexedDB (site/storage.js), answered by the page itself ----

/** A run of a task is a record in "runs" and its large parts in "run_parts": "<id>/given" and "<id>/state". */
export type StoreName = "chats" | "messages" | "settings" | "runs" | "run_parts";

/** storage_failed, quota_exceeded. Records have their key inside: `id`, or `key` in "settings". */
export interface DbOps {
  /** All records of a store, those of `keys` that are there, or those whose `index` is `key`. One value. */
  "db.read": {
    in: { store: StoreName; keys?: string[]; index?: string; key?: string };
    out: { records: Record<string, any>[] };
  };
  /**
   * One transaction: all of it or nothing. Nothing when a record of `expect` has another revision (`rev`; 0 for none
   * there): then the value has those records as they are.
   */
  "db.write": {
    in: {
      puts: Partial<Record<StoreName, Record<string, any>[]>>;
      deletes: Partial<Record<StoreName, string[]>>;
      expect: { store: StoreName; key: string; rev: number }[];
    };
    out: { written: true } | { written: false; found: { store: StoreName; key: string; record: Record<string, any> | null }[] };
  };
  /** Empties every store. */
  "db.clear": { in: {}; out: never };
}
