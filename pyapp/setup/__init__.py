"""From a page that has just opened to a model that answers: offer, download, load, fall back."""
