"""What the model is told, in the language of the course.

Examples, because a model of 135 million parameters follows one where it does not follow a description. All of them are
about bread; what comes back out of them is not taken for an answer (`is_example`, `is_about_the_example`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyapp.engine import Json, Message
from pyapp.tasks.course.tidy import key


@dataclass(frozen=True, slots=True)
class Example:
    asked: str
    answer: Json


@dataclass(frozen=True, slots=True)
class Prompts:
    """`{names}` are filled in."""

    levels: Mapping[str, str]
    plans: str  # who the model is when it plans
    writes: str
    asks: str  # questions
    sets: str  # exercises
    outline: str
    outline_example: Example
    plan: str
    plan_example: Example
    title: str
    title_example: Example
    content: str
    text: str
    exercises_example: Example
    question_example: Example
    marks: Sequence[str]  # of what only the examples speak of
    another: str  # question
    others: str  # titles there are already
    material: str
    part: str  # of `name`, where the model found no name of its own
    nothing: str  # where it wrote nothing
    exercise: str
    about: str  # a question of last resort
    claim: str  # a question that says `question` and `answer`
    true: str
    false: str


_BREAD_EN = (
    "Yeast is a tiny fungus. It eats the sugar in the flour and gives off gas, and the gas makes the dough rise. "
    "In a cold kitchen this takes longer."
)
_EN = Prompts(
    levels={
        "beginner": "beginner",
        "intermediate": "intermediate",
        "advanced": "advanced",
        "children": "children of ten",
    },
    plans="You plan courses in English. You answer in JSON.",
    writes="You write the lessons of a course in clear, simple English.",
    asks="You write one quiz question about a text, in English. You answer in JSON.",
    sets="You write exercises about a text, in English. You answer in JSON.",
    outline="Topic: {topic}. Level: {level}. {modules} modules.",
    outline_example=Example(
        "Topic: bread. Level: beginner. 4 modules.",
        {
            "title": "Bread Baking from Scratch",
            "description": "Learn to bake good bread at home, from choosing the flour to taking out the loaf.",
            "modules": [
                "Flour, Water, Salt and Yeast",
                "Kneading and Rising",
                "Shaping and Baking the Loaf",
                "Common Problems and How to Solve Them",
            ],
        },
    ),
    plan="Course: {course}. Level: {level}. Module: {module}. {lessons} lessons.",
    plan_example=Example(
        "Course: Bread Baking from Scratch. Level: beginner. Module: Kneading and Rising. 3 lessons.",
        {
            "objectives": ["Knead a dough by hand", "Tell when a dough has risen enough"],
            "lessons": ["Why We Knead", "Kneading by Hand", "How Long a Dough Rises"],
        },
    ),
    title="Course: {course}. Level: {level}. Module: {module}. One more lesson.",
    title_example=Example(
        "Course: Bread Baking from Scratch. Level: beginner. Module: Kneading and Rising. One more lesson.",
        {"title": "Rising Overnight in the Fridge"},
    ),
    content=(
        "Course: {course}. Level: {level}. Module: {module}.\n"
        "Other lessons: {others}.\n"
        "Write the lesson “{lesson}” in three paragraphs: what it is about and why it matters, how it works with an "
        "example, and what to remember."
    ),
    text="Text: {text}",
    exercises_example=Example(
        f"Text: {_BREAD_EN}",
        {
            "exercises": [
                "Make two small doughs, leave one in the fridge and one in a warm place, and compare them.",
                "Explain in your own words what yeast does to the flour.",
            ]
        },
    ),
    question_example=Example(
        f"Text: {_BREAD_EN}",
        {
            "question": "What makes the dough rise?",
            "answer": "The gas that the yeast gives off",
            "wrong": ["The salt in the flour", "The heat of the hands", "The weight of the water"],
            "why": "Yeast eats the sugar in the flour and gives off gas, which lifts the dough.",
        },
    ),
    marks=("dough", "yeast", "loaf"),
    another="Another question, about something else in the text.",
    others=" Not these: {others}.",
    material="\n\nMaterial:\n{material}",
    part="{name}, part {n}",
    nothing="*The model wrote nothing for this lesson. Have it written again, or write it yourself.*",
    exercise="Explain “{title}” in your own words, with an example of your own.",
    about="Which of these is this lesson about?",
    claim="True or false? {question} {answer}",
    true="True",
    false="False",
)

_BREAD_ES = (
    "La levadura es un hongo diminuto. Se come el azúcar de la harina y suelta gas, y el gas hace crecer la masa. "
    "En una cocina fría tarda más."
)
_ES = Prompts(
    levels={
        "beginner": "principiante",
        "intermediate": "intermedio",
        "advanced": "avanzado",
        "children": "niños de diez años",
    },
    plans="Planeas cursos en español. Respondes en JSON.",
    writes="Escribes las lecciones de un curso en español claro y sencillo.",
    asks="Escribes una pregunta de examen sobre un texto, en español. Respondes en JSON.",
    sets="Escribes ejercicios sobre un texto, en español. Respondes en JSON.",
    outline="Tema: {topic}. Nivel: {level}. {modules} módulos.",
    outline_example=Example(
        "Tema: el pan. Nivel: principiante. 4 módulos.",
        {
            "title": "Hacer pan en casa",
            "description": "Aprende a hacer buen pan en casa, desde elegir la harina hasta sacar la barra del horno.",
            "modules": [
                "Harina, agua, sal y levadura",
                "Amasar y dejar reposar",
                "Dar forma y hornear",
                "Problemas comunes y cómo resolverlos",
            ],
        },
    ),
    plan="Curso: {course}. Nivel: {level}. Módulo: {module}. {lessons} lecciones.",
    plan_example=Example(
        "Curso: Hacer pan en casa. Nivel: principiante. Módulo: Amasar y dejar reposar. 3 lecciones.",
        {
            "objectives": ["Amasar a mano", "Saber cuándo ha crecido bastante la masa"],
            "lessons": ["Por qué se amasa", "Amasar a mano, paso a paso", "Cuánto tarda en crecer la masa"],
        },
    ),
    title="Curso: {course}. Nivel: {level}. Módulo: {module}. Una lección más.",
    title_example=Example(
        "Curso: Hacer pan en casa. Nivel: principiante. Módulo: Amasar y dejar reposar. Una lección más.",
        {"title": "Dejar la masa una noche en la nevera"},
    ),
    content=(
        "Curso: {course}. Nivel: {level}. Módulo: {module}.\n"
        "Otras lecciones: {others}.\n"
        "Escribe la lección «{lesson}» en tres párrafos: de qué trata y por qué importa, cómo es, con un ejemplo, y "
        "qué hay que recordar."
    ),
    text="Texto: {text}",
    exercises_example=Example(
        f"Texto: {_BREAD_ES}",
        {
            "exercises": [
                "Haz dos masas pequeñas, deja una en la nevera y otra en un sitio cálido, y compáralas.",
                "Explica con tus palabras qué le hace la levadura a la harina.",
            ]
        },
    ),
    question_example=Example(
        f"Texto: {_BREAD_ES}",
        {
            "question": "¿Qué hace crecer la masa?",
            "answer": "El gas que suelta la levadura",
            "wrong": ["La sal de la harina", "El calor de las manos", "El peso del agua"],
            "why": "La levadura se come el azúcar de la harina y suelta gas, que levanta la masa.",
        },
    ),
    marks=("dos masa", "levadura", "harina"),
    another="Otra pregunta, sobre otra cosa del texto.",
    others=" No estas: {others}.",
    material="\n\nMaterial:\n{material}",
    part="{name}, parte {n}",
    nothing="*El modelo no escribió nada para esta lección. Pídele que la escriba otra vez, o escríbela tú.*",
    exercise="Explica «{title}» con tus palabras y con un ejemplo tuyo.",
    about="¿De cuál de estos trata la lección?",
    claim="¿Verdadero o falso? {question} {answer}",
    true="Verdadero",
    false="Falso",
)

PROMPTS: Mapping[str, Prompts] = {"en": _EN, "es": _ES}


def asked(system: str, example: Example | None, *turns: str | Json) -> list[Message]:
    """`turns`: the user's and the assistant's by turns; what is JSON is written as such."""
    shown = (example.asked, example.answer) if example else ()
    said = [turn if isinstance(turn, str) else json.dumps(turn, ensure_ascii=False) for turn in (*shown, *turns)]
    roles = ("user", "assistant")
    return [Message("system", system), *(Message(roles[n % 2], text) for n, text in enumerate(said))]  # type: ignore[arg-type]


def is_example(text: str, language: str) -> bool:
    """Whether a weak model gave back what it was shown."""
    return key(text) in _SHOWN[language]


def is_about_the_example(text: str, subject: str, language: str) -> bool:
    """Whether it speaks of bread where nothing else does."""
    said, known = text.casefold(), subject.casefold()
    return any(mark in said and mark not in known for mark in PROMPTS[language].marks)


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _shown(prompts: Prompts) -> frozenset[str]:
    examples = (
        prompts.outline_example,
        prompts.plan_example,
        prompts.title_example,
        prompts.exercises_example,
        prompts.question_example,
    )
    return frozenset(key(text) for example in examples for text in _strings(example.answer))


_SHOWN = {language: _shown(prompts) for language, prompts in PROMPTS.items()}
