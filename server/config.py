"""What an operator can set, by environment variables: one field each, with its default, its limits and its meaning.

`load` turns an environment into Settings or raises ConfigError, one sentence that names what is wrong. A variable
that holds a secret can be a file instead: GROQ_API_KEY_FILE=/run/secrets/groq. Empty means not set.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from server import values
from server.providers import PRESETS, Provider, from_environment
from server.values import ConfigError, Environment, Secret, Variable

ROOT = Path(__file__).resolve().parents[1]


def setting(parse: Callable[[str], object], default: object, meaning: str, **more: Any) -> Any:
    """A field of Settings; `more` are aliases and secret, as in Variable."""
    return field(default=default, metadata={"variable": Variable("", parse, meaning, **more)})


@dataclass(frozen=True, slots=True)
class Settings:
    # ---- serving ----
    host: str = setting(values.text, "127.0.0.1", "Address to listen on; 0.0.0.0 is every one this machine has.")
    port: int = setting(values.whole(0, 65535), 8000, "Port to listen on; 0 takes a free one.", aliases=("API_PORT",))
    public_host: tuple[str, ...] = setting(values.names, (), "Names this server answers to beside localhost.")
    site_dir: Path = setting(values.folder, ROOT / "build" / "site", "Folder of the built site.")
    workers: int = setting(values.whole(1, 64), 1, "Processes. With the relay more than one needs REDIS_URL.")
    tls_cert_file: Path | None = setting(values.file, None, "Certificate chain (PEM): serves HTTPS itself.")
    tls_key_file: Path | None = setting(values.file, None, "Its private key (PEM).")
    model_servers: tuple[str, ...] = setting(
        values.sources, (), "Origins the page may use as a model server beside those on the visitor's own computer."
    )
    forwarded_allow_ips: tuple[str, ...] = setting(
        values.addresses, (), "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed (addresses, networks)."
    )
    log_level: str = setting(values.one_of("debug", "info", "warning", "error"), "info", "How much is logged, as JSON.")
    header_timeout_s: float = setting(values.number(0.1, 600), 10.0, "A request's headers must be there by then.")
    body_timeout_s: float = setting(values.number(0.1, 600), 30.0, "And its body.")
    send_timeout_s: float = setting(values.number(0.1, 600), 30.0, "A client that reads nothing for so long is left.")
    # ---- the relay ----
    cloud_enabled: bool = setting(values.flag, False, "1: relay chats to the providers below. 0 is the kill switch.")
    providers: tuple[str, ...] = setting(
        values.names, (), "Their order. Empty: every one that has a key or an address."
    )
    access_token: Secret | None = setting(
        values.secret, None, "Who uses the relay must send it as Bearer.", secret=True
    )
    allow_lan: bool = setting(values.flag, False, "1: relay for anyone who reaches this server, without ACCESS_TOKEN.")
    allow_http_upstream: bool = setting(values.flag, False, "1: providers on other machines may be plain http.")
    cors_origins: tuple[str, ...] = setting(values.origins, (), "Other sites whose pages may use the relay.")
    redis_url: Secret | None = setting(values.secret, None, "Limits and breakers hold across processes.", secret=True)
    metrics_token: Secret | None = setting(values.secret, None, "GET /metrics exists, for this Bearer.", secret=True)
    # ---- what may be asked ----
    max_body_bytes: int = setting(values.whole(1024, 1 << 24), 65536, "Longest request.")
    max_messages: int = setting(
        values.whole(1, 1000), 50, "Most messages in one request.", aliases=("MAX_HISTORY_MESSAGES",)
    )
    max_message_chars: int = setting(values.whole(1, 1 << 24), 16_000, "Longest message.")
    max_total_chars: int = setting(values.whole(1, 1 << 24), 32_000, "All messages of a request together.")
    max_tokens: int = setting(values.whole(1, 1 << 20), 1024, "Longest answer.", aliases=("MAX_NEW_TOKENS",))
    temperature: float | None = setting(values.number(0, 2), None, "Where the request does not say.")
    top_p: float | None = setting(values.number(0.001, 1), None, "Where the request does not say.")
    # ---- patience ----
    connect_timeout_s: float = setting(values.number(0.01, 60), 3.0, "Until a provider is connected.")
    first_token_timeout_s: float = setting(values.number(0.01, 600), 15.0, "Until its first word.")
    local_first_token_timeout_s: float = setting(
        values.number(0.01, 600), 60.0, "The same of a local server, which may load the model first."
    )
    idle_timeout_s: float = setting(values.number(0.01, 600), 45.0, "Longest silence within an answer.")
    total_timeout_s: float = setting(
        values.number(0.01, 3600), 120.0, "Longest answer.", aliases=("GENERATION_TIMEOUT_S",)
    )
    failover_budget_s: float = setting(values.number(0, 600), 20.0, "No other provider is tried after this long.")
    max_attempts: int = setting(values.whole(1, 10), 3, "Providers and models tried for one request.")
    heartbeat_s: float = setting(values.number(0.01, 600), 15.0, "A comment in the stream after so much silence.")
    # ---- budgets; a day is UTC's ----
    requests_per_minute: int = setting(values.whole(1, 1 << 31), 20, "Of one client.")
    requests_per_day: int = setting(values.whole(1, 1 << 31), 200, "Of one client.")
    tokens_per_day: int = setting(values.whole(1, 1 << 40), 50_000, "Of one client, read and written.")
    total_requests_per_minute: int = setting(values.whole(1, 1 << 31), 30, "Of all clients together.")
    total_requests_per_day: int = setting(values.whole(1, 1 << 31), 1000, "Of all clients together.")
    total_tokens_per_day: int = setting(values.whole(1, 1 << 40), 200_000, "Of all clients together.")
    concurrent_per_client: int = setting(values.whole(1, 100_000), 2, "Answers at a time of one client.")
    concurrent_total: int = setting(values.whole(1, 100_000), 16, "Answers at a time of all clients.")
    breaker_failures: int = setting(values.whole(1, 1000), 5, "In a row, then a provider rests.")
    breaker_open_s: float = setting(values.number(0.01, 3600), 30.0, "Its first rest; each next is twice as long.")

    upstreams: tuple[Provider, ...] = ()  # in the operator's order; empty: there is no relay

    @property
    def is_public(self) -> bool:
        """Whether others than this machine can reach it."""
        return self.host != "localhost" and not is_loopback(self.host)

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert_file else "http"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load(environment: Mapping[str, str]) -> Settings:
    """Raises ConfigError."""
    env = Environment(environment)
    read = {}
    for item, variable in settable():
        value = env.value(variable)
        if value is not None:
            read[item.name] = value
    settings = Settings(**read)
    if settings.cloud_enabled:
        settings = replace(settings, upstreams=from_environment(env, settings.providers, settings.allow_http_upstream))
    check(settings)
    return settings


def settable() -> Iterator[tuple[Field[Any], Variable]]:
    for item in fields(Settings):
        if "variable" in item.metadata:
            yield item, replace(item.metadata["variable"], name=item.name.upper())


def variables() -> list[Variable]:
    """Everything there is to set; .env.example explains each."""
    return [variable for _, variable in settable()] + [v for preset in PRESETS.values() for v in preset.variables()]


def check(settings: Settings) -> None:
    """What is wrong only together."""
    if (settings.tls_cert_file is None) != (settings.tls_key_file is None):
        raise ConfigError("TLS_CERT_FILE and TLS_KEY_FILE belong together: set both or neither.")
    if settings.tls_cert_file and settings.tls_key_file:
        check_certificate(settings.tls_cert_file, settings.tls_key_file)
    if not settings.upstreams:
        return
    if settings.is_public and not (settings.access_token or settings.allow_lan):
        raise ConfigError(
            f"HOST is {settings.host}, so others could spend your providers' credit: "
            "set ACCESS_TOKEN, or ALLOW_LAN=1 if that is meant."
        )
    if settings.workers > 1 and settings.redis_url is None:
        raise ConfigError(f"WORKERS is {settings.workers}, and limits hold within one process only: set REDIS_URL.")


def check_certificate(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        mismatch = "KEY_VALUES_MISMATCH" in str(error)
        reason = "is not the key of the certificate in" if mismatch else "cannot be used with"
        raise ConfigError(f"TLS_KEY_FILE ({key}) {reason} TLS_CERT_FILE ({certificate}).") from error


def described(settings: Settings) -> Iterator[str]:
    """The effective configuration, for people; a secret shows only that it is there."""
    for item, variable in settable():
        yield f"{variable.name}={values.shown(getattr(settings, item.name))}"
    yield ""
    if not settings.cloud_enabled:
        yield "The relay is off: CLOUD_ENABLED is not 1."
    for place, provider in enumerate(settings.upstreams, 1):
        key = "with a key" if provider.api_key else "without a key"
        models = ", ".join(provider.models) or "whatever it lists first"
        yield f"Provider {place}: {provider.name} ({provider.title}) at {provider.base_url}, {key}: {models}"
