"""Answers that are JSON and validate: what may be asked for, what grows, what is mended."""
