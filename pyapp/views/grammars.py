"""Which grammar colours a language, by the names models give to it after a fence."""

from __future__ import annotations

NAMES = {
    "bash": "sh shell zsh console terminal",
    "c": "h",
    "cpp": "c++ cc cxx hpp",
    "csharp": "c# cs",
    "css": "",
    "diff": "patch",
    "dockerfile": "docker",
    "go": "golang",
    "ini": "toml conf cfg",
    "java": "",
    "javascript": "js jsx mjs node",
    "json": "jsonc json5",
    "kotlin": "kt",
    "lua": "",
    "makefile": "make",
    "markdown": "md",
    "php": "",
    "powershell": "ps1 pwsh",
    "python": "py python3",
    "r": "",
    "ruby": "rb",
    "rust": "rs",
    "sql": "sqlite postgresql mysql",
    "swift": "",
    "typescript": "ts tsx",
    "xml": "html svg xhtml",
    "yaml": "yml",
}
LONGEST_CHARS = 20_000  # longer code keeps one colour: colouring it would be felt

_BY_NAME = {name: grammar for grammar, others in NAMES.items() for name in (grammar, *others.split())}


def grammar_for(language: str, code_chars: int) -> str:
    """The grammar's name, or nothing."""
    return _BY_NAME.get(language.lower(), "") if code_chars <= LONGEST_CHARS else ""
