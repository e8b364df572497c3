"""What OpenAI-compatible servers say, read without trusting any of them. Bytes in, values or errors out; no I/O.

    sse.py         bytes -> events of a text/event-stream
    thoughts.py    text -> what the model thinks, what it answers
    chat_stream.py bytes of one answer -> TextDelta, ReasoningDelta, Ended
    refusal.py     an error object, or a status and its body -> the exception to raise
    models.py      the body of GET /models -> which models there are

The page's engine and the server's relay both read with these. No sentence of a server gets into an exception:
servers quote the prompt in them. Numbers and identifiers do.
"""
