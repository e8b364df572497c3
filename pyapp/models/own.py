"""A model of the user's own, from what its files say: an entry like those of the catalog, which nobody has verified."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyapp.errors import GgufDamaged, NotAChatModel, PartsMissing, SeveralModels
from pyapp.models.gguf import Header, Value
from pyapp.models.manifest import ManifestFile, ModelSpec, UnpinnedFile, UserSource, Variant
from pyapp.models.names import URL, WORD

LARGEST_CONTEXT = 8192  # tokens: the memory a conversation takes grows with it, and a phone has little
ENGINE = "wllama"
VARIANT = "gguf"

# general.file_type, from llama.h: what people call the quantization
_QUANTIZATIONS = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    32: "BF16",
}  # the others are called by their tensor type


@dataclass(frozen=True, slots=True)
class Part:
    """One file. `ref` names its bytes: their sha256, or the name the page knows a picked file by."""

    name: str
    header: Header
    ref: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class OwnModel:
    """What the page tells of it before it is used."""

    model: ModelSpec
    variant: Variant
    architecture: str
    has_template: bool
    trained_context: int | None  # tokens, None where the file does not say


def own_model(parts: Sequence[Part], source: UserSource) -> OwnModel:
    """Raises ModelRefused: not one model, not all of it, or none that can chat."""
    parts = in_order(parts)
    values = parts[0].header.values
    architecture = _text(values.get("general.architecture"))
    _check_kind(values, architecture)
    trained = values.get(f"{architecture}.context_length")
    context = trained if isinstance(trained, int) and trained > 0 else None
    title = _text(values.get("general.name")) or _stem(parts[0].name)
    files = _files(parts, title)
    variant = Variant(VARIANT, ENGINE, "wasm", _quantization([part.header for part in parts]), (), files)
    model = ModelSpec(
        id=f"{_slug(title)}-{parts[0].header.fingerprint[:8]}",
        title=title,
        parameters=max(1, sum(part.header.parameters for part in parts)),
        context_tokens=min(context or LARGEST_CONTEXT, LARGEST_CONTEXT),
        license=_text(values.get("general.license")),
        license_url=_url(values.get("general.license.link")),
        languages=_languages(values.get("general.languages")),
        source=source,
        verified=False,
        variants=(variant,),
    )
    return OwnModel(model, variant, architecture, bool(values.get("tokenizer.chat_template")), context)


def kept_as(model: ModelSpec, variant: Variant, sha256: Mapping[str, str]) -> tuple[ModelSpec, Variant]:
    """What is written down when its bytes are here: `sha256` has the hash of each file that had another name before.

    Its id is that of the bytes, so another model that says the same of itself does not take its place.
    """
    if not sha256:
        return model, variant
    files = tuple(ManifestFile(f.path, f.url, f.bytes, sha256.get(f.sha256, f.sha256)) for f in variant.files)
    kept = replace(variant, files=files)
    slug, _ = model.id.rsplit("-", 1)
    return replace(model, id=f"{slug}-{files[0].sha256[:8]}", variants=(kept,)), kept


def in_order(parts: Sequence[Part]) -> list[Part]:
    """The parts of one model as they follow each other. Raises SeveralModels, PartsMissing, GgufDamaged."""
    counts = {_whole(part.header.values.get("split.count")) for part in parts}
    if len(counts) > 1:
        raise SeveralModels()
    count = counts.pop() or 1
    if count == 1 and len(parts) > 1:
        raise SeveralModels()
    numbered = {_whole(part.header.values.get("split.no")): part for part in parts}
    if len(numbered) < len(parts):
        raise SeveralModels()  # two files that are both the first part
    if any(number >= count for number in numbered):
        raise GgufDamaged("a part has a number beyond the last")
    if len(numbered) < count:
        raise PartsMissing(have=len(numbered), count=count)
    return [numbered[number] for number in sorted(numbered)]


def split_names(name: str, count: int) -> list[str]:
    """The names of all parts, from that of any one of them: "x-00001-of-00003.gguf"."""
    match = re.fullmatch(r"(.*-)\d{5}(-of-\d{5}\.gguf)", name)
    return [f"{match[1]}{number:05}{match[2]}" for number in range(1, count + 1)] if match else [name]


def _check_kind(values: Mapping[str, Value], architecture: str) -> None:
    kind = _text(values.get("general.type")) or "model"
    if kind != "model":
        raise NotAChatModel(kind=kind)
    if "tokenizer.ggml.model" not in values or values.get(f"{architecture}.attention.causal") == 0:
        raise NotAChatModel(kind=architecture or "?")


def _files(parts: Sequence[Part], title: str) -> tuple[ManifestFile, ...]:
    stem, count = _slug(title), len(parts)
    names = [f"{stem}-{n:05}-of-{count:05}.gguf" for n in range(1, count + 1)] if count > 1 else [f"{stem}.gguf"]
    return tuple(
        UnpinnedFile(name, part.url, part.header.size, part.ref)
        if part.url
        else ManifestFile(name, name, part.header.size, part.ref)
        for name, part in zip(names, parts, strict=True)
    )


def _quantization(headers: Sequence[Header]) -> str:
    """As the file says, else the type most weights have."""
    said = _QUANTIZATIONS.get(_whole(headers[0].values.get("general.file_type"), -1))
    types: Counter[str] = Counter()
    for header in headers:
        types.update(header.types)
    return said or next((name for name, _ in types.most_common(1)), "F32")


def _text(value: Value | None) -> str:
    """One short line of what can be seen, from whatever is there."""
    seen = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return " ".join(seen.split())[:80]


def _whole(value: Value | None, otherwise: int = 0) -> int:
    return value if isinstance(value, int) else otherwise


def _url(value: Value | None) -> str:
    return value if isinstance(value, str) and value.startswith("https://") and URL.fullmatch(value) else ""


def _languages(value: Value | None) -> tuple[str, ...]:
    return tuple(tag for tag in value if WORD.fullmatch(tag))[:20] if isinstance(value, tuple) else ()


def _stem(name: str) -> str:
    return _text(re.sub(r"(-\d{5}-of-\d{5})?\.gguf$", "", name, flags=re.IGNORECASE)) or "GGUF"


def _slug(title: str) -> str:
    """A model's id and its files' names: as model ids are, and short."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:48].strip("-") or "model"
