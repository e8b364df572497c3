"""The steps of the build, in order, and the folder they end in."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.build import archive, compress, micropip, model, precache, shell, styles, vendor, wllama
from tools.build.cache import Cache, digest, digest_files, sha256
from tools.build.layout import ROOT, Sources

Files = dict[str, Path]  # path in the site -> the file it is a copy of

# Generated from or only for the source tree: types for the editor, the page's template.
NOT_SERVED = (".d.ts",)
PLUGINS_OFF = ("error", "py-editor", "py-game", "py-terminal", "donkey", "deprecations-manager", "codemirror")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the site goes. `dev`: without what an edit would make stale (app, precache list) and uncompressed."""

    out: Path
    dev: bool = False
    prepared_model: Path | None = None
    gguf: Path | None = None  # what the prepared model was made from
    digits: Path | None = None  # the self-test's network


def build(sources: Sources, target: Target) -> bool:
    """Brings `target.out` up to date; False when there was nothing to do. Raises BuildError."""
    stamp = target.out.with_suffix(".stamp")
    key = inputs(sources, target)
    if stamp.exists() and stamp.read_text() == key and is_complete(target.out):
        return False
    stamp.unlink(missing_ok=True)
    publish(compose(sources, target), target.out)
    stamp.write_text(key)
    return True


def inputs(sources: Sources, target: Target) -> str:
    """The hash of everything a site is made from. Packages count by their lock files, weights by candil.json."""
    trees = (sources.site, sources.app, Path(__file__).parent)
    own = [p for tree in trees for p in tree.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    parts = [digest_files((p for p in own if p.is_relative_to(t)), t) for t in trees]
    locks = (sources.node_modules / ".package-lock.json", ROOT / "requirements" / "run.txt", micropip.REQUIREMENT, sources.manifest)
    parts += [sha256(p) if p.exists() else "" for p in locks]
    prepared = target.prepared_model
    made = [sha256(prepared / "candil.json") if prepared else "", str(target.gguf), str(target.digits)]
    return digest(*parts, str(target.dev), *made)


def is_complete(out: Path) -> bool:
    """Whether every file of the last build is there with its size."""
    listing = out.with_suffix(".json")
    return listing.exists() and all(is_there(out / n, file) for n, file in json.loads(listing.read_text()).items())


def is_there(path: Path, file: Mapping[str, object]) -> bool:
    return path.is_file() and path.stat().st_size == file["bytes"]


def compose(sources: Sources, target: Target) -> Files:
    cache = Cache(sources.cache / "build")
    files: Files = dict(site_files(sources.site))
    files.update(vendor.vendored(sources.node_modules))
    if target.digits:
        files.update({f"digits/{name}": target.digits / name for name in ("network.onnx", "digits.json")})
    for name, script in wllama.workers(sources.node_modules / "@wllama" / "wllama"):
        files[name] = cache.write(Path(name).name, script)
    files["stdlib.zip"] = archive.standard_library(sources, cache)
    files["micropip.zip"] = micropip.packed(cache)
    html = shell.preloading(page(sources), vendor.started(files))
    if not target.dev:
        html = join_styles(files, cache, html, sources.site)
    files["index.html"] = cache.write("index.html", html.encode())
    if not target.dev:
        files["app.zip"] = archive.compiled(cache, "app.zip", archive.app_source(sources), "/lib/app.zip")
        add_precache(files, cache)
        files.update(compress.compressed(cache, files, {n: sha256(p) for n, p in files.items()}))
    code = model.engine_code(vendor.ENGINES, files)
    manifest = model.served_manifest(sources.manifest, target.prepared_model, code, target.gguf)
    files["model_manifest.json"] = cache.write("model_manifest.json", manifest)
    if target.prepared_model:
        files.update(model.model_files(target.prepared_model))
    if target.gguf:
        files[model.gguf_place(target.gguf)] = target.gguf
    return files


def site_files(site: Path) -> Iterator[tuple[str, Path]]:
    for path in site.rglob("*"):
        if path.is_file() and not path.name.endswith(NOT_SERVED):
            yield path.relative_to(site).as_posix(), path


def page(sources: Sources) -> str:
    """index.html with its texts and the start of Python."""
    config: dict[str, object] = {
        "interpreter": "./runtime.mjs",
        "plugins": [f"!{name}" for name in PLUGINS_OFF],
        "packages_cache": "never",
    }
    if (sources.site / "bridge.js").exists():
        config["js_modules"] = {"main": {"./bridge.js": "bridge"}}
    template = (sources.site / "index.html").read_text("utf-8")
    strings = shell.read_strings(sources.app / "views" / "strings")
    return shell.render(template, strings, config)


def join_styles(files: Files, cache: Cache, html: str, site: Path) -> str:
    """Puts the joined style sheet in place of those `html` links to; gives back `html` linking to it."""
    html, names, sheet = styles.joined(html, site)
    for name in names:
        del files[name]
    files[styles.JOINED] = cache.write("all.css", sheet.encode())
    return html


def add_precache(files: Files, cache: Cache) -> None:
    members = precache.groups(files, vendor.ENGINES, vendor.LATER)
    hashes = {name: sha256(files[name]) for names in members.values() for name in names}
    files["precache.js"] = cache.write("precache.js", precache.script(members, files, hashes))


def publish(files: Files, out: Path) -> None:
    """Makes `out` hold exactly `files`: copies what changed, links weights, removes what is gone."""
    listing = out.with_suffix(".json")
    before = json.loads(listing.read_text()) if listing.exists() else {}
    after = {name: {"sha256": sha256(path), "bytes": path.stat().st_size} for name, path in sorted(files.items())}
    for name, path in files.items():
        if before.get(name) != after[name] or not is_there(out / name, after[name]):
            place(path, out / name, link=name.startswith("models/"))
    for path in out.rglob("*"):
        if path.is_file() and path.relative_to(out).as_posix() not in files:
            path.unlink()
    listing.write_text(json.dumps(after, indent=1))


def place(source: Path, path: Path, *, link: bool) -> None:
    """A copy, whole or not at all: a server may be serving the folder. Weights are linked where that works."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        if link:
            os.link(source, temporary)
    if not temporary.exists():
        shutil.copyfile(source, temporary)
    temporary.replace(path)


@contextlib.contextmanager
def alone(cache: Path) -> Iterator[None]:
    """One build at a time on this machine."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another build is running: waiting for it.", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
