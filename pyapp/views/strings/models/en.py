"""English. One sentence per key; {names} are filled in by the views. Every key exists in every language."""

STRINGS: dict[str, str] = {
    "engine.transformers_js": "transformers.js (ONNX Runtime)",
    "stats.spent": "{tokens} tokens in {seconds} s",
    "stats.spent.one": "1 token in {seconds} s",
    "stats.private.text": "Nothing of this conversation was sent anywhere.",
    "stats.prefill": "Reading",
    "stats.prefill.value": "{tokens} tokens in {seconds} s · {speed} tokens/s · {cached} more were still in memory",
    "stats.decode": "Writing",
    "stats.decode.value": "{tokens} tokens in {seconds} s · {speed} tokens/s",
    "stats.engine": "Engine",
    "stats.slow": "This took {seconds}; you would like at most {budget}.",
    "stats.advice.threads": "Only one processor core can be used here, because this site's server does not isolate the page; whoever runs it can change that.",
    "stats.advice.graphics_card": "This device has a graphics card that could do it faster: see Models.",
    "stats.advice.long_context": "Most of the time went into reading the chat so far ({prompt} tokens): a new chat or a smaller context window is faster.",
    "stats.advice.long_answer": "It was a long answer ({answer} tokens): ask for a short one, or set a lower limit in Settings.",
    "stats.advice.smaller_model": "A smaller model is faster: see Models.",
    "stats.advice.webgpu_browser": "If this device has a graphics card, a browser with WebGPU can use it.",
    "stats.advice.other_programs": "Other programs or power saving may be slowing this device down.",
    "figures.open": "Speeds on this device",
}
