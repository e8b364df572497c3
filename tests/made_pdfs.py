"""PDF files as programs write them, made when a test runs."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import cm  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import BaseDocTemplate, Frame, PageBreak, PageTemplate, Paragraph  # type: ignore[import-untyped]

WIDTH, HEIGHT = A4
MARGIN = 2.5 * cm
GUTTER = 1 * cm
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10.5, leading=14, spaceAfter=8, alignment=4)
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=16, leading=22, spaceAfter=12)


def report(
    pages: Sequence[Sequence[str]], *, title: str = "", columns: int = 1, header: str = "", password: str | None = None
) -> bytes:
    """Each page's paragraphs, with the header and the page's number on every page."""

    def frame_of(column: int) -> Frame:
        width = (WIDTH - 2 * MARGIN - (columns - 1) * GUTTER) / columns
        left = MARGIN + column * (width + GUTTER)
        return Frame(left, MARGIN, width, HEIGHT - 2 * MARGIN, 0, 0, 0, 0)

    def around(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(MARGIN, HEIGHT - MARGIN / 2, header)
        canvas.drawCentredString(WIDTH / 2, MARGIN / 2, f"- {document.page} -")

    out = io.BytesIO()
    document = BaseDocTemplate(out, pagesize=A4, encrypt=password)
    frames = [frame_of(column) for column in range(columns)]
    document.addPageTemplates(PageTemplate("page", frames, onPage=around))
    flow: list[object] = [Paragraph(title, TITLE)] if title else []
    for number, page in enumerate(pages):
        flow += [PageBreak()] if number else []
        flow += [Paragraph(text, BODY) for text in page]
    document.build(flow)
    return out.getvalue()


def scanned(pages: int = 2) -> bytes:
    """Pictures and no text, as a scanner writes it."""
    picture = ImageReader(Image.effect_noise((200, 280), 60))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    for _ in range(pages):
        canvas.drawImage(picture, 0, 0, WIDTH, HEIGHT)
        canvas.showPage()
    canvas.save()
    return out.getvalue()
