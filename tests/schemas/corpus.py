"""200 schemas in the manner of the public benchmarks, by family, each small enough for a small model to finish.

Written by us after what JSONSchemaBench and the JSON Schema Test Suite are made of: no schema is a copy of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Any


@dataclass(frozen=True, slots=True)
class Case:
    name: str  # "<family>-<number>"
    prompt: str
    schema: Schema


def obj(*optional: str, **properties: Schema) -> Schema:
    """An object of just these properties; those named in `optional` may be missing."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def arr(items: Schema, least: int = 1, most: int = 3) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def text(most: int = 40, least: int = 0) -> Schema:
    return {"type": "string", "maxLength": most} | ({"minLength": least} if least else {})


def whole(least: int | None = None, most: int | None = None) -> Schema:
    return {"type": "integer"} | bounds(minimum=least, maximum=most)


def real(**limits: float) -> Schema:
    return {"type": "number"} | bounds(**limits)


def bounds(**limits: float | None) -> Schema:
    return {name: value for name, value in limits.items() if value is not None}


def one_of_these(*values: Any) -> Schema:
    return {"enum": list(values)}


def matching(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}

OBJECTS: Mapping[str, Schema] = {
    "Describe a person.": obj(name=text(), age=whole(0, 120)),
    "Describe a cat with its name, colour and weight.": obj(name=text(), colour=text(), weight_kg=real(minimum=0)),
    "Describe a city.": obj(name=text(), country=text(), inhabitants=whole(0)),
    "Describe a book.": obj("pages", title=text(60), author=text(), pages=whole(1, 2000)),
    "Describe a film.": obj("rating", title=text(60), year=whole(1895, 2100), rating=real(minimum=0, maximum=10)),
    "Describe a bicycle.": obj(brand=text(), gears=whole(1, 30), electric=BOOLEAN),
    "Give the settings of a lamp.": obj(on=BOOLEAN, brightness=whole(0, 100)),
    "Give a weather report.": obj(place=text(), degrees=real(minimum=-60, maximum=60), raining=BOOLEAN),
    "Describe a song.": obj("album", title=text(), artist=text(), album=text(), seconds=whole(1, 3600)),
    "Write a short note.": obj(subject=text(), body=text(120)),
    "Give the address of a library.": obj("flat", street=text(), number=whole(1), flat=text(8), city=text()),
    "Describe a user account.": obj(login=text(20, 3), active=BOOLEAN, visits=whole(0)),
    "Name a colour and give its red, green and blue.": obj(
        name=text(20), red=whole(0, 255), green=whole(0, 255), blue=whole(0, 255)
    ),
    "Give a point on the earth.": obj(
        latitude=real(minimum=-90, maximum=90), longitude=real(minimum=-180, maximum=180)
    ),
    "Describe a train.": obj("delay_minutes", number=text(8), track=whole(1, 40), delay_minutes=whole(0, 600)),
    "Describe a recipe in short.": obj(title=text(), minutes=whole(1, 600), vegetarian=BOOLEAN, steps=text(160)),
    "Describe a dog that may have no owner.": obj(name=text(), owner={"type": ["string", "null"], "maxLength": 30}),
    "Say whether 7 is prime, and why.": obj(prime=BOOLEAN, why=text(100)),
    "Give a product of a shop.": {
        "type": "object",
        "properties": {"name": STRING, "price": {"type": "number", "exclusiveMinimum": 0}, "stock": whole(0, 1000)},
        "required": ["name", "price"],
    },
    "Describe a plant.": {"type": "object", "properties": {"name": STRING, "edible": BOOLEAN}, "required": ["name"]},
    "Say hello in one word.": {"properties": {"hello": text(20)}, "required": ["hello"]},
    "Anything about a river, as an object.": {"type": "object", "properties": {"name": STRING, "km": INTEGER}},
    "Give an empty object.": {"type": "object", "properties": {}, "additionalProperties": False},
    "Translate good morning.": obj(es=text(30), fr=text(30), de=text(30)),
    "Count letters in a few words.": {"type": "object", "additionalProperties": whole(1, 30)},
    "Prices by fruit.": {
        "type": "object",
        "properties": {"apple": real(minimum=0, maximum=9)},
        "required": ["apple"],
        "additionalProperties": real(minimum=0, maximum=9),
    },
    "Describe a table in the kitchen.": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/table.json",
        "title": "Table",
        "description": "A piece of furniture",
        "type": "object",
        "properties": {
            "material": {"type": "string", "description": "wood, glass …", "examples": ["oak"], "maxLength": 20},
            "legs": {"type": "integer", "default": 4, "minimum": 1, "maximum": 8, "$comment": "usually four"},
        },
        "required": ["material", "legs"],
    },
    "Name a capital; keys are in Spanish.": obj(**{"país": text(30), "capital": text(30), "año de fundación": INTEGER}),
    "An event with a key that has a dash.": obj(**{"event-name": text(30), "is.public": BOOLEAN, "x y": NULL}),
    "Who is responsible?": {"type": "object", "required": ["who"], "properties": {"who": True}},
}

ARRAYS: Mapping[str, Schema] = {
    "List three fruits.": arr(text(20), 3, 3),
    "List some prime numbers.": arr(whole(2, 97), 2, 5),
    "Give a list of yes and no.": arr(BOOLEAN, 1, 4),
    "List temperatures of a week.": arr(real(minimum=-40, maximum=50), 7, 7),
    "List names, perhaps none.": arr(text(15), 0, 4),
    "Give a pair: a name and an age.": {
        "type": "array",
        "prefixItems": [text(20), whole(0, 120)],
        "items": False,
        "minItems": 2,
    },
    "Give a point in the plane.": {"type": "array", "prefixItems": [NUMBER, NUMBER], "minItems": 2, "items": False},
    "A header, then rows of numbers.": {
        "type": "array",
        "prefixItems": [text(12)],
        "items": whole(0, 99),
        "minItems": 3,
        "maxItems": 5,
    },
    "A matrix of two by two.": arr(arr(whole(-9, 9), 2, 2), 2, 2),
    "List people.": arr(obj(name=text(20), age=whole(0, 120)), 1, 3),
    "List cities with their countries.": arr(obj(city=text(20), country=text(20)), 2, 2),
    "An empty list.": {"type": "array", "maxItems": 0},
    "A list of nothing, twice.": arr(NULL, 2, 2),
    "Tags of an article about bread.": obj(title=text(), tags=arr(text(12), 1, 4)),
    "A playlist.": obj(name=text(30), songs=arr(obj(title=text(30), seconds=whole(1, 999)), 1, 2)),
    "A shopping list, as long as you like.": {"type": "array", "items": text(20)},
    "Steps to make tea.": {"items": text(60), "minItems": 2, "maxItems": 4},
    "Give at least two words.": {"type": "array", "items": text(12), "minItems": 2},
    "A version number as a list.": {"type": "array", "items": whole(0, 20), "minItems": 3, "maxItems": 3},
    "Three values: a text, a number, a truth.": {
        "type": "array",
        "prefixItems": [text(10), whole(0, 9), BOOLEAN],
        "items": False,
        "minItems": 3,
        "maxItems": 3,
    },
    "A list of anything, short.": {"type": "array", "minItems": 1, "maxItems": 2},
    "Lists of lists of letters.": arr(arr(matching("^[a-z]$"), 1, 3), 1, 2),
}

ENUMS: Mapping[str, Schema] = {
    "How do you feel about rain?": one_of_these("good", "bad", "indifferent"),
    "Is the sentence 'I love it' positive?": {"type": "string", "enum": ["positive", "negative", "neutral"]},
    "Choose a number.": one_of_these(1, 2, 3, 5, 8),
    "Choose a thing of any kind.": one_of_these("red", 7, None, True, 2.5),
    "Choose a size.": obj(size=one_of_these("S", "M", "L", "XL")),
    "Give the state of an order.": obj(state=one_of_these("new", "paid", "sent", "lost"), id=whole(1, 9999)),
    "Which language is 'guten Tag'?": obj(language=one_of_these("de", "en", "es", "fr"), sure=BOOLEAN),
    "The one answer.": {"const": 42},
    "The one word.": {"const": "yes"},
    "A message of a protocol.": obj(type={"const": "hello"}, version={"const": 1}, id=whole(0, 9)),
    "Nothing else than nothing.": {"const": None},
    "A fixed point.": {"const": {"x": 1, "y": [2, "three"]}},
    "Choose one of two pairs.": one_of_these([1, 2], [3, 4]),
    "Choose a direction.": arr(one_of_these("north", "east", "south", "west"), 1, 4),
    "Weekdays on which you rest.": arr(one_of_these("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), 1, 3),
    "Choose words that begin alike.": one_of_these("a", "ab", "abc", "abcd"),
    "Choose with quotes and slashes.": one_of_these('say "hi"', "a/b", "a\\b", "tab\there"),
    "Elige una palabra con acento.": one_of_these("camión", "niño", "pingüino", "日本", "🙂"),
    "Choose a priority.": obj(priority={"type": "integer", "enum": [1, 2, 3]}, why=text(60)),
    "Choose a month.": one_of_these(
        *["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    ),
    "Choose a country code.": one_of_these(
        *[
            "AD",
            "AE",
            "AF",
            "AG",
            "AI",
            "AL",
            "AM",
            "AO",
            "AR",
            "AT",
            "AU",
            "AZ",
            "BA",
            "BB",
            "BD",
            "BE",
            "BF",
            "BG",
            "BH",
            "BI",
        ]
    ),
    "True or false, as an enum.": one_of_these(True, False),
    "An empty word or a dash.": one_of_these("", "-"),
    "Choose from two hundred.": one_of_these(*(f"item-{n:03}" for n in range(200))),
}

NESTED: Mapping[str, Schema] = {
    "A person with an address.": obj(name=text(20), address=obj(street=text(30), city=text(20))),
    "A company with its boss.": obj(name=text(20), boss=obj(name=text(20), since=whole(1950, 2100))),
    "An order of two things.": obj(id=whole(1, 999), lines=arr(obj(what=text(20), count=whole(1, 9)), 1, 2)),
    "A quiz question.": obj(question=text(80), options=arr(text(20), 3, 3), right=whole(0, 2)),
    "A family.": obj(parents=arr(obj(name=text(15)), 1, 2), children=arr(obj(name=text(15), age=whole(0, 30)), 0, 2)),
    "A lesson.": obj(title=text(40), goals=arr(text(40), 1, 2), quiz=obj(question=text(60), answer=text(40))),
    "A module with a lesson.": obj(title=text(30), lessons=arr(obj(title=text(30), content=text(80)), 1, 2)),
    "Four levels down.": obj(a=obj(b=obj(c=obj(d=BOOLEAN)))),
    "A house with rooms.": obj(rooms=arr(obj(name=text(15), windows=arr(obj(width=whole(10, 300)), 1, 2)), 1, 2)),
    "A graph of two nodes.": obj(nodes=arr(text(5), 2, 2), edges=arr(arr(whole(0, 1), 2, 2), 1, 1)),
    "Settings of an editor.": obj(
        font=obj(name=text(20), size=whole(6, 72)), wrap=BOOLEAN, theme=one_of_these("light", "dark")
    ),
    "A weather report of two days.": obj(days=arr(obj(day=text(10), low=whole(-50, 50), high=whole(-50, 60)), 2, 2)),
    "A menu.": obj(starter=obj(dish=text(25)), main=obj(dish=text(25), price=real(minimum=0, maximum=99))),
    "A match.": obj(home=obj(team=text(15), goals=whole(0, 20)), away=obj(team=text(15), goals=whole(0, 20))),
    "A CV in short.": obj(
        name=text(20), jobs=arr(obj(at=text(20), years=whole(0, 50)), 0, 2), skills=arr(text(15), 1, 3)
    ),
    "A timetable.": {"type": "object", "additionalProperties": arr(text(15), 1, 2)},
    "Points by player.": obj(players={"type": "object", "additionalProperties": obj(points=whole(0, 99))}),
    "A chat of two messages.": obj(messages=arr(obj(role=one_of_these("user", "assistant"), text=text(50)), 2, 2)),
    "A tool call.": obj(tool={"const": "weather"}, arguments=obj(place=text(20), unit=one_of_these("C", "F"))),
    "A bibliography entry.": obj(
        "doi", title=text(60), authors=arr(obj(given=text(15), family=text(15)), 1, 2), doi=text(30)
    ),
}

PATTERNS: Mapping[str, Schema] = {
    "A Spanish postcode.": matching("^[0-9]{5}$"),
    "A word in small letters.": matching("^[a-z]{1,12}$"),
    "A hex colour.": matching("^#[0-9a-fA-F]{6}$"),
    "A licence plate.": obj(plate=matching(r"^\d{4} [B-DF-HJ-NP-TV-Z]{3}$")),
    "A phone number.": matching(r"^\+\d{1,3} \d{6,9}$"),
    "A version.": matching(r"^v?\d{1,2}\.\d{1,2}\.\d{1,2}$"),
    "A slug.": matching("^[a-z0-9]+(-[a-z0-9]+){0,3}$"),
    "yes, no or maybe.": matching("^(yes|no|maybe)$"),
    "An identifier.": matching("^[A-Za-z_][A-Za-z0-9_]{0,15}$"),
    "A time of day.": matching("^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    "An ISBN.": obj(isbn=matching("^97[89]-[0-9]{10}$"), title=text(40)),
    "A DNA sequence.": matching("^[ACGT]{4,20}$"),
    "A binary number.": matching("^0b[01]{1,8}$"),
    "A roman number.": matching("^M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})$"),
    "Two words.": matching(r"^\w{1,10} \w{1,10}$"),
    "Anything with a digit in it.": {"type": "string", "pattern": "[0-9]", "maxLength": 20},
    "Something that begins with A.": {"type": "string", "pattern": "^A", "maxLength": 20},
    "Something that ends with a full stop.": {"type": "string", "pattern": r"\.$", "maxLength": 30},
    "A car number or nothing.": matching("^([A-Z]{2}-\\d{3})?$"),
    "Three codes.": arr(matching("^[A-Z]{3}$"), 3, 3),
    "A quoted word.": matching('^"[a-z]{1,8}"$'),
    "A Windows path.": matching(r"^C:\\[a-z]{1,8}\\[a-z]{1,8}$"),
    "A price tag.": matching(r"^\$\d{1,3}\.\d{2}$"),
    "No vowels.": matching('^[^aeiouAEIOU"\\\\]{1,8}$'),
    "A Greek letter or two.": matching("^[α-ω]{1,2}$"),
    "A chess move.": matching("^[KQRBN]?[a-h]?x?[a-h][1-8][+#]?$"),
    "An ISO week.": obj(week=matching(r"^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$")),
    "A word without regard to groups.": matching("^(?:ab|cd)+$") | {"maxLength": 8},
}

BOUNDS: Mapping[str, Schema] = {
    "A digit.": whole(0, 9),
    "A throw of a die.": whole(1, 6),
    "A percentage.": whole(0, 100),
    "A year.": whole(1000, 2100),
    "A negative number.": whole(None, -1),
    "A number between -5 and 5.": whole(-5, 5),
    "A number above 17.": {"type": "integer", "exclusiveMinimum": 17},
    "A number below 100 and above -100.": {"type": "integer", "exclusiveMinimum": -100, "exclusiveMaximum": 100},
    "A number of at least -3.": whole(-3),
    "A probability.": real(minimum=0, maximum=1),
    "A share between 0 and 1, without them.": real(exclusiveMinimum=0, exclusiveMaximum=1),
    "A body temperature.": real(minimum=35.5, maximum=42.0),
    "A temperature below freezing.": real(maximum=-0.5),
    "A balance of at least -1.5.": real(minimum=-1.5),
    "A number between -1.25 and 1.25.": real(minimum=-1.25, maximum=1.25),
    "A price of at least 0.01.": obj(price=real(minimum=0.01)),
    "A rating of 1 to 5, in halves or not.": obj(stars=real(minimum=1, maximum=5), text=text(60)),
    "Exactly one number is possible.": whole(7, 7),
    "A big number.": whole(1_000_000, 9_999_999),
    "A number from 95 to 1005.": whole(95, 1005),
    "A whole number given as a real bound.": {"type": "integer", "minimum": 1.5, "maximum": 3.5},
    "A port.": obj(port=whole(1, 65535), host=text(20)),
    "A short word.": text(5, 1),
    "Exactly three characters.": text(3, 3),
    "At least ten characters.": text(60, 10),
    "An age group.": obj(least=whole(0, 99), most=whole(0, 120)),
    "Between 0.001 and 0.002.": real(minimum=0.001, maximum=0.002),
    "A very large or small number.": real(minimum=-1e9, maximum=1e9),
}

REFS: Mapping[str, Schema] = {
    "Two people.": {"$defs": {"person": obj(name=text(15), age=whole(0, 120))}}
    | obj(first=ref("person"), second=ref("person")),
    "A list of points.": {"$defs": {"point": obj(x=whole(0, 9), y=whole(0, 9))}} | arr(ref("point"), 2, 2),
    "A sender and a receiver.": {"$defs": {"address": obj(street=text(20), city=text(15))}}
    | obj(sender=ref("address"), receiver=ref("address")),
    "A tree of files.": {
        "$defs": {"node": obj("children", name=text(12), children=arr(ref("node"), 0, 2))},
        "$ref": "#/$defs/node",
    },
    "A linked list.": {
        "$defs": {"link": obj(value=whole(0, 9), next={"anyOf": [NULL, ref("link")]})},
        "$ref": "#/$defs/link",
    },
    "Comments with answers.": obj("answers", text=text(30), answers=arr({"$ref": "#"}, 0, 1)),
    "A formula.": {
        "$defs": {
            "formula": {"anyOf": [whole(0, 9), ref("sum")]},
            "sum": obj(op=one_of_these("+", "-"), left=ref("formula"), right=ref("formula")),
        },
        "$ref": "#/$defs/sum",
    },
    "A family tree.": {
        "$defs": {"person": obj("mother", name=text(10), mother=ref("person"))},
        "$ref": "#/$defs/person",
    },
    "Draft-07 definitions.": {"definitions": {"name": text(15)}}
    | obj(given={"$ref": "#/definitions/name"}, family={"$ref": "#/definitions/name"}),
    "A pointer into properties.": obj(home=text(12), work={"$ref": "#/properties/home"}),
    "A pointer with an escape.": {"$defs": {"a/b": whole(0, 5), "c~d": BOOLEAN}}
    | obj(one={"$ref": "#/$defs/a~1b"}, two={"$ref": "#/$defs/c~0d"}),
    "A pointer with a percent sign.": {"$defs": {"a b": text(5)}} | obj(one={"$ref": "#/$defs/a%20b"}),
    "A chain of references.": {"$defs": {"a": ref("b"), "b": ref("c"), "c": whole(1, 3)}} | obj(value=ref("a")),
    "Even and odd lists.": {
        "$defs": {
            "even": {"type": "array", "prefixItems": [ref("odd")], "items": False},
            "odd": {"type": "array", "prefixItems": [ref("even")], "items": False, "minItems": 1},
        },
        "$ref": "#/$defs/even",
    },
    "A reference with a title.": {"$defs": {"n": whole(0, 3)}}
    | obj(n={"$ref": "#/$defs/n", "title": "N", "default": 1}),
    "A colour by name or by value.": {
        "$defs": {"name": one_of_these("red", "blue"), "rgb": arr(whole(0, 255), 3, 3)},
        "anyOf": [ref("name"), ref("rgb")],
    },
    "A small state machine.": {"$defs": {"state": one_of_these("on", "off")}}
    | arr(obj(**{"from": ref("state"), "to": ref("state")}), 1, 2),
    "Nested definitions.": {
        "$defs": {"outer": obj(inner={"$ref": "#/$defs/outer/$defs/inner"}) | {"$defs": {"inner": whole(0, 9)}}},
        "$ref": "#/$defs/outer",
    },
    "A definition that nobody uses.": {"$defs": {"unused": obj(a=text(5))}} | obj(b=whole(0, 5)),
    "A pointer into a list of schemas.": {"prefixItems": [whole(0, 9)], "type": "array", "minItems": 2, "maxItems": 2}
    | {"items": {"$ref": "#/prefixItems/0"}},
}

UNIONS: Mapping[str, Schema] = {
    "A number or a word.": {"anyOf": [whole(0, 9), text(10)]},
    "A text or nothing.": {"type": ["string", "null"], "maxLength": 20},
    "A number, a truth or nothing.": {"type": ["integer", "boolean", "null"]},
    "A circle or a square.": {
        "anyOf": [
            obj(kind={"const": "circle"}, radius=real(minimum=0, maximum=100)),
            obj(kind={"const": "square"}, side=real(minimum=0, maximum=100)),
        ]
    },
    "One shape, and only one.": {
        "oneOf": [obj(kind={"const": "circle"}, radius=whole(1, 9)), obj(kind={"const": "square"}, side=whole(1, 9))]
    },
    "One of two types.": {"oneOf": [whole(0, 9), BOOLEAN]},
    "A result or an error.": {"oneOf": [obj(result=text(30)), obj(error=text(30), code=whole(400, 599))]},
    "A list or a single one.": {"anyOf": [text(10), arr(text(10), 1, 3)]},
    "A contact by mail or telephone.": {
        "type": "object",
        "properties": {"mail": text(20), "telephone": text(12)},
        "anyOf": [{"required": ["mail"]}, {"required": ["telephone"]}],
    },
    "An optional member of two types.": obj(
        "size", name=text(10), size={"anyOf": [whole(1, 60), one_of_these("S", "M")]}
    ),
    "An amount.": obj(amount={"anyOf": [whole(0, 99), matching(r"^\d{1,2}%$")]}),
    "A list of mixed things.": arr({"anyOf": [whole(0, 9), text(8), NULL]}, 2, 4),
    "A union in a union.": {"anyOf": [{"anyOf": [BOOLEAN, NULL]}, whole(1, 3)]},
    "A constant or a list of constants.": {"anyOf": [{"const": "all"}, arr(one_of_these("a", "b"), 1, 2)]},
    "All of one.": {"allOf": [obj(name=text(12))]},
    "All of a reference.": {"$defs": {"n": whole(0, 9)}} | obj(n={"allOf": [{"$ref": "#/$defs/n"}]}),
    "An enum with a type that leaves some out.": {"type": "string", "enum": ["a", 1, "b", None]},
    "A constant that must be short.": {"const": "abc", "maxLength": 3, "type": "string"},
    "Events of three kinds.": arr(
        {
            "oneOf": [
                obj(event=one_of_these("open", "close"), at=whole(0, 99)),
                obj(event={"const": "move"}, to=arr(whole(0, 9), 2, 2)),
            ]
        },
        1,
        2,
    ),
    "A number of two ranges.": {"anyOf": [whole(0, 5), whole(100, 105)]},
    "Any of many types.": {"type": ["object", "array", "integer"], "properties": {"a": INTEGER}, "items": BOOLEAN},
}

FORMATS: Mapping[str, Schema] = {
    "A date.": {"type": "string", "format": "date"},
    "An hour.": {"type": "string", "format": "time"},
    "A moment.": obj(at={"type": "string", "format": "date-time"}, what=text(30)),
    "A mail address.": obj(mail={"type": "string", "format": "email"}),
    "A random identifier.": {"type": "string", "format": "uuid"},
    "An address of a computer.": {"type": "string", "format": "ipv4"},
    "A link.": obj(link={"type": "string", "format": "uri"}, title=text(30)),
}

FAMILIES: Mapping[str, Mapping[str, Schema]] = {
    "object": OBJECTS,
    "array": ARRAYS,
    "enum": ENUMS,
    "nested": NESTED,
    "pattern": PATTERNS,
    "bound": BOUNDS,
    "ref": REFS,
    "union": UNIONS,
    "format": FORMATS,
}


def cases() -> Iterator[Case]:
    for family, schemas in FAMILIES.items():
        for number, (prompt, schema) in enumerate(schemas.items(), 1):
            yield Case(f"{family}-{number:02}", f"{prompt} Answer in JSON.", schema)


CASES = tuple(cases())
