"""Files the user gave, read step by step; the worker is played."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from pyapp.documents.reading import LARGEST_PDF_BYTES, LARGEST_TEXT_BYTES, Document, Documents, Reading
from pyapp.errors import (
    CandilError,
    EngineFailed,
    FileTooLarge,
    FileUnreadable,
    NetworkFailed,
    NotText,
    OfflineUnavailable,
    PdfDamaged,
    PdfEncrypted,
    PdfScanned,
)
from tests.unit.run import run
from tests.unit.transport import Forever, ScriptedTransport


@dataclass
class Picked:
    """pyapp.documents.file.PickedFile."""

    name: str
    data: bytes
    id: str = "picked-1"
    says: int | None = None

    @property
    def size(self) -> int:
        return len(self.data) if self.says is None else self.says

    @size.setter
    def size(self, value: int) -> None:
        self.says = value

    async def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


PDF = Picked("a.pdf", b"%PDF-1.7 ...")


def piece(text: str, y: float) -> dict[str, Any]:
    return {"text": text, "x": 70, "y": y, "width": 100, "height": 10, "ends_line": True}


def worker(pages: list[list[str]], **steps: Iterable[Any]) -> ScriptedTransport:
    def page(payload: Any) -> list[Any]:
        return [{"texts": [piece(text, 700 - 14 * n) for n, text in enumerate(pages[payload["number"] - 1])]}]

    return ScriptedTransport(
        {
            "pdf.load": lambda _payload: steps.get("load", [{"pages": len(pages)}]),
            "pdf.page": lambda payload: steps.get("page", page(payload)),
            "page.replace_worker": lambda _payload: [],
            "page.keep": lambda _payload: steps.get("keep", []),
        }
    )


async def read(transport: ScriptedTransport, file: Picked) -> list[Reading | Document]:
    return [step async for step in Documents(transport).read(file)]


def told(transport: ScriptedTransport, file: Picked) -> CandilError:
    with pytest.raises(CandilError) as caught:
        run(read(transport, file))
    return caught.value


def test_a_text_is_one_page_or_as_many_as_it_says() -> None:
    transport = ScriptedTransport({})
    assert run(read(transport, Picked("a.txt", b"One.\r\n\r\nTwo.\n"))) == [Document("a.txt", ["One.\n\nTwo."])]
    assert run(read(transport, Picked("a.txt", b"One.\f\nTwo."))) == [Document("a.txt", ["One.", "Two."])]


def test_a_picture_and_a_text_without_end_are_refused() -> None:
    assert isinstance(told(ScriptedTransport({}), Picked("a.png", b"\x89PNG\0\0")), NotText)
    error = told(ScriptedTransport({}), Picked("a.txt", b"a", says=LARGEST_TEXT_BYTES + 1))
    assert isinstance(error, FileTooLarge)
    assert error.details == {"name": "a.txt", "limit_bytes": LARGEST_TEXT_BYTES}


def test_a_pdf_is_read_page_by_page_and_its_worker_given_back() -> None:
    transport = worker([["The sun is", "a star."], ["It shines."]])
    assert run(read(transport, PDF)) == [
        Reading(0, 2),
        Reading(1, 2),
        Document("a.pdf", ["The sun is a star.", "It shines."]),
    ]
    assert transport.calls[0] == ("pdf.load", {"files": {"file": "picked-1"}})
    assert transport.calls[-1] == ("page.replace_worker", {"worker": "pdf"})


def test_a_pdf_is_known_by_what_is_in_it() -> None:
    document = run(read(worker([["Hello."]]), Picked("download", b"\n%PDF-1.4")))[-1]
    assert document == Document("download", ["Hello."])


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ({"load": [PdfEncrypted()]}, PdfEncrypted),
        ({"load": [PdfDamaged("InvalidPDFException")]}, PdfDamaged),
        ({"page": [PdfDamaged()]}, PdfDamaged),
        ({"page": [EngineFailed("the worker stopped")]}, PdfDamaged),
        ({"page": [{"texts": []}]}, PdfScanned),
    ],
)
def test_what_cannot_be_read_is_said_with_the_files_name(steps: dict[str, list[Any]], kind: type[CandilError]) -> None:
    transport = worker([["Text."], ["More."]], **steps)
    error = told(transport, PDF)
    assert isinstance(error, kind)
    assert error.details["name"] == "a.pdf"
    assert transport.ops()[-1] == "page.replace_worker"


def test_a_file_that_is_gone_is_what_the_bridge_says() -> None:
    assert isinstance(told(worker([["Text."]], load=[FileUnreadable()]), PDF), FileUnreadable)


def test_a_pdf_too_large_is_refused_before_anything_of_it_is_read() -> None:
    transport = worker([["Text."]])
    error = told(transport, Picked("a.pdf", b"%PDF-", says=LARGEST_PDF_BYTES + 1))
    assert isinstance(error, FileTooLarge)
    assert error.details == {"name": "a.pdf", "limit_bytes": LARGEST_PDF_BYTES}
    assert transport.calls == []


def test_a_small_file_that_unpacks_into_endless_text_is_refused() -> None:
    error = told(worker([["a" * (LARGEST_TEXT_BYTES // 2)] for _ in range(3)]), PDF)
    assert isinstance(error, FileTooLarge)
    assert error.details == {"name": "a.pdf", "limit_bytes": LARGEST_TEXT_BYTES}


def test_reading_can_be_left_at_any_page_and_the_next_file_comes_after() -> None:
    async def main() -> None:
        transport = worker([["One."], ["Two."], ["Three."]])
        documents = Documents(transport)
        async with aclosing(documents.read(PDF)) as steps:
            assert await anext(steps) == Reading(0, 3)
        assert transport.ops() == ["pdf.load", "page.replace_worker"]
        assert [step async for step in documents.read(PDF)][-1] == Document("a.pdf", ["One.", "Two.", "Three."])

        stuck = worker([["Text."]], page=[Forever()])
        task = asyncio.create_task(read(stuck, PDF))
        await asyncio.sleep(0.01)
        assert stuck.ops()[-1] == "pdf.page"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stuck.ops()[-1] == "page.replace_worker"

    run(main())


def test_what_reads_pdfs_is_kept_for_later_where_that_is_possible() -> None:
    for steps in ([{"received": 1, "total": 1}], [OfflineUnavailable()], [NetworkFailed()]):
        transport = worker([], keep=steps)
        run(Documents(transport).keep())
        assert transport.calls == [("page.keep", {"group": "pdf"})]
