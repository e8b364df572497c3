"""Schemas to ask documents with: 200 that must always be answered, and those that must be refused up front."""
