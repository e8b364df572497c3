"""Exports as other programs write them, reduced to what matters."""

from __future__ import annotations

from typing import Any

OPEN_WEBUI: list[Any] = [
    {
        "id": "x",
        "title": "Sea",
        "pinned": True,
        "created_at": 1_700_000_000,
        "updated_at": 1_700_000_100,
        "chat": {
            "title": "Sea",
            "history": {
                "currentId": "3",
                "messages": {
                    "1": {
                        "id": "1",
                        "parentId": None,
                        "childrenIds": ["2", "3"],
                        "role": "user",
                        "content": "Tell me of the sea",
                        "timestamp": 1_700_000_001,
                        "files": [
                            {"type": "file", "name": "sea.txt", "file": {"data": {"content": "waves"}}},
                            {"type": "image", "url": "data:image/png;base64,AA"},
                        ],
                    },
                    "2": {
                        "id": "2",
                        "parentId": "1",
                        "role": "assistant",
                        "content": "It is wet",
                        "timestamp": 1_700_000_002,
                    },
                    "3": {
                        "id": "3",
                        "parentId": "1",
                        "role": "assistant",
                        "content": "It is salt",
                        "timestamp": 1_700_000_003,
                    },
                },
            },
        },
    },
    {
        "chat": {
            "title": "",
            "timestamp": 1_600_000_000_000,
            "messages": [{"role": "user", "content": "Old"}, {"role": "assistant", "content": "Form"}],
        }
    },
]

LLAMA_CPP: list[Any] = [
    {
        "conv": {"id": "c", "name": "Sky", "lastModified": 1_700_000_000_000, "currNode": "m2"},
        "messages": [
            {
                "id": "r",
                "convId": "c",
                "type": "root",
                "role": "system",
                "content": "",
                "parent": None,
                "children": ["m1"],
            },
            {
                "id": "m1",
                "convId": "c",
                "type": "text",
                "role": "user",
                "content": "Why is it blue?",
                "timestamp": 1_700_000_000_001,
                "parent": "r",
                "extra": [
                    {"type": "TEXT", "name": "sky.txt", "content": "blue"},
                    {"type": "IMAGE", "base64Url": "data:"},
                ],
            },
            {
                "id": "m2",
                "convId": "c",
                "type": "text",
                "role": "assistant",
                "content": "Air",
                "reasoningContent": "Light scatters",
                "timestamp": 1_700_000_000_002,
                "parent": "m1",
            },
        ],
    }
]

LLAMA_CPP_DEXIE: dict[str, Any] = {
    "formatName": "dexie",
    "formatVersion": 1,
    "data": {
        "data": [
            {
                "tableName": "conversations",
                "rows": [{"id": "conv-1", "name": "Sky", "lastModified": 1, "currNode": 12}],
            },
            {
                "tableName": "messages",
                "rows": [
                    {"id": 10, "convId": "conv-1", "type": "root", "content": "", "parent": -1},
                    {"id": 11, "convId": "conv-1", "type": "text", "role": "user", "content": "Why?", "parent": 10},
                    {"id": 12, "convId": "conv-1", "type": "text", "role": "assistant", "content": "Air", "parent": 11},
                    {
                        "id": 99,
                        "convId": "conv-2",
                        "type": "text",
                        "role": "user",
                        "content": "Elsewhere",
                        "parent": -1,
                    },
                ],
            },
        ]
    },
}

LLAMA_CPP_OLD: dict[str, Any] = {
    "id": "conv-1",
    "lastModified": 1_700_000_000_500,
    "messages": [
        {"id": 1_700_000_000_000, "role": "user", "content": "Why?"},
        {"id": 1_700_000_000_400, "role": "assistant", "content": "Air"},
    ],
}

CHATGPT: list[Any] = [
    {
        "title": "Stars",
        "create_time": 1_700_000_000.5,
        "update_time": 1_700_000_100.5,
        "current_node": "a",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["s"]},
            "s": {
                "message": {"author": {"role": "system"}, "content": {"content_type": "text", "parts": [""]}},
                "parent": "root",
            },
            "u": {
                "message": {
                    "author": {"role": "user"},
                    "create_time": 1_700_000_001.25,
                    "content": {
                        "content_type": "multimodal_text",
                        "parts": [{"content_type": "image_asset_pointer"}, {"text": "spoken"}, "How far?"],
                    },
                },
                "parent": "s",
            },
            "hidden": {
                "message": {
                    "author": {"role": "user"},
                    "metadata": {"is_visually_hidden_from_conversation": True},
                    "content": {"content_type": "text", "parts": ["secret"]},
                },
                "parent": "u",
            },
            "tool": {
                "message": {
                    "author": {"role": "assistant"},
                    "recipient": "python",
                    "content": {"content_type": "code", "text": "1+1"},
                },
                "parent": "hidden",
            },
            "thought": {
                "message": {"author": {"role": "assistant"}, "content": {"content_type": "thoughts", "thoughts": []}},
                "parent": "tool",
            },
            "a": {
                "message": {
                    "author": {"role": "assistant"},
                    "recipient": "all",
                    "content": {"content_type": "text", "parts": ["Four light years"]},
                },
                "parent": "thought",
            },
        },
    }
]

ALL: dict[str, Any] = {
    "open_webui": OPEN_WEBUI,
    "llama_cpp": LLAMA_CPP,
    "llama_cpp_dexie": LLAMA_CPP_DEXIE,
    "llama_cpp_old": LLAMA_CPP_OLD,
    "chatgpt": CHATGPT,
}
