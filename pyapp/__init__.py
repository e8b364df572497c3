"""Candil's application: everything the page decides, in Python.

Layers, an arrow may only point down (import-linter enforces it):

    browser             the only place that imports js / pyodide / pyscript
    views               values -> HTML text, Markdown, the languages
    engines | chat      pure translators to the seam | conversations, context window, session
    engine              the contract: Message, GenerateRequest, events, Engine, Transport
    models              manifest, capabilities, download plan, store
    errors              the error tree, code <-> class

Everything but `browser` runs and is tested in CPython without a fake `js`.
"""
