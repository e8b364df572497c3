"""What an operator sets, and what they are told when it cannot be."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from server import config, dotenv, foundry
from server.config import Settings, load
from server.providers import PRESETS
from server.values import ConfigError, Secret
from tests.server.conftest import make_certificate

EXAMPLE = (config.ROOT / ".env.example").read_text("utf-8")
CLOUD = {"CLOUD_ENABLED": "1", "GROQ_API_KEY": "gsk_x"}


def refused(**environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(environment)
    return str(caught.value)


def test_nothing_set_is_files_for_this_machine() -> None:
    settings = load({})
    assert (settings.host, settings.port, settings.upstreams) == ("127.0.0.1", 8000, ())
    assert load({"PORT": "", "CORS_ORIGINS": " "}) == settings


def test_the_example_explains_everything_there_is() -> None:
    explained = dict(re.findall(r"^#([A-Z]\w*)=(.*)$", EXAMPLE, re.MULTILINE))
    assert set(explained) == {variable.name for variable in config.variables()}
    for variable in config.variables():
        lines = EXAMPLE.splitlines()
        comment = lines[next(n for n, line in enumerate(lines) if line.startswith(f"#{variable.name}=")) - 1]
        assert variable.meaning in comment
        assert all(alias in comment for alias in variable.aliases)
        assert ("(secret)" in comment) is variable.secret


def test_the_example_shows_the_defaults() -> None:
    uncommented = re.sub(r"^#(?=[A-Z]\w*=)", "", EXAMPLE, flags=re.MULTILINE)
    values = {name: value for name, value in dotenv.parse(uncommented).items() if name in own_names()}
    assert load(values) == Settings()


def own_names() -> set[str]:
    return {variable.name for _, variable in config.settable()} - {"SITE_DIR"}


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("API_PORT", "9000", "port", 9000),
        ("MAX_HISTORY_MESSAGES", "10", "max_messages", 10),
        ("MAX_NEW_TOKENS", "99", "max_tokens", 99),
        ("GENERATION_TIMEOUT_S", "9.5", "total_timeout_s", 9.5),
        ("TEMPERATURE", "0.3", "temperature", 0.3),
        ("TOP_P", "0.9", "top_p", 0.9),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
        (
            "CORS_ORIGINS",
            "https://a.example, https://b.example:8443",
            "cors_origins",
            ("https://a.example", "https://b.example:8443"),
        ),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/8, ::1", "forwarded_allow_ips", ("10.0.0.0/8", "::1")),
        ("ALLOW_LAN", "yes", "allow_lan", True),
        ("MODEL_SERVERS", "https://a.example http://b:1", "model_servers", ("https://a.example", "http://b:1")),
    ],
)
def test_a_value_arrives(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(load({name: value}), field) == expected


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "http"}, "PORT is not a whole number from 0 to 65535: http"),
        ({"PORT": "65536"}, "PORT is not a whole number"),
        ({"PORT": "٣"}, "PORT is not a whole number"),
        ({"API_PORT": "x"}, "API_PORT is not a whole number"),
        ({"PORT": "1", "API_PORT": "2"}, "PORT and API_PORT mean the same and differ"),
        ({"TEMPERATURE": "nan"}, "TEMPERATURE is not a number from 0 to 2: nan"),
        ({"TOP_P": "0"}, "TOP_P is not a number"),
        ({"CLOUD_ENABLED": "maybe"}, "CLOUD_ENABLED is neither 1 nor 0: maybe"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is none of debug, info, warning, error: loud"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS is not a list of origins"),
        ({"CORS_ORIGINS": "https://a.example/"}, "CORS_ORIGINS is not a list of origins"),
        ({"CORS_ORIGINS": "null"}, "CORS_ORIGINS is not a list of origins"),
        ({"FORWARDED_ALLOW_IPS": "*"}, "FORWARDED_ALLOW_IPS is not a list of addresses or networks"),
        *(
            ({"MODEL_SERVERS": wrong}, "MODEL_SERVERS is not a list of origins")
            for wrong in ("*", "https:", "https://a;script-src", "'unsafe-eval'", "https://a/path", "a.example")
        ),
        ({"TLS_CERT_FILE": "/nowhere.pem"}, "TLS_CERT_FILE is not a file: /nowhere.pem"),
        ({"CLOUD_ENABLED": "1"}, "there is no provider"),
        ({"CLOUD_ENABLED": "1", "PROVIDERS": "groq"}, "GROQ_API_KEY is not set, and groq is in use."),
        ({"CLOUD_ENABLED": "1", "PROVIDERS": "mine"}, "MINE_BASE_URL is not set, and mine is in use."),
        ({"CLOUD_ENABLED": "1", "PROVIDERS": "a b"}, "PROVIDERS names a provider that can be none: a b"),
        (CLOUD | {"PROVIDERS": "groq, Groq"}, "PROVIDERS names groq twice"),
        (CLOUD | {"GROQ_BASE_URL": "http://api.groq.example/v1"}, "GROQ_BASE_URL is plain http to another machine"),
        (CLOUD | {"GROQ_BASE_URL": "https://u:p@api.example"}, "GROQ_BASE_URL is not an address"),
        (CLOUD | {"GROQ_BASE_URL": "file:///etc/passwd"}, "GROQ_BASE_URL is not an address"),
        (CLOUD | {"GROQ_BASE_URL": "https://api.example/v1?x=1"}, "GROQ_BASE_URL is not an address"),
        (CLOUD | {"GROQ_BASE_URL": "https://[bad/v1"}, "GROQ_BASE_URL is not an address"),
        (CLOUD | {"GROQ_BASE_URL": "https://api.example:99999/v1"}, "GROQ_BASE_URL is not an address"),
        (CLOUD | {"HOST": "0.0.0.0"}, "HOST is 0.0.0.0, so others could spend your providers' credit"),
        (CLOUD | {"WORKERS": "2"}, "WORKERS is 2, and limits hold within one process only: set REDIS_URL."),
        ({"HF_TOKEN": "a", "HUGGINGFACE_API_KEY": "b"} | CLOUD, "HUGGINGFACE_API_KEY and HF_TOKEN mean the same"),
    ],
)
def test_what_is_wrong_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    told = refused(**environment)
    assert sentence in told
    assert "\n" not in told


def test_a_key_with_a_newline_is_refused_and_not_shown() -> None:
    told = refused(CLOUD_ENABLED="1", GROQ_API_KEY="gsk_canary\nX-Evil: 1")
    assert "GROQ_API_KEY has a line break" in told
    assert "canary" not in told


def test_a_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("gsk_file\n")
    key = load({"CLOUD_ENABLED": "1", "GROQ_API_KEY_FILE": str(tmp_path / "key")}).upstreams[0].api_key
    assert key is not None
    assert key.reveal() == "gsk_file"
    assert "both set" in refused(**CLOUD, GROQ_API_KEY_FILE=str(tmp_path / "key"))
    assert "cannot be read" in refused(CLOUD_ENABLED="1", GROQ_API_KEY_FILE=str(tmp_path / "none"))
    (tmp_path / "key").write_text("two\nlines\n")
    assert "line break" in refused(CLOUD_ENABLED="1", GROQ_API_KEY_FILE=str(tmp_path / "key"))


def test_a_key_alone_does_not_switch_the_relay_on() -> None:
    settings = load({"GROQ_API_KEY": "gsk_x"})
    assert settings.upstreams == ()
    assert "The relay is off: CLOUD_ENABLED is not 1." in config.described(settings)


def test_providers_come_in_the_operators_order() -> None:
    keys = {"GROQ_API_KEY": "a", "TOGETHER_API_KEY": "b", "HF_TOKEN": "c", "CLOUD_ENABLED": "1"}
    assert [p.name for p in load(keys).upstreams] == ["groq", "together", "huggingface"]
    named = load(keys | {"PROVIDERS": "Together,mine,ollama", "MINE_BASE_URL": "https://mine.example/v1/"}).upstreams
    assert [p.name for p in named] == ["together", "mine", "ollama"]
    assert named[1].base_url == "https://mine.example/v1"
    assert [p.is_local for p in named] == [False, False, True]


def test_the_names_of_other_programs() -> None:
    (custom,) = load(
        {"CLOUD_ENABLED": "1", "BASE_URL": "http://127.0.0.1:8080/v1", "MODEL": "tiny", "API_KEY": "k"}
    ).upstreams
    assert (custom.name, custom.models) == ("custom", ("tiny",))


def test_who_may_listen_to_everyone() -> None:
    public = CLOUD | {"HOST": "0.0.0.0"}
    assert load(public | {"ALLOW_LAN": "1"}).is_public
    assert load(public | {"ACCESS_TOKEN": "t"}).is_public
    assert load({"HOST": "0.0.0.0"}).is_public
    assert not load({"HOST": "::1"}).is_public


def test_a_certificate_and_a_key_that_do_not_match(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    other = tmp_path / "other.pem"
    make_certificate(tmp_path / "unused.pem", other)
    told = refused(TLS_CERT_FILE=str(certificate[0]), TLS_KEY_FILE=str(other))
    assert f"TLS_KEY_FILE ({other}) is not the key of the certificate in TLS_CERT_FILE ({certificate[0]})." == told
    other.write_text("no key")
    assert "cannot be used with" in refused(TLS_CERT_FILE=str(certificate[0]), TLS_KEY_FILE=str(other))
    assert "belong together" in refused(TLS_CERT_FILE=str(certificate[0]))
    assert load({"TLS_CERT_FILE": str(certificate[0]), "TLS_KEY_FILE": str(certificate[1])}).scheme == "https"


def test_a_secret_shows_itself_to_nobody() -> None:
    settings = load(CLOUD | {"ACCESS_TOKEN": "canary-token", "GROQ_API_KEY": "gsk_canary"})
    for text in (repr(settings), str(settings), f"{Secret('canary')}", "\n".join(config.described(settings))):
        assert "canary" not in text


def test_foundrys_port_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert foundry.address() is None
    assert "FOUNDRY_BASE_URL is not set" in refused(CLOUD_ENABLED="1", PROVIDERS="foundry")
    program = tmp_path / "foundry"
    program.write_text("#!/bin/sh\necho Model management service is running on http://127.0.0.1:51211/openai/status\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (found,) = load({"CLOUD_ENABLED": "1", "PROVIDERS": "foundry"}).upstreams
    assert found.base_url == "http://127.0.0.1:51211/v1"


def test_every_preset_that_is_local_may_be_plain_http() -> None:
    for preset in PRESETS.values():
        if preset.base_url.startswith("http:"):
            assert load({"CLOUD_ENABLED": "1", "PROVIDERS": preset.name}).upstreams[0].is_local


def test_the_env_file() -> None:
    text = "# comment\n\nPORT=81\nexport A = 'b c'\nB=\"x=y\"\nC='\n"
    assert dotenv.parse(text) == {"PORT": "81", "A": "b c", "B": "x=y", "C": "'"}
    with pytest.raises(ConfigError, match=r"Line 2 of \.env is not NAME=value"):
        dotenv.parse("A=1\nnonsense\n")
