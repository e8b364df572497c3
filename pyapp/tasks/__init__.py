"""Long work with a form before it and a document after it, in steps that can be paused, kept and gone on with."""
