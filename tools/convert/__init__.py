"""GGUF in, a transformers.js model repository out: see `python -m tools.convert --help`."""
