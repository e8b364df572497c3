"""The catalog: which models there are, from where, how big, with which hashes, for which device.

`model_manifest.schema.json` says the same in JSON Schema for people and editors; the page has no
JSON Schema, so `parse` checks by hand, and tests/tools/test_manifest_schema.py keeps both equal.
Beyond the schema `parse` refuses what a schema cannot say: two models, variants or files of one
name, and one sha256 with two sizes. Members it does not know are ignored.

A variant from a hub is pinned (its repository has a revision, its files have sizes and hashes) or it is not: then it
names files and an estimated size only; `tools.pin`, or pyapp.models.pinning in the page, asks the hub for the rest, and
nothing is fetched before. There is no form for a hash without a revision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from pyapp.models.names import FILE_GLOB, FILE_PATH, HOST, MODEL_ID, REPO, REVISION, SHA256, URL, VARIANT_NAME, WORD
from pyapp.models.strict_json import Node, loads

Device = Literal["wasm", "webgpu", "browser", "server"]
"""Where a model runs. "browser": wherever the browser runs a model of its own. "server": on one that the user named,
never in a catalog."""

FORMAT = 1
ENGINES = frozenset({"transformers_js", "wllama", "builtin_ai", "webllm"})
DEVICES = frozenset({"wasm", "webgpu", "browser"})

_URL_WORDS = "an https URL, a loopback http URL or a path on this site"


@dataclass(frozen=True, slots=True)
class ManifestFile:
    path: str  # the name inside the model repository, such as "onnx/model_int8.onnx"
    url: str  # relative to the manifest, or absolute
    bytes: int
    sha256: str

    @property
    def in_place(self) -> bool:
        """A file the user picked, read where it is: instead of a sha256 it has the name the page knows it by."""
        return not SHA256.fullmatch(self.sha256)


@dataclass(frozen=True, slots=True)
class UnpinnedFile(ManifestFile):
    """From an address the user gave: nobody has told its hash. `sha256` names what has arrived until all has."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A known answer: the greedy tokens this variant gives after `prompt_ids`, no template."""

    prompt_ids: tuple[int, ...]
    next_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """Where a variant's files are on a hub. Without `revision` nobody has asked yet which files these are."""

    host: str
    repo: str
    wants: tuple[str, ...]  # file names; one with a "*" may be none or several
    approximate_bytes: int  # by hand, from the parameters and their format; what is said of one without a revision
    revision: str | None = None

    def url(self, path: str, revision: str) -> str:
        return f"{self.host}/{self.repo}/resolve/{revision}/{path}"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a model. An embedded model's has no `files` until the site build adds them."""

    name: str
    engine: str
    device: Device
    dtype: str
    features: tuple[str, ...]  # WebGPU features it needs, such as "shader-f16"
    files: tuple[ManifestFile, ...]
    self_test: SelfTest | None = None
    repository: Repository | None = None  # None: not from a hub

    @property
    def pinned(self) -> bool:
        """Whether every byte of it is known beforehand."""
        return self.repository is None or self.repository.revision is not None

    @property
    def in_place(self) -> bool:
        """Nothing is to be fetched: the user has picked its files."""
        return any(file.in_place for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes to fetch and to keep, an estimate of one that is not pinned; files of one sha256 are kept once."""
        if self.repository is not None and not self.pinned:
            return self.repository.approximate_bytes
        return sum({file.sha256: file.bytes for file in self.files}.values())


@dataclass(frozen=True, slots=True)
class EmbeddedSource:
    """Converted at build time from `file` in a pinned Python package and served by this site."""

    package: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class HubSource:
    """Published on a hub, where its model card is; each variant has its own repository."""

    host: str
    repo: str


@dataclass(frozen=True, slots=True)
class BrowserSource:
    """Part of the browser, which fetches and keeps it: there are no files for us."""


@dataclass(frozen=True, slots=True)
class Company:
    """Behind a relay: who reads what is sent there. `name` is what the relay calls it."""

    name: str
    title: str
    price: float | None = None  # of a million tokens; None: nobody says


@dataclass(frozen=True, slots=True)
class ServerSource:
    """On a server that speaks OpenAI's protocol; `model` is the server's name for it. Never in a catalog.

    `companies`: it is the relay of this page's own server, and one of these answers.
    """

    base_url: str
    model: str
    companies: tuple[Company, ...] = ()

    @property
    def readers(self) -> str:
        """The companies as people know them."""
        return ", ".join(company.title for company in self.companies)


@dataclass(frozen=True, slots=True)
class OwnSource:
    """A file of the user's, called `name` on their disk; never in a catalog."""

    name: str


@dataclass(frozen=True, slots=True)
class UrlSource:
    """An address the user gave; never in a catalog. The hashes are those of the first download."""

    url: str


UserSource = OwnSource | UrlSource
Source = EmbeddedSource | HubSource | BrowserSource | ServerSource | UserSource


@dataclass(frozen=True, slots=True)
class ModelSpec:
    id: str
    title: str
    parameters: int  # 0: its maker does not say
    context_tokens: int
    license: str
    license_url: str
    languages: tuple[str, ...]
    source: Source
    verified: bool  # somebody of this project ran it and compared its answers
    variants: tuple[Variant, ...]

    @property
    def own(self) -> bool:
        """The user's, not this site's."""
        return isinstance(self.source, UserSource)

    @property
    def in_place(self) -> bool:
        return any(variant.in_place for variant in self.variants)


@dataclass(frozen=True, slots=True)
class EngineFile:
    path: str
    bytes: int  # as it is run
    wire_bytes: int  # as it travels, compressed


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """What an engine's own code weighs, by device."""

    files: Mapping[str, tuple[EngineFile, ...]]

    def wire_bytes(self, device: str) -> int:
        return sum(file.wire_bytes for file in self.files.get(device, ()))


@dataclass(frozen=True, slots=True)
class Manifest:
    models: tuple[ModelSpec, ...]
    engines: Mapping[str, EngineFiles] = field(default_factory=dict)


def parse(text: str) -> Manifest:
    """The catalog in `text`. Raises ManifestError, one sentence that names the place, when anything is wrong."""
    return read(loads(text), read_source)


def read(root: Node, source: Callable[[Node], Source]) -> Manifest:
    """`source` reads where a model is from."""
    version = root.at("format").integer(least=0)
    if version != FORMAT:
        raise root.at("format").wrong(f"is {version}; this version of Candil reads {FORMAT}")
    nodes = root.at("models").items()
    models = tuple(_model(node, source(node.at("source"))) for node in nodes)
    _distinct(zip(nodes, (model.id for model in models), strict=True), "id")
    _one_size_per_hash(models)
    return Manifest(models, _engines(root.at("engines")) if root.has("engines") else {})


def of_engines(manifest: Manifest, engines: Collection[str]) -> Manifest:
    """What a build with these engines can offer."""
    models = (replace(m, variants=tuple(v for v in m.variants if v.engine in engines)) for m in manifest.models)
    return replace(manifest, models=tuple(model for model in models if model.variants))


def _model(node: Node, source: Source) -> ModelSpec:
    nodes = node.at("variants").items(least=1)
    variants = tuple(_variant(variant, source) for variant in nodes)
    _distinct(zip(nodes, (variant.name for variant in variants), strict=True), "name")

    def silent(key: str) -> bool:
        return isinstance(source, UserSource) and node.at(key).value == ""  # the file says nothing of a licence

    return ModelSpec(
        id=node.at("id").text(MODEL_ID, "lower-case letters, digits, dots and dashes"),
        title=node.at("title").text(),
        parameters=node.at("parameters").integer(least=0),
        context_tokens=node.at("context_tokens").integer(least=1),
        license="" if silent("license") else node.at("license").text(),
        license_url="" if silent("license_url") else node.at("license_url").text(URL, _URL_WORDS),
        languages=tuple(language.text(WORD, "a language tag") for language in node.at("languages").items()),
        source=source,
        verified=node.at("verified").boolean(),
        variants=variants,
    )


def read_source(node: Node) -> Source:
    """Where a model of the catalog is from."""
    match node.at("kind").one_of({"embedded", "hub", "browser"}):
        case "hub":
            return HubSource(host=_host(node), repo=node.at("repo").text(REPO, "owner/name"))
        case "browser":
            return BrowserSource()
    return EmbeddedSource(
        package=node.at("package").text(WORD, "a package name"),
        version=node.at("version").text(WORD, "a version"),
        file=node.at("file").text(FILE_PATH, "a file name inside the package"),
        sha256=node.at("sha256").text(SHA256, "64 hexadecimal digits"),
    )


def _host(node: Node) -> str:
    return node.at("host").text(HOST, "https:// and a host")


def _variant(node: Node, source: Source) -> Variant:
    repository = _repository(node.at("repository")) if isinstance(source, HubSource) else None
    return Variant(
        name=node.at("name").text(VARIANT_NAME, "lower-case letters, digits and dashes"),
        engine=node.at("engine").one_of(ENGINES),
        device=cast(Device, node.at("device").one_of(DEVICES)),
        dtype=node.at("dtype").text(WORD, "a number format such as q4"),
        features=tuple(n.text(WORD, "a WebGPU feature") for n in node.at("features").items())
        if node.has("features")
        else (),
        files=_files(node, source, repository),
        self_test=_self_test(node.at("self_test")) if node.has("self_test") else None,
        repository=repository,
    )


def _repository(node: Node) -> Repository:
    return Repository(
        host=_host(node),
        repo=node.at("repo").text(REPO, "owner/name"),
        wants=tuple(n.text(FILE_GLOB, "a file name, with * for a part") for n in node.at("wants").items(least=1)),
        approximate_bytes=node.at("approximate_bytes").integer(least=1),
        revision=node.at("revision").text(REVISION, "a commit of 40 hexadecimal digits")
        if node.has("revision")
        else None,
    )


def _files(variant: Node, source: Source, repository: Repository | None) -> tuple[ManifestFile, ...]:
    if repository is not None and repository.revision is None:
        if variant.has("files"):
            raise variant.at("files").wrong("must not be there without a revision")
        return ()
    if not isinstance(source, HubSource) and not variant.has("files"):
        return ()  # the repository's own manifest, before the site build; or the browser's own model
    nodes = variant.at("files").items(least=1)
    files = tuple(_file(node, repository) for node in nodes)
    _distinct(zip(nodes, (file.path for file in files), strict=True), "path")
    return files


def _file(node: Node, repository: Repository | None) -> ManifestFile:
    path = node.at("path").text(FILE_PATH, "a file name inside the model, without '..'")
    if repository is not None and repository.revision is not None and not node.has("url"):
        url = repository.url(path, repository.revision)
    else:
        url = node.at("url").text(URL, _URL_WORDS)
    return ManifestFile(
        path, url, node.at("bytes").integer(least=1), node.at("sha256").text(SHA256, "64 hexadecimal digits")
    )


def _self_test(node: Node) -> SelfTest:
    def ids(key: str) -> tuple[int, ...]:
        return tuple(item.integer(least=0) for item in node.at(key).items(least=1))

    return SelfTest(ids("prompt_ids"), ids("next_ids"))


def _engines(node: Node) -> Mapping[str, EngineFiles]:
    return {Node(name, engine.path).one_of(ENGINES): _engine_files(engine) for name, engine in node.members()}


def _engine_files(node: Node) -> EngineFiles:
    devices = {}
    for name, files in node.at("files").members():
        devices[Node(name, files.path).one_of(DEVICES)] = tuple(
            EngineFile(
                path=file.at("path").text(URL, _URL_WORDS),
                bytes=file.at("bytes").integer(least=1),
                wire_bytes=file.at("wire_bytes").integer(least=1),
            )
            for file in files.items()
        )
    return EngineFiles(devices)


def _distinct(named: Iterable[tuple[Node, Hashable]], key: str) -> None:
    seen = set()
    for node, name in named:
        if name in seen:
            raise node.at(key).wrong(f"is {name!r} a second time")
        seen.add(name)


def _one_size_per_hash(models: Iterable[ModelSpec]) -> None:
    """One sha256 is one content, fetched once: two sizes for it can only be a mistake."""
    sizes: dict[str, int] = {}
    for model in models:
        for variant in model.variants:
            for file in variant.files:
                if sizes.setdefault(file.sha256, file.bytes) != file.bytes:
                    raise Node(None, f"$.models.{model.id}.{variant.name}.{file.path}").wrong(
                        "has the sha256 of a file of another size"
                    )
