"""Builds the site the browser gets, from site/, pyapp/ and the locked packages: `python -m tools.build`."""
