/**
 * The worker that takes the text out of PDF files with pdf.js, which parses in a worker of its own: the ops "pdf.*" of
 * protocol.d.ts. What a line or a paragraph is, Python decides; fonts, pictures and scripts of a file are left alone.
 *
 * @typedef {import("./protocol.d.ts").PdfOps} Ops
 * @typedef {import("./protocol.d.ts").ErrorCode} ErrorCode
 * @typedef {import("./protocol.d.ts").WireError} WireError
 * @typedef {typeof import("pdfjs-dist")} Library
 * @typedef {{ document: import("pdfjs-dist").PDFDocumentProxy, failed: Promise<never> }} Opened
 */

import { Failure, serve } from "./worker.js";

const LIBRARY = new URL("./vendor/pdfjs/pdf.min.mjs", import.meta.url);
const PARSER = new URL("./vendor/pdfjs/pdf.worker.min.mjs", import.meta.url);
const RANGE_BYTES = 2 ** 18; // what is read of the file at once

/** @type {Opened | null} */
let opened = null;

/** @param {unknown} error of pdf.js @returns {WireError} */
function classify(error) {
  const { name, message } = /** @type {Error} */ (error);
  const codes = /** @type {Record<string, ErrorCode>} */ ({ PasswordException: "pdf_encrypted", RangeError: "out_of_memory" });
  return { code: codes[name] ?? "pdf_damaged", message: `${name}: ${message}` };
}

/** @param {Blob} file @returns {Promise<Opened>} */
async function open(file) {
  const library = /** @type {Library} */ (
    await import(LIBRARY.href).catch((cause) => { throw new Failure("network_failed", String(cause)); })
  );
  const parser = new Worker(PARSER, { type: "module", name: "pdf.js" });
  const range = new library.PDFDataRangeTransport(file.size, null);
  /** pdf.js would wait for ever for a parser that did not start and for bytes that did not come. @type {Promise<never>} */
  const failed = new Promise((_resolve, reject) => {
    parser.onerror = () => reject(new Failure("network_failed", "the parser did not start"));
    range.requestDataRange = (begin, end) => {
      file.slice(begin, end).arrayBuffer().then(
        (bytes) => range.onDataRange(begin, new Uint8Array(bytes)),
        (cause) => reject(new Failure("file_unreadable", String(cause))),
      );
    };
  });
  failed.catch(() => {}); // whoever waits then hears it
  const { promise } = library.getDocument({
    range,
    rangeChunkSize: RANGE_BYTES,
    worker: library.PDFWorker.create({ port: parser, verbosity: library.VerbosityLevel.ERRORS }),
    disableAutoFetch: true, // only what the pages that are asked for refer to is read
    disableStream: true,
    disableFontFace: true,
    isEvalSupported: false,
    useWorkerFetch: false,
  });
  return { document: await Promise.race([promise, failed]), failed };
}

serve(
  "pdf",
  {
    /** @param {Ops["pdf.load"]["in"]} _payload @returns {AsyncGenerator<Ops["pdf.load"]["out"], void>} */
    async *load(_payload, { blobs }) {
      opened = await open(blobs.file);
      yield { pages: opened.document.numPages };
    },

    /** @param {Ops["pdf.page"]["in"]} payload @returns {AsyncGenerator<Ops["pdf.page"]["out"], void>} */
    async *page({ number }) {
      if (!opened) throw new Failure("not_loaded", "no file");
      const page = await Promise.race([opened.document.getPage(number), opened.failed]);
      const { items } = await Promise.race([page.getTextContent(), opened.failed]);
      page.cleanup();
      yield {
        texts: items.flatMap((item) =>
          "str" in item
            ? [{ text: item.str, x: item.transform[4], y: item.transform[5], width: item.width, height: item.height, ends_line: item.hasEOL }]
            : [],
        ),
      };
    },
  },
  classify,
);
