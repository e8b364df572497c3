"""Reads a file the user gave, a step at a time: how far it is, at last the document.

A PDF is read by a worker (site/pdf.js) that is replaced after each: what a document took is given back, and what was
still running when somebody lost patience has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from pyapp.documents.file import PickedFile
from pyapp.documents.layout import Line, Piece, lines_of, pages_of
from pyapp.documents.text import decoded
from pyapp.engine import Transport, values
from pyapp.errors import (
    DownloadError,
    EngineFailed,
    FileTooLarge,
    OfflineUnavailable,
    PdfDamaged,
    PdfScanned,
    RequestError,
)

LARGEST_TEXT_BYTES = 20_000_000  # of plain text, and of a PDF's: thousands of pages
LARGEST_PDF_BYTES = 200_000_000  # pdf.js keeps what it has read, pictures too: a renderer of 700 MB for 480
PDF_MARK = b"%PDF-"
MARK_WITHIN = 1024  # bytes; what comes before the mark readers skip
ACCEPT = ".pdf,application/pdf,text/*,.md,.csv,.tsv,.json,.log,.srt,.tex,.rst,.xml,.html"


@dataclass(frozen=True, slots=True)
class Reading:
    done: int  # pages
    total: int


@dataclass(frozen=True, slots=True)
class Document:
    """Paragraphs of a page have an empty line between them. A text that knows no pages is one."""

    name: str
    pages: list[str]


class Documents:
    """One is read after the other."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._turn = asyncio.Lock()

    async def read(self, file: PickedFile) -> AsyncGenerator[Reading | Document, None]:
        """Any number of Reading, then exactly one Document. Closing it stops at once.

        Raises FileTooLarge, NotText, PdfEncrypted, PdfScanned, PdfDamaged, FileUnreadable.
        """
        if not await _is_pdf(file):
            yield Document(file.name, await _text(file))
            return
        if file.size > LARGEST_PDF_BYTES:
            raise FileTooLarge(name=file.name, limit_bytes=LARGEST_PDF_BYTES)
        async with self._turn:
            try:
                async with aclosing(self._pdf(file)) as steps:
                    async for step in steps:
                        yield step
            except EngineFailed as error:  # the worker ended: what is in the file was too much for it
                raise PdfDamaged(error.message, name=file.name) from error
            except RequestError as error:
                error.details = {"name": file.name, **error.details}
                raise
            finally:
                await values(self._transport, "page.replace_worker", {"worker": "pdf"})

    async def keep(self) -> None:
        """Has what reads PDF files here for when there is no connection, as far as that is possible."""
        with suppress(OfflineUnavailable, DownloadError):
            await values(self._transport, "page.keep", {"group": "pdf"})

    async def _pdf(self, file: PickedFile) -> AsyncGenerator[Reading | Document, None]:
        (opened,) = await values(self._transport, "pdf.load", {"files": {"file": file.id}})
        total = int(opened["pages"])
        pages: list[list[Line]] = []
        characters = 0
        for number in range(1, total + 1):
            yield Reading(number - 1, total)
            (page,) = await values(self._transport, "pdf.page", {"number": number})
            pages.append(lines_of(Piece(**piece) for piece in page["texts"]))
            characters += sum(len(line.text) for line in pages[-1])
            if characters > LARGEST_TEXT_BYTES:
                raise FileTooLarge(limit_bytes=LARGEST_TEXT_BYTES)
        texts = pages_of(pages)
        if not any(texts):
            raise PdfScanned()
        yield Document(file.name, texts)


async def _is_pdf(file: PickedFile) -> bool:
    return file.name.lower().endswith(".pdf") or PDF_MARK in await file.read(0, MARK_WITHIN)


async def _text(file: PickedFile) -> list[str]:
    if file.size > LARGEST_TEXT_BYTES:
        raise FileTooLarge(name=file.name, limit_bytes=LARGEST_TEXT_BYTES)
    text = decoded(file.name, await file.read(0, file.size))
    return [page.strip("\n") for page in text.split("\f")]
