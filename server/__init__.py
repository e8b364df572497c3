"""Candil's server: the files, and the relay to a cloud where its operator wants one. It keeps no word of a chat.

Conversations are in memory while they are being answered and nowhere else: not in logs, metrics, errors or URLs.
"""
