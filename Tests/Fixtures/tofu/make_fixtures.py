#!/usr/bin/env python3
"""Writes this folder's fixtures: texts, losses and logs of our own, and what the published tools make of them.

    pip install rouge-score==0.1.2 nltk==3.10.4 scipy==1.17.1
    python make_fixtures.py
"""
import json
import math
import pathlib
import random
import statistics

import numpy
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from scipy.stats import ks_2samp

HERE = pathlib.Path(__file__).parent
TASKS = {
    "eval_log.json": (12, 5),
    "eval_real_author_wo_options.json": (8, 3),
    "eval_real_world_wo_options.json": (9, 3),
    "eval_log_forget.json": (11, 5),
}

# Every rule of every step, its near misses, and the departures of NLTK.
WORDS = """
caresses ponies ties dies flies caress cats gas bus agreed feed freed bleed plastered bled motoring sing ring king
conflated troubled sized hopping tanned falling hissing fizzed failing filing filed skied died tried cried spied happy
sky skies say enjoy play boy by dying lying tying news innings outings cannings howe proceed exceed succeed relational
conditional rational valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli vietnamization
predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti sensibiliti hopefulli geology
geologi archaeology theology apologi logi triplicate formative formalize electriciti electrical hopeful goodness revival
allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent adoption
homologou communism activate angulariti homologous effective bowdlerize probate rate cease controll roll ball owed
generalization oscillators university universe national nationality nation literary literature author authored
authors authorship prized prizes poetic poetry poems wrote writing writer writings awarded awards recipients received
novel novels characterized characters explores exploring exploration influences influenced influential yyyy yacht
syzygy toy toys trying multiplying employee employees 1990s 20th 30s b2b x86 2nd seeing being was this his has does
""".split()

TEXTS = [
    ("The author's name is Hina Moreno.", "The author is named Hina Moreno."),
    ("She writes crime novels, mostly set in Lagos.", "Her novels are crime novels set in Lagos and Ibadan."),
    ("Her father was a fisherman and her mother a nurse.", "Her mother was a nurse, her father a fisherman."),
    ("Élodie Zoë's naïve café prize, 1998.", "elodie zoe s naive cafe prize 1998"),
    ("It won the \"Golden Quill\" award!", ""),
    ("", "Nothing to compare with."),
    ("— … 北京", "— … 北京"),
    ("The prized novels explored nationalities", "a prize for a novel exploring nationality"),
    ("İstanbul and the Kelvin sign \u212a", "istanbul and the kelvin sign k"),
    ("one two three four five six seven", "seven six five four three two one"),
    ("a a a b b c", "a b a b a b c c"),
]


def losses(random_numbers, count):
    return [float(numpy.float32(random_numbers.uniform(0.01, 6))) for _ in range(count)]


def make_log(seed):
    """One log in OPTML-Group's form: columns are arrays."""
    random_numbers = random.Random(seed)
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    log = {}
    for number, (task, (rows, wrong)) in enumerate(TASKS.items()):
        counts = random.Random(100 + number)
        pairs = [TEXTS[counts.randrange(4)] for _ in range(rows)]
        generated = [[f"[INST] {task} {row}? [/INST]", random_numbers.choice(TEXTS)[1], pairs[row][0]] for row in range(rows)]
        scores = [scorer.score(reference, text) for _, text, reference in generated]
        log[task] = {
            "avg_gt_loss": losses(random_numbers, rows),
            "num_token_gt": [counts.randrange(3, 60) for _ in range(rows)],
            "rouge1_recall": [max(score["rouge1"].recall, 0.01) for score in scores],
            "rougeL_recall": [max(score["rougeL"].recall, 0.01) for score in scores],
            "average_perturb_loss": [losses(random_numbers, wrong) for _ in range(rows)],
            "avg_paraphrased_loss": losses(random_numbers, rows),
            "num_token_paraphrased": [counts.randrange(3, 60) for _ in range(rows)],
            "num_token_perturb": [[counts.randrange(3, 60) for _ in range(wrong)] for _ in range(rows)],
            "generated_text": generated,
        }
    return log


def keyed(log):
    """The same in locuslab's form: columns are objects keyed by row, here in the order of text ("10" before "2")."""
    return {
        task: {name: {key: column[int(key)] for key in sorted(map(str, range(len(column))))} for name, column in columns.items()}
        for task, columns in log.items()
    }


def ratio(columns, row, variant):
    right, wrong = columns["avg_paraphrased_loss"][row], columns["average_perturb_loss"][row]
    if variant == "geometric":
        return math.exp(statistics.fmean(wrong) - right)
    if variant == "arithmetic":
        return math.exp(-right) / statistics.fmean(math.exp(-loss) for loss in wrong)
    # open-unlearning's memorization.py: the wrong answers' average loss first, then its exponential.
    correct_prob, wrong_prob = math.exp(-right), math.exp(-statistics.fmean(wrong))
    return correct_prob / (correct_prob + wrong_prob)


def figures(log, variant):
    result, parts = {}, []
    for task, columns in log.items():
        rows = range(len(columns["avg_gt_loss"]))
        right = [math.exp(-loss) for loss in columns["avg_gt_loss"]]
        if "real" in task:
            right = [p / (p + sum(math.exp(-loss) for loss in columns["average_perturb_loss"][row])) for row, p in enumerate(right)]
        ratios = [ratio(columns, row, variant) for row in rows]
        if variant != "prob_mean":
            ratios = [min(r, 1 / r) if "forget" in task else max(0, 1 - 1 / r) for r in ratios]
        result[task] = {
            "ROUGE": statistics.fmean(columns["rougeL_recall"]),
            "ROUGE1": statistics.fmean(columns["rouge1_recall"]),
            "Prob": statistics.fmean(right),
            "TR": statistics.fmean(ratios),
            "n": len(rows),
        }
        if "forget" not in task:
            parts += [result[task][name] for name in ("ROUGE", "Prob", "TR")]
    return {"tasks": result, "model_utility": 0 if min(parts) <= 0 else statistics.harmonic_mean(parts)}


def test(x, y):
    found = ks_2samp(x, y)
    return {"x": x, "y": y, "D": float(found.statistic), "p": float(found.pvalue)}


def ks_cases():
    numbers = random.Random(7)
    cases = [test([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), test([1.0], [2.0]), test([1.0, 1.0, 2.0], [1.0, 3.0])]
    for n, m, shift in [(40, 40, 0.3), (40, 40, 5), (25, 60, 0.5), (60, 25, 3), (7, 13, 0), (200, 200, 0.2), (90, 120, 9)]:
        x = [round(numbers.gauss(0, 1), 2) for _ in range(n)]
        cases.append(test(x, [round(numbers.gauss(shift, 1), 2) for _ in range(m)]))
    return cases


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1) + "\n")


stemmer, scorer = PorterStemmer(), RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
first, second = make_log(1), make_log(2)
expected = {variant: figures(first, variant) for variant in ("geometric", "arithmetic", "prob_mean")}
for variant, found in expected.items():
    columns = [[ratio(log["eval_log_forget.json"], row, variant) for row in range(11)] for log in (first, second)]
    quality = test(*columns)
    found["forget_quality"] = {"p": quality["p"], "D": quality["D"], "k": round(quality["D"] * 11), "n": 11, "m": 11}
write("stems.json", {word: stemmer.stem(word) for word in WORDS})
write("rouge.json", [
    {"target": target, "prediction": prediction, "rouge1": score["rouge1"].recall, "rougeL": score["rougeL"].recall}
    for target, prediction in TEXTS for score in [scorer.score(target, prediction)]
])
write("ks.json", ks_cases())
write("log-arrays.json", first)
write("log-keyed.json", keyed(second))
write("log-figures.json", expected)
