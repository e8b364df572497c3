"""The words of models, storage and figures: the languages' third page."""
