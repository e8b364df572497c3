/**
 * Runs one Python module in the pinned Pyodide under Node: the interpreter the page gets, without a browser.
 *
 *     node tools/build/pyodide_node.mjs '{"mount": "/repo", "path": ["/repo"], "module": "m", "argv": []}'
 *
 * `mount` appears in Pyodide under its own name, so that a path means the same inside and outside.
 * The exit status is the module's. Nothing is fetched: the lock file is empty and the files are local.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";

/** @typedef {{mount: string, path: string[], module: string, argv: string[], stdlib?: string}} Job */

const RUN = `
import os, runpy, sys
os.chdir(job["mount"])
sys.path[:0] = job["path"]
sys.argv = [job["module"], *job["argv"]]
status = 0
try:
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
except SystemExit as exit:
    status = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    if isinstance(exit.code, str):
        print(exit.code, file=sys.stderr)
sys.stdout.flush()
sys.stderr.flush()
status
`;

/** @type {Job} */
const job = JSON.parse(process.argv[2] ?? "");
const lock = fileURLToPath(import.meta.resolve("pyodide/pyodide-lock.json"));
const { info } = JSON.parse(await readFile(lock, "utf8"));
const pyodide = await loadPyodide({
  lockFileContents: { info, packages: {} },
  ...(job.stdlib ? { stdLibURL: job.stdlib } : {}),
  env: { HOME: "/tmp", PYTHONDONTWRITEBYTECODE: "1" },
});
pyodide.mountNodeFS(job.mount, job.mount);
pyodide.globals.set("job", pyodide.toPy(job));
try {
  process.exitCode = pyodide.runPython(RUN); // not as a task: the tests run event loops of their own
} catch (error) {
  console.error(String(error).slice(-4000)); // not Node's way: it would quote the line, a megabyte of minified code
  process.exitCode = 1;
}
