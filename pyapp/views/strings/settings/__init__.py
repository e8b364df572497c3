"""The words of settings, personas, import and export, and the keyboard: the languages' second page."""
