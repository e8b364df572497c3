"""One contract for the counters, in memory and in Redis; what is built on them: budgets and breakers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from server.breaker import Breaker
from server.config import Settings
from server.errors import ApiError
from server.limits import Limits, client_of
from server.store import Charge, MemoryStore, RedisStore, Store
from tests.server.redis_server import redis_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    made: Store = MemoryStore()
    if request.param == "redis":
        shared = RedisStore.at(request.getfixturevalue("redis_url"))
        await shared._client.flushall()
        made = shared
    yield made
    await made.close()


async def test_all_charges_or_none(store: Store) -> None:
    both = [Charge("a", 1, 3, 60), Charge("b", 2, 4, 60)]
    assert await store.charge(both) is None
    assert await store.charge(both) is None
    assert await store.charge(both) == 1  # b would be 6
    assert await store.charge([both[0]]) is None  # so a was not charged
    assert await store.charge([both[0]]) == 0


async def test_a_charge_is_atomic(store: Store) -> None:
    made = await asyncio.gather(*(store.charge([Charge("k", 1, 100, 60)]) for _ in range(300)))
    assert made.count(None) == 100


async def test_counters_are_forgotten_and_do_not_go_below_zero(store: Store) -> None:
    assert await store.add("k", 2, 0.15) == 2
    assert await store.add("k", 1, 60) == 3  # the time runs from the first
    assert await store.add("k", -9, 60) == 0
    await asyncio.sleep(0.2)
    assert await store.get("k") is None
    assert await store.charge([Charge("c", 5, 5, 0.15)]) is None
    await asyncio.sleep(0.2)
    assert await store.charge([Charge("c", 5, 5, 0.15)]) is None


async def test_values_and_claims(store: Store) -> None:
    await store.put("v", 1234.5, 60)
    assert await store.get("v") == 1234.5
    assert await store.claim("p", 60)
    assert not await store.claim("p", 60)
    await store.drop("p", "v", "never")
    assert await store.claim("p", 60)
    assert await store.get("v") is None


async def test_memory_is_swept() -> None:
    now = [0.0]
    store = MemoryStore(lambda: now[0])
    for number in range(10_000):
        await store.add(str(number), 1, 1)
    now[0] = 2.0
    for number in range(20):
        await store.add(f"new {number}", 1, 1)
    assert len(store._values) < 100


# ---- budgets ----

TIGHT = Settings(
    requests_per_minute=3,
    requests_per_day=5,
    tokens_per_day=1000,
    total_requests_per_minute=8,
    total_requests_per_day=9,
    total_tokens_per_day=1500,
    concurrent_per_client=2,
    concurrent_total=3,
)
DAY = 20_000 * 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = DAY + 30.0

    def __call__(self) -> float:
        return self.now


async def ask(limits: Limits, address: str = "10.0.0.1", tokens: int = 10, spent: int | None = None) -> str:
    try:
        async with limits.admitted(address, tokens) as admission:
            if spent is not None:
                admission.settle(spent)
    except ApiError as error:
        return f"{error.code} {error.retry_after_s or -1:g}"
    return "ok"


async def test_requests_per_minute_and_day(store: Store) -> None:
    clock = Clock()
    limits = Limits(TIGHT, store, clock)
    assert [await ask(limits) for _ in range(4)] == ["ok", "ok", "ok", "rate_limited 30"]
    assert await ask(limits, "10.0.0.2") == "ok"  # another client
    clock.now += 30
    assert [await ask(limits) for _ in range(3)] == ["ok", "ok", "rate_limited 86340"]
    clock.now = DAY + 86_400
    assert await ask(limits) == "ok"


async def test_all_clients_together(store: Store) -> None:
    limits = Limits(TIGHT, store, Clock())
    answers = [await ask(limits, f"10.0.0.{n}") for n in range(10)]
    assert answers == ["ok"] * 8 + ["rate_limited 30"] * 2


async def test_tokens_are_charged_before_and_settled_after(store: Store) -> None:
    limits = Limits(TIGHT, store, Clock())
    assert await ask(limits, tokens=1001) == "tokens_exhausted 86370"
    assert await ask(limits, tokens=900, spent=100) == "ok"
    assert await ask(limits, tokens=900, spent=950) == "ok"
    assert await ask(limits, tokens=1) == "tokens_exhausted 86370"
    assert await ask(limits, "10.0.0.2", tokens=451) == "tokens_exhausted 86370"  # 450 of 1500 are left for all
    assert await ask(limits, "10.0.0.2", tokens=450) == "ok"


async def test_answers_at_a_time(store: Store) -> None:
    limits = Limits(TIGHT, store, Clock())
    async with limits.admitted("10.0.0.1", 1), limits.admitted("10.0.0.1", 1):
        assert await ask(limits) == "too_many_at_once 1"
        async with limits.admitted("10.0.0.2", 1):
            assert await ask(limits, "10.0.0.3") == "too_many_at_once 1"
        assert await ask(limits, "10.0.0.3") == "ok"
    assert await ask(limits) == "ok"


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("unix", "unknown"),
    ],
)
def test_whom_an_address_belongs_to(address: str, client: str) -> None:
    assert client_of(address) == client


# ---- breakers ----


def breaker(store: Store, clock: Clock) -> Breaker:
    return Breaker(store, failures=3, open_s=30, clock=clock, uniform=lambda low, high: (low + high) / 2)


async def test_it_rests_after_failures_in_a_row_each_time_longer(store: Store) -> None:
    clock = Clock()
    b = breaker(store, clock)
    for _ in range(2):
        await b.failed("p")
        assert await b.seconds_blocked("p") == 0
    await b.failed("p")
    rests = []
    for _ in range(6):
        rests.append(round(await b.seconds_blocked("p")))
        clock.now += rests[-1] + 1
        assert await b.seconds_blocked("p") == 0  # one may try
        assert await b.seconds_blocked("p") > 0  # the others wait
        await b.failed("p")
    assert rests == [30, 60, 120, 240, 300, 300]
    assert await b.seconds_blocked("other") == 0


async def test_a_success_closes_it(store: Store) -> None:
    clock = Clock()
    b = breaker(store, clock)
    for _ in range(3):
        await b.failed("p")
    clock.now += 31
    assert await b.seconds_blocked("p") == 0
    await b.succeeded("p")
    assert [await b.seconds_blocked("p") for _ in range(3)] == [0, 0, 0]
    for _ in range(2):
        await b.failed("p")
    assert await b.seconds_blocked("p") == 0


async def test_a_try_that_said_nothing_leaves_it_to_the_next(store: Store) -> None:
    clock = Clock()
    b = breaker(store, clock)
    for _ in range(3):
        await b.failed("p")
    clock.now += 31
    assert await b.seconds_blocked("p") == 0
    await b.released("p")
    assert await b.seconds_blocked("p") == 0


async def test_half_of_many_is_too_many(store: Store) -> None:
    b = breaker(store, Clock())
    for _ in range(5):
        await b.succeeded("p")
        await b.failed("p")
    assert await b.seconds_blocked("p") > 0


async def test_who_is_full_is_left_alone(store: Store) -> None:
    clock = Clock()
    b = breaker(store, clock)
    await b.block("p", 17)
    assert await b.seconds_blocked("p") == 17
    clock.now += 18
    assert [await b.seconds_blocked("p") for _ in range(2)] == [0, 0]  # healthy: nobody has to try first
