"""Asks the hub which files the catalog's entries are made of, and writes what it says into model_manifest.json."""
