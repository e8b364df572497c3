"""The one error of the converter."""


class ConvertError(Exception):
    """The input cannot be converted; the message is one sentence for the person who ran the command."""
