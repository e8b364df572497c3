"""PDF files through pdf.js in real Chromium, under the site's policy: what programs write becomes pages of text."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import pytest
from playwright.async_api import Page

from pyapp.documents.reading import Document, Documents
from pyapp.errors import CandilError, PdfDamaged, PdfEncrypted, PdfScanned
from tests import made_pdfs
from tests.browser.aside import wait
from tests.browser.conftest import Site
from tests.browser.page_transport import PageTransport, page_transport

SPANISH = "La fotosíntesis convierte la luz en energía química, ¿no es así? Las plantas absorben dióxido de carbono."
ENGLISH = "A star is a ball of plasma that is held together by its own gravity. The nearest one to us is the Sun."

T = TypeVar("T")

HOLD = """([id, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  window.bridge.hold(id, new File([bytes], id));
}"""


class Given:
    """pyapp.documents.file.PickedFile: its bytes are here and in the page."""

    def __init__(self, data: bytes) -> None:
        self.id = self.name = "given.pdf"
        self.size = len(data)
        self.data = data

    async def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@asynccontextmanager
async def holding(site: Site, data: bytes) -> AsyncIterator[tuple[Page, PageTransport, Given]]:
    async with page_transport(site.url) as (page, transport):
        await page.evaluate(HOLD, ["given.pdf", base64.b64encode(data).decode()])
        yield page, transport, Given(data)


def read(site: Site, data: bytes) -> Document:
    async def main() -> Document:
        async with holding(site, data) as (_, transport, file):
            document = [step async for step in Documents(transport).read(file)][-1]
            assert isinstance(document, Document)
            return document

    return _checked(site, main())


def _checked(site: Site, work: Coroutine[Any, Any, T]) -> T:
    """Nothing of pdf.js may need what the site's policy refuses."""
    site.violations.clear()
    result = wait(work)
    assert site.violations == []
    return result


def test_a_report_becomes_its_paragraphs(site: Site) -> None:
    pages = [[SPANISH * 3, ENGLISH * 2], [ENGLISH * 5], ["Fin."]]
    document = read(site, made_pdfs.report(pages, title="Informe", header="Informe anual de 2026"))
    first, *others = ["\n\n".join(page) for page in pages]
    assert document.pages == [f"Informe\n\n{first}", *others]


def test_columns_are_read_one_after_the_other_and_divided_words_are_whole(site: Site) -> None:
    texts = [f"{n}. {ENGLISH} {SPANISH}" for n in range(8)]
    assert read(site, made_pdfs.report([texts], columns=2)).pages == ["\n\n".join(texts)]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (made_pdfs.report([[ENGLISH]], password="secret"), PdfEncrypted),
        (made_pdfs.scanned(), PdfScanned),
        (made_pdfs.report([[ENGLISH]])[:900], PdfDamaged),
        (b"%PDF-1.7\n" + bytes(range(256)) * 50, PdfDamaged),
        (b"", PdfDamaged),
    ],
    ids=["encrypted", "scanned", "cut off", "noise", "empty"],
)
def test_what_has_no_text_for_us_is_named(site: Site, data: bytes, kind: type[CandilError]) -> None:
    with pytest.raises(kind) as caught:
        read(site, data)
    assert caught.value.details["name"] == "given.pdf"


def test_a_reading_is_left_at_once_and_a_file_no_longer_held_is_refused(site: Site) -> None:
    long = made_pdfs.report([[f"{n} {ENGLISH * 9}"] for n in range(30)])

    async def main() -> float:
        async with holding(site, long) as (page, transport, file):
            async with aclosing(Documents(transport).read(file)) as steps:
                await anext(steps)
                await anext(steps)
                before = time.monotonic()
            left_s = time.monotonic() - before
            await page.evaluate("window.bridge.release('given.pdf')")
            with pytest.raises(CandilError):
                await anext(Documents(transport).read(file))
            return left_s

    assert _checked(site, main()) < 1
