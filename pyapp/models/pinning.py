"""Which files a variant is made of, as its hub says: from a repository and names to a revision, sizes and hashes.

Rules of this file: nothing is believed that cannot be checked later. The revision is a commit, and every file is named
by its sha256: the hub's own for large files (Git LFS), computed here for small ones, which are fetched for it and
compared with the size and the Git blob id that the hub lists. It runs in the page when somebody downloads a variant
that is not pinned (trust on first use: from then on only these bytes are taken), and in `tools.pin` for a whole site.

The hub's API: https://huggingface.co/docs/hub/api, `/api/models/{repo}/revision/{revision}?blobs=true`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from pyapp.errors import FileMissing, ManifestError, WrongContent
from pyapp.models.manifest import Manifest, ManifestFile, ModelSpec, Repository, Variant
from pyapp.models.names import FILE_PATH, REVISION, SHA256
from pyapp.models.record import Installed
from pyapp.models.strict_json import Node, loads

Read = Callable[[str], Awaitable[str]]  # the text at an address; raises DownloadError

_BRANCH = "main"
_BLOB_ID = re.compile(r"[0-9a-f]{40}")


async def pin(variant: Variant, read: Read) -> Variant:
    """`variant` with the hub's present revision, and the files it wants of it.

    Raises DownloadError: FileMissing (details: path) when the repository lacks one, WrongContent for an answer that is
    not a hub's, and what `read` raises.
    """
    repository = variant.repository
    assert repository is not None  # only a variant from a hub can be pinned
    try:
        listing = loads(await read(_listing_url(repository)))
        revision = listing.at("sha").text(REVISION, "a commit")
        found = {node.at("rfilename").text(): node for node in listing.at("siblings").items()}
        paths = [path for glob in repository.wants for path in _matching(glob, found)]
        files = [await _file(found[path], repository, revision, read) for path in dict.fromkeys(paths)]
    except ManifestError as error:
        raise WrongContent(f"{repository.host} answered about {repository.repo}: {error.message}") from error
    return replace(variant, files=tuple(files), repository=replace(repository, revision=revision))


def _listing_url(repository: Repository) -> str:
    return f"{repository.host}/api/models/{repository.repo}/revision/{_BRANCH}?blobs=true"


def _matching(glob: str, found: Iterable[str]) -> list[str]:
    """Names in order; one without a * must be there."""
    pattern = re.compile(re.escape(glob).replace(r"\*", "[^/]*"))
    names = sorted(name for name in found if pattern.fullmatch(name))
    if not names and "*" not in glob:
        raise FileMissing("the repository has no such file", path=glob)
    return names


async def _file(node: Node, repository: Repository, revision: str, read: Read) -> ManifestFile:
    path = node.at("rfilename").text(FILE_PATH, "a file name")
    url = repository.url(path, revision)
    lfs = node.at("lfs") if node.has("lfs") else None
    if lfs is not None and lfs.value is not None:
        return ManifestFile(path, url, lfs.at("size").integer(least=1), lfs.at("sha256").text(SHA256, "a sha256"))
    size = node.at("size").integer(least=1)
    content = (await read(url)).encode()
    if len(content) != size or _blob_id(content) != node.at("blobId").text(_BLOB_ID, "a Git blob id"):
        raise WrongContent("the file is not the one the hub lists", path=path)
    return ManifestFile(path, url, size, hashlib.sha256(content).hexdigest())


def _blob_id(content: bytes) -> str:
    """As Git names a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def with_variant(model: ModelSpec, variant: Variant) -> ModelSpec:
    """`variant` in the place of the one of its name."""
    return replace(model, variants=tuple(variant if v.name == variant.name else v for v in model.variants))


def with_pins(manifest: Manifest, records: Iterable[Installed]) -> Manifest:
    """The catalog, with what was pinned when it was downloaded here: it stays what it was then."""
    known = {(each.model.id, each.variant.name): each.variant for each in records}

    def pinned(model: ModelSpec, variant: Variant) -> Variant:
        ours = known.get((model.id, variant.name))
        return ours if ours and ours.pinned and _same_place(ours, variant) else variant

    return replace(
        manifest,
        models=tuple(
            replace(model, variants=tuple(v if v.pinned else pinned(model, v) for v in model.variants))
            for model in manifest.models
        ),
    )


def _same_place(ours: Variant, variant: Variant) -> bool:
    """The same but for the revision: an entry that was corrected since is asked about again."""
    return replace(ours, files=(), repository=None) == replace(variant, files=(), repository=None) and (
        ours.repository is not None and replace(ours.repository, revision=None) == variant.repository
    )
