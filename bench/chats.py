"""python -m bench.chats: what long conversations and many of them cost the page, in Chromium, without a model.

CPU is the main thread's, from the call until the page is at rest. The database has 500 conversations, one of them of
2 000 messages. The bars: opening it costs at most 300 ms more than opening an empty one, a keystroke of the search at
most 50 ms.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.streaming import MIXED
from pyapp.chat.records import Record, chat_record, entry_record
from pyapp.chat.tree import Chat, Entry
from tests.browser.chat_page import ChatPage, driven_site
from tests.browser.conftest import CHROMIUM, FLAGS
from tools.build.layout import ROOT

CHATS, LONG, SHORT = 500, 2000, 10  # conversations; messages in one, and in each of the others
QUERIES = ("c", "ca", "can", "cand", "candle", "candle light", "straße", "no such word")
OPEN_MS, SEARCH_MS = 300, 50
ROUNDS = 5
REST_S = 0.5  # this long without work is rest


def messages(chat_id: str, count: int) -> list[Record]:
    made: list[Record] = []
    for n in range(count):
        text = MIXED.format(n=n) + "candle light" * (n % 50 == 0) if n % 2 else f"How does step {n} of {chat_id} go on?"
        parent = f"{chat_id}-{n - 1}" if n else None
        made.append(entry_record(Entry(f"{chat_id}-{n}", chat_id, parent, "assistant" if n % 2 else "user", text, n)))
    return made


def fill(page: ChatPage) -> None:
    sizes = {"empty": 0, "long": LONG} | {f"short-{n}": SHORT for n in range(CHATS - 2)}
    for at, (chat_id, count) in enumerate(sizes.items()):
        head = f"{chat_id}-{count - 1}" if count else None
        chat = Chat(chat_id, at, at, f"Conversation {at}", head=head)
        puts = {"chats": [chat_record(chat, 1)], "messages": messages(chat_id, count)}
        page.python("op", name="db.write", payload={"puts": puts, "deletes": {}, "expect": []})


def cpu_ms(page: ChatPage) -> float:
    metrics = page.cdp.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration")


def at_rest(page: ChatPage) -> float:
    """The CPU time used so far, once nothing more is used."""
    while True:
        before = cpu_ms(page)
        time.sleep(REST_S)
        if (after := cpu_ms(page)) - before < 5:
            return after


def cost(page: ChatPage, name: str, **arguments: str) -> float:
    before = at_rest(page)
    page.python(name, **arguments)
    return at_rest(page) - before


def median(costs: list[float]) -> float:
    return sorted(costs)[len(costs) // 2]


def row(what: str, ms: float, bar: float | None = None) -> bool:
    print(f"| {what} | {ms:.0f} ms | {f'{bar:.0f} ms' if bar else ''} |", flush=True)
    return bar is None or ms <= bar


def measure(page: ChatPage) -> bool:
    print("| main-thread CPU of | median | bar |")
    print("|---|--:|--:|")
    opened: dict[str, list[float]] = {"empty": [], "short-1": [], "long": []}
    for _ in range(ROUNDS):
        for chat_id, costs in opened.items():
            costs.append(cost(page, "open_chat", chat_id=chat_id))
    empty = median(opened["empty"])
    fine = [row("opening an empty conversation", empty), row("opening one of 10 messages", median(opened["short-1"]))]
    fine.append(row(f"opening one of {LONG} messages, above an empty one", median(opened["long"]) - empty, OPEN_MS))
    fine.append(row(f"listing {CHATS} conversations", cost(page, "listed")))
    costs = [cost(page, "search", query=query) for query in QUERIES]
    fine.append(row(f"a keystroke of the search over {CHATS}, the worst", max(costs), SEARCH_MS))
    return all(fine)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chats", description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="a built site")
    folder = parser.parse_args().site.resolve()
    with driven_site(folder) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = ChatPage.open(context, site.url)
        fill(page)
        page.page.close()
        page = ChatPage.open(context, site.url)
        page.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        fine = measure(page)
        browser.close()
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
