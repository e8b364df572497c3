"""Files of the user's as pages of text: plain text in the encodings there are, and PDF."""
