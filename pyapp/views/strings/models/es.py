"""Spanish. One sentence per key; {names} are filled in by the views. Every key exists in every language."""

STRINGS: dict[str, str] = {
    "engine.transformers_js": "transformers.js (ONNX Runtime)",
    "stats.spent": "{tokens} tokens en {seconds} s",
    "stats.spent.one": "1 token en {seconds} s",
    "stats.private.text": "Nada de esta conversación se ha enviado a ningún sitio.",
    "stats.prefill": "Lectura",
    "stats.prefill.value": "{tokens} tokens en {seconds} s · {speed} tokens/s · otros {cached} seguían en memoria",
    "stats.decode": "Escritura",
    "stats.decode.value": "{tokens} tokens en {seconds} s · {speed} tokens/s",
    "stats.engine": "Motor",
    "stats.slow": "Ha tardado {seconds}; quieres como mucho {budget}.",
    "stats.advice.threads": "Aquí solo se puede usar un núcleo del procesador, porque el servidor de este sitio no aísla la página; quien lo administra puede cambiarlo.",
    "stats.advice.graphics_card": "Este dispositivo tiene una tarjeta gráfica que lo haría más rápido: mira en Modelos.",
    "stats.advice.long_context": "Casi todo el tiempo se fue en leer el chat anterior ({prompt} tokens): un chat nuevo o una ventana de contexto menor es más rápido.",
    "stats.advice.long_answer": "Ha sido una respuesta larga ({answer} tokens): pide una corta o baja el límite en Ajustes.",
    "stats.advice.smaller_model": "Un modelo más pequeño es más rápido: mira en Modelos.",
    "stats.advice.webgpu_browser": "Si este dispositivo tiene tarjeta gráfica, un navegador con WebGPU puede usarla.",
    "stats.advice.other_programs": "Puede que otros programas o el ahorro de energía frenen este dispositivo.",
    "figures.open": "Velocidades en este dispositivo",
}
