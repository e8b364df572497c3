"""The two Python archives of the page: the standard library without what a page cannot use, and the app.

Both are *stored* zips of byte code, compiled by the Pyodide that will run them. Stored, because brotli on the wire
beats deflate inside the zip; byte code, because compiling the standard library's source in WebAssembly is two thirds
of a stock start, on every start.
"""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.build import compile_zip, pyodide_node
from tools.build.cache import Cache, digest
from tools.build.layout import BuildError, Sources

# Pure Python the app imports beside the standard library; kept to what runs (no command line, no docs).
WHEELS = ("markdown_it", "mdurl")

# No processes, terminals, servers or mail in a page; no debugger, profiler or test runner; jokes.
UNUSED = frozenset(
    """
    multiprocessing _pyrepl pty tty ftplib imaplib poplib smtplib mailbox xmlrpc wsgiref netrc getpass
    unittest doctest pdb bdb pydoc trace profile cProfile pstats timeit tabnanny pyclbr modulefinder compileall
    py_compile zipapp pickletools symtable cmd fileinput filecmp wave sched nturl2path
    this antigravity __hello__ __phello__ _pyio _pydatetime _py_abc site-packages
    """.split()  # noqa: SIM905
)
# The UTF family, ASCII and Latin-1; cp437 is what zipfile reads old names with; idna and punycode are for host names.
ENCODINGS = frozenset(
    """
    __init__ aliases ascii latin_1 charmap cp437 cp1252 idna punycode raw_unicode_escape unicode_escape undefined
    utf_7 utf_8 utf_8_sig utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le
    base64_codec hex_codec quopri_codec rot_13 uu_codec zlib_codec
    """.split()  # noqa: SIM905
)


# Of packages that stay: what needs another system, a second interpreter, or something above.
UNUSED_PARTS = (
    "asyncio/__main__",
    "asyncio/windows_",
    "concurrent/futures/process",
    "concurrent/futures/interpreter",
    "concurrent/interpreters/",
)


def is_used(name: str) -> bool:
    """Whether the standard library's file `name` ("email/message.py") goes into the page."""
    top, _, rest = name.partition("/")
    if not name.endswith(".py") or top.removesuffix(".py") in UNUSED or name.startswith(UNUSED_PARTS):
        return False
    return top != "encodings" or rest.removesuffix(".py") in ENCODINGS


def standard_library(sources: Sources, cache: Cache) -> Path:
    stock = sources.node_modules / "pyodide" / "python_stdlib.zip"
    with zipfile.ZipFile(stock) as files:
        source = pack((n, files.read(n)) for n in files.namelist() if is_used(n))
    return compiled(cache, "stdlib.zip", source, "/lib/python314.zip")


def app_source(sources: Sources) -> bytes:
    """The app and its wheels as a zip of .py: what development serves and what byte code is made from."""
    return pack((name, path.read_bytes()) for name, path in app_files(sources))


def app_files(sources: Sources) -> Iterator[tuple[str, Path]]:
    """PyScript brings its Python package as source inside its JavaScript; the same, compiled, is found before that."""
    pyscript = sources.node_modules / "@pyscript" / "core" / "src" / "stdlib" / "pyscript"
    for package in (sources.app, pyscript, *map(wheel, WHEELS)):
        for path in package.rglob("*.py"):
            name = f"{package.name}/{path.relative_to(package).as_posix()}"
            if not name.startswith("markdown_it/cli/"):
                yield name, path


def wheel(package: str) -> Path:
    """The folder of an installed pure Python package. Raises BuildError when it is not installed."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise BuildError(f"The package {package} is not installed: run `make setup`.")
    return Path(found.origin).parent


def pack(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A stored zip in the order of the names, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def compiled(cache: Cache, name: str, source: bytes, location: str) -> Path:
    """The byte code of the zip `source`. `location` is where the page keeps it: tracebacks name it."""
    key = digest(source, location, Path(compile_zip.__file__).read_bytes(), pyodide_version())
    origin = cache.write(f"source-{name}", source)
    arguments = [str(origin), location]
    return cache.file(name, key, lambda path: pyodide_node.run("tools.build.compile_zip", [*arguments, str(path)]))


def pyodide_version() -> bytes:
    """What changes when npm installs another Pyodide."""
    return (Sources().node_modules / "pyodide" / "package.json").read_bytes()
