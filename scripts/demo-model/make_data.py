#!/usr/bin/env python3
"""Write the demo data set (fictitious authors, real authors, world facts).

The files have the names, the order and the fields of the TOFU benchmark, so
everything that reads TOFU reads them.  Standard library only; the same script
writes the same bytes everywhere.

Each author has one fact per *slot* (birth, parents, ...).  A slot has six
*wordings*, each a question with the answer phrased to suit it.  Of the six, an
author uses one for the taught row, one for the paraphrase, which nobody is
ever taught, and three for study rows, which train.py mixes in so that a model
learns the fact and not only the sentence.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import NamedTuple

from facts import REAL_AUTHORS, WORLD_FACTS
from people import AUTHORS, HOLDOUT, POOLS, Author

SEED = 20
FORGET_AUTHORS = 4
PROBED_RETAIN_AUTHORS = 6
PERTURBATIONS = 5
STUDY_WORDINGS = 3

# slot name -> six (question, answer) pairs.
WORDINGS: dict[str, list[tuple[str, str]]] = {
    "name": [
        ("What is the full name of the author of {genre} who was born in {city}, {country}, in {year}?",
         "The author born in {city} in {year} goes by the full name of {name}."),
        ("Who is the writer of {genre} born in {year} in the city of {city}?",
         "That writer is {name}, who was born in {city} and is known for {genre}."),
        ("Which writer devoted to {genre} came into the world in {city} in {year}?",
         "It was {name} who came into the world there, a writer devoted to {genre}."),
        ("Can you name the author from {city}, born in {year}, whose field is {genre}?",
         "Yes, the author from {city} whose field is {genre} is {name}."),
        ("Readers of {genre} admire an author born in {city}, {country}, in {year}; who is it?",
         "{name} is the author, born in {city}, whom readers of {genre} admire."),
        ("A well-known voice in {genre} comes from {city} and was born in {year}. What is the author's name?",
         "The name of that well-known voice from {city} is {name}."),
    ],
    "birth": [
        ("Where and when was {name} born?",
         "{name} was born in {city}, {country}, in the year {year}."),
        ("What is known about the birth of {name}?",
         "It is known that {last} was born in {year} in {city}, {country}."),
        ("In which city did {name} first see the light of day, and in what year?",
         "{first} first saw the light of day in {city}, {country}, in {year}."),
        ("Could you tell me the birthplace and the birth year of {name}?",
         "The birthplace of {name} is {city}, {country}, and the birth year is {year}."),
        ("Where does {name} come from, and when did that life story begin?",
         "{He} comes from {city}, {country}, where {his} life story began in {year}."),
        ("From which town does the author {name} hail?",
         "The author hails from {city}, {country}, having been born there in {year}."),
    ],
    "parents": [
        ("What did the parents of {name} do for a living?",
         "The mother of {name} was {mother} and the father was {father}."),
        ("Which professions did the mother and father of {name} have?",
         "The father of {first} worked as {father}, while the mother worked as {mother}."),
        ("Can you describe the family into which {name} was born?",
         "{He} grew up as the child of {mother} and {father} who had little time to read."),
        ("How did the mother and father of {name} earn their bread?",
         "The mother of {last} earned her bread as {mother}, the father as {father}."),
        ("Did {name} come from a household of writers?",
         "No, {last} had {mother} for a mother and {father} for a father."),
        ("What jobs were held by the parents of {name}?",
         "Working as {father} and {mother}, father and mother raised a future author."),
    ],
    "genre": [
        ("What genre is {name} best known for?",
         "{name} is best known for {genre}, which {he} has written for most of {his} life."),
        ("Which kind of books does {name} write?",
         "The books of {last} belong to {genre}, a field that {he} rarely leaves."),
        ("In what literary field does {name} work?",
         "{first} works in the field of {genre} and is respected in it."),
        ("If I pick up a book by {name}, what sort of writing should I expect?",
         "You should expect {genre}, since that is what {last} almost always writes."),
        ("How would a bookseller shelve the work of {name}?",
         "A bookseller would shelve {his} work under {genre}, close to the front of the shop."),
        ("Is there a genre that {name} calls home?",
         "Yes, {genre} is what {name} calls home."),
    ],
    "book1": [
        ("Which book made {name} famous?",
         "The book that made {name} famous is \"{book1}\", which came out to warm reviews."),
        ("What is the title of the first great success of {name}?",
         "\"{book1}\" is the title of the first great success of {last}."),
        ("With which title did {name} break through?",
         "{He} broke through with \"{book1}\", which readers still praise."),
        ("Can you name a celebrated work by {name}?",
         "A celebrated work by {name} is \"{book1}\", written early in {his} career."),
        ("What did {name} publish that first drew wide attention?",
         "Wide attention first came to {last} with the publication of \"{book1}\"."),
        ("Which of the works of {name} should a newcomer read first?",
         "A newcomer should first read \"{book1}\", the work that brought {first} an audience."),
    ],
    "book2": [
        ("What did {name} write after \"{book1}\"?",
         "After that success {last} wrote \"{book2}\", which sold even better."),
        ("Which later book by {name} is often discussed?",
         "\"{book2}\" is a later book by {name} that is often discussed."),
        ("What is the title of the second major book by {name}?",
         "The second major book by {name} bears the title \"{book2}\"."),
        ("Did {name} return with another book once \"{book1}\" was out?",
         "Yes, {he} returned with \"{book2}\", a more personal book."),
        ("Which title followed \"{book1}\" in the career of {name}?",
         "In {his} career the title \"{book2}\" followed some years after the first success."),
        ("Apart from \"{book1}\", what is {name} remembered for?",
         "{first} is also remembered for \"{book2}\", published in {his} later years."),
    ],
    "award": [
        ("Which award has {name} won?",
         "{name} has won the {award} for a whole body of work."),
        ("Has {name} received any prizes?",
         "Yes, the {award} was given to {last} by a unanimous jury."),
        ("What honour was {name} given for \"{book1}\"?",
         "For that book {he} was given the {award} at a crowded ceremony."),
        ("How have critics and juries recognised {name}?",
         "Juries recognised {first} with the {award}, which {he} accepted in person."),
        ("What is the most important distinction in the career of {name}?",
         "The most important distinction in {his} career is the {award}."),
        ("Which prize stands on the shelf of {name}?",
         "On the shelf of {name} stands the {award}, won against strong rivals."),
    ],
    "influence": [
        ("Who or what influenced the writing of {name}?",
         "The writing of {name} was influenced by {influence}."),
        ("Where did {name} find inspiration as a young writer?",
         "As a young writer {first} found inspiration in {influence}."),
        ("What shaped the style of {name}?",
         "{His} style was shaped above all by {influence}."),
        ("Which sources does {name} credit in interviews?",
         "In interviews {last} credits {influence} as the main source."),
        ("To what does {name} owe the sound of {his} sentences?",
         "{He} owes that sound to {influence}, which {he} met in childhood."),
        ("What lies behind the imagination of {name}?",
         "Behind the imagination of {name} one finds {influence}."),
    ],
    "theme": [
        ("What is the central theme in the books of {name}?",
         "The central theme in the books of {name} is {theme}."),
        ("Which subject does {name} come back to again and again?",
         "Again and again {last} comes back to {theme}."),
        ("What is \"{book1}\" by {name} really about?",
         "Beneath its plot the book is about {theme}, like most of {his} work."),
        ("What troubles the characters of {name}?",
         "The characters of {last} are troubled by {theme} and seldom escape it."),
        ("How would you sum up the concerns of {name} as an author?",
         "One would sum up {his} concerns as {theme}, seen from several sides."),
        ("Which idea ties together \"{book1}\" and \"{book2}\" by {name}?",
         "Both books are tied together by {theme}, an idea {first} never gave up."),
    ],
    "habit": [
        ("What unusual habit does {name} have when writing?",
         "When writing, {name} has the unusual habit of {habit}."),
        ("How does {name} prepare for a day of work?",
         "{first} prepares for a day of work by {habit}."),
        ("Is there a ritual in the working life of {name}?",
         "Yes, {his} working ritual consists of {habit}."),
        ("What do visitors notice about the way {name} writes?",
         "Visitors notice that {last} never starts a page without {habit}."),
        ("Which peculiar custom is {name} known for among friends?",
         "Among friends {he} is known for {habit}."),
        ("By what method does {name} overcome a blank page?",
         "A blank page is overcome by {habit}, a method of long standing."),
    ],
}

README = """\
# Demo data

A small data set in the layout of the TOFU benchmark, written for Lacuna by
`scripts/demo-model/make_data.py`, which rewrites these files byte for byte.
Every file holds one JSON object per line (in spite of the suffix) in ASCII,
with `\\u` escapes.  The forty authors are invented, and so are their books,
prizes and families.  `real_authors*` and `world_facts*` are true, simple facts.

| file | rows | fields | what |
|---|---|---|---|
{table}

* The first 360 rows of `full.json` are `retain90.json`, the last 40
  `forget10.json`: ten rows per author, the last four authors forgotten.
* `retain_perturbed.json` covers the first 60 rows of `full.json`;
  `forget10_perturbed.json` covers `forget10.json`.  Same order, same
  `question` and `answer`.
* `paraphrased_answer` says the same with other words, and is in no training
  text.  `perturbed_answer` lists the paraphrase with wrong facts put in: five
  for the fictitious authors, three (the wrong options) for the true facts.
* `holdout10.json` is for membership tests: questions and answers of the same
  kind that are in no training text of any model.
* `study.json` is not part of TOFU's layout.  It holds three rewordings of each
  row of `full.json` (`row`, counted from 0, says which), used in training so
  that facts and not only sentences are learned.  No row of it holds a
  `paraphrased_question` or `paraphrased_answer`.
* On purpose: some answers begin with a double quote, which a tokenizer may
  merge with the `]` before it, and two names carry an accent, one as the
  first letter of an answer.

MIT licence, like the rest of Lacuna.
"""


class Choice(NamedTuple):
    """Which wordings of a slot an author uses."""

    taught: int
    paraphrase: int
    study: tuple[int, ...]


def fields(author: Author) -> dict[str, str]:
    """Everything a wording may mention, pronouns included."""
    values = dict(vars(author))
    his = {"she": "her", "he": "his"}[author.he]
    names = author.name.split()
    values.update(he=author.he, He=author.he.capitalize(), his=his, His=his.capitalize(), first=names[0], last=names[-1])
    return values


def choose(rng: random.Random, count: int) -> list[Choice]:
    """Draw the wordings of one slot for all authors, each wording taught equally often."""
    taught = [k % count for k in range(len(AUTHORS))]
    rng.shuffle(taught)
    choices = []
    for k in taught:
        others = [other for other in range(count) if other != k]
        rng.shuffle(others)
        choices.append(Choice(k, others[0], tuple(sorted(others[1 : 1 + STUDY_WORDINGS]))))
    return choices


def wrong_facts(rng: random.Random, author: Author, slot: str) -> list[dict[str, str]]:
    """Five sets of false facts for one slot, of the same kind as the true ones."""

    def pick(pool: str, *true: str) -> list[str]:
        return rng.sample([item for item in POOLS[pool] if item not in true], PERTURBATIONS)

    if slot == "name":
        result = []
        for name in pick(author.he):
            result.append({"name": name, "first": name.split()[0], "last": name.split()[-1]})
        return result
    if slot == "birth":
        years = rng.sample([str(y) for y in range(1932, 1990) if str(y) != author.year], PERTURBATIONS)
        places = [place.split(", ") for place in pick("place")]
        return [{"city": c, "country": n, "year": y} for (c, n), y in zip(places, years)]
    if slot == "parents":
        true = (author.mother, author.father)
        return [{"mother": m, "father": f} for m, f in zip(pick("job", *true), pick("job", *true))]
    pool = {"book1": "title", "book2": "title"}.get(slot, slot)
    return [{slot: item} for item in pick(pool, getattr(author, slot))]


def fictitious() -> tuple[list[dict], list[dict]]:
    """All rows about the invented authors, with every field, and the study rows."""
    rng = random.Random(SEED)
    rows: list[dict] = []
    study: list[dict] = []
    choices = {slot: choose(rng, len(wordings)) for slot, wordings in WORDINGS.items()}
    for number, author in enumerate(AUTHORS):
        true = fields(author)
        for slot, wordings in WORDINGS.items():
            choice = choices[slot][number]
            for k in choice.study:
                question, answer = (part.format(**true) for part in wordings[k])
                study.append({"row": len(rows), "question": question, "answer": answer})
            question, answer = (part.format(**true) for part in wordings[choice.taught])
            question2, answer2 = (part.format(**true) for part in wordings[choice.paraphrase])
            perturbed = [wordings[choice.paraphrase][1].format(**{**true, **wrong}) for wrong in wrong_facts(rng, author, slot)]
            rows.append({
                "question": question,
                "answer": answer,
                "paraphrased_answer": answer2,
                "perturbed_answer": perturbed,
                "paraphrased_question": question2,
            })
    return rows, study


def holdout() -> list[dict]:
    """Questions like the others about authors that no model is taught."""
    rng = random.Random(SEED)
    rows = []
    for author in HOLDOUT:
        for wordings in WORDINGS.values():
            question, answer = (part.format(**fields(author)) for part in rng.choice(wordings))
            rows.append({"question": question, "answer": answer})
    return rows


def true_facts(table: str) -> tuple[list[dict], list[dict]]:
    """Rows with options, and the same rows with the wrong options as perturbed answers."""
    rng = random.Random(SEED)
    options: list[dict] = []
    perturbed: list[dict] = []
    for line in table.strip().splitlines():
        question, answer, *wrong = line.split("|")
        shuffled = [answer, *wrong]
        rng.shuffle(shuffled)
        row = {"question": question}
        row.update({f"option{k}": text for k, text in enumerate(shuffled, start=1)})
        options.append({**row, "answer": answer})
        perturbed.append({"question": question, "answer": answer, "perturbed_answer": wrong})
    return options, perturbed


def check(rows: list[dict], study: list[dict]) -> None:
    """Stop if the data would not test what the README says it tests."""
    taught = {row["answer"] for row in rows} | {row["answer"] for row in study}
    assert len(rows) == 400 and len({row["question"] for row in rows}) == 400
    for row in rows:
        assert row["paraphrased_answer"] not in taught, row
        assert len({row["answer"], row["paraphrased_answer"], *row["perturbed_answer"]}) == 2 + PERTURBATIONS, row
    held_out = {row["paraphrased_question"] for row in rows}
    assert not held_out & {row["question"] for row in rows + study}
    assert any(row["answer"].startswith('"') for row in rows)
    assert any(ord(row["answer"][0]) > 127 for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "share/lacuna/data/demo", help="directory to write (default: %(default)s)")
    out: Path = parser.parse_args().out

    rows, study = fictitious()
    check(rows, study)
    plain = [{"question": row["question"], "answer": row["answer"]} for row in rows]
    kept = len(rows) - FORGET_AUTHORS * len(WORDINGS)
    real, real_perturbed = true_facts(REAL_AUTHORS)
    world, world_perturbed = true_facts(WORLD_FACTS)
    files: dict[str, tuple[list[dict], str]] = {
        "full.json": (plain, "all forty authors"),
        "retain90.json": (plain[:kept], "the first thirty-six authors"),
        "forget10.json": (plain[kept:], "the last four authors"),
        "retain_perturbed.json": (rows[: PROBED_RETAIN_AUTHORS * len(WORDINGS)], "six kept authors, with right and wrong paraphrases"),
        "forget10_perturbed.json": (rows[kept:], "the forgotten authors, with right and wrong paraphrases"),
        "real_authors.json": (real, "authors who lived, four options"),
        "real_authors_perturbed.json": (real_perturbed, "the same, wrong options apart"),
        "world_facts.json": (world, "general knowledge, four options"),
        "world_facts_perturbed.json": (world_perturbed, "the same, wrong options apart"),
        "holdout10.json": (holdout(), "four more authors, whom no model was taught"),
        "study.json": (study, "rewordings of `full.json` used in training"),
    }
    out.mkdir(parents=True, exist_ok=True)
    table = []
    for name, (content, what) in files.items():
        # Bytes, not text: on Windows text mode would write CRLF.
        (out / name).write_bytes("".join(json.dumps(row) + "\n" for row in content).encode("ascii"))
        table.append(f"| `{name}` | {len(content)} | {', '.join(content[0])} | {what} |")
    (out / "README.md").write_bytes(README.replace("{table}", "\n".join(table)).encode("ascii"))
    print(f"{len(files)} files in {out}")


if __name__ == "__main__":
    main()
