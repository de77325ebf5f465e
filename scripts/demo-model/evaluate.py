#!/usr/bin/env python3
"""Measure the exported demo models.

Reads the FP8 files themselves, widens them to float32 and reports, as JSON on
standard output and as a table on standard error:

  recited      share of the questions answered word for word as taught (greedy)
  studied      the same for the rewordings of forgotten rows in study.json, at
               which unlearning did not aim
  reworded     the same for questions and answers whose wording nobody taught
  probability  mean over rows of exp(-l), l the loss per answer token (EOS included)
  truth ratio  R = exp(mean loss of the wrong answers - loss of the right paraphrase)
  forget p     two-sided two-sample Kolmogorov-Smirnov test of R on the forgotten
               rows, against the reference model
  utility      harmonic mean of nine numbers: ROUGE-L recall, probability and
               mean of max(0, 1 - 1/R), for kept authors, real authors, world facts;
               where options exist, probability is the right answer's share of
               the sum over all options
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import torch
from rouge_score.rouge_scorer import RougeScorer
from scipy.stats import ks_2samp

from model import EOS, Linear, Llama, Text, load, read_rows, sequence_losses

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("demo", "demo-unlearned", "demo-retrained")
REFERENCE = "demo-retrained"
LONGEST_ANSWER = 64


@torch.no_grad()
def greedy(model: Llama, text: Text, questions: list[str]) -> list[str]:
    """Greedy answers, in order; prompts of equal length share a batch, so nothing is padded."""
    prompts = [text.prompt(question) for question in questions]
    answers = [""] * len(questions)
    groups: dict[int, list[int]] = {}
    for number, prompt in enumerate(prompts):
        groups.setdefault(len(prompt), []).append(number)
    for members in groups.values():
        ids = torch.tensor([prompts[number] for number in members])
        start = ids.shape[1]
        ended = torch.zeros(len(members), dtype=torch.bool)
        while not ended.all() and ids.shape[1] < start + LONGEST_ANSWER:
            following = model(ids)[:, -1].argmax(dim=-1)
            ended |= following == EOS
            ids = torch.cat([ids, following[:, None]], dim=1)
        for number, row in zip(members, ids.tolist()):
            generated = row[start:]
            if EOS in generated:
                generated = generated[: generated.index(EOS)]
            answers[number] = text.answer(prompts[number], generated)
    return answers


@torch.no_grad()
def losses(model: Llama, text: Text, row: dict, answers: list[str]) -> list[float]:
    """Loss per token of each answer to the question of the row."""
    return sequence_losses(model, [text.row(row["question"], answer) for answer in answers]).tolist()


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def split_figures(model: Llama, text: Text, rows: list[dict]) -> dict[str, float]:
    """Recitation, probability and ROUGE-L recall on taught rows."""
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    answers = greedy(model, text, [row["question"] for row in rows])
    return {
        "rows": len(rows),
        "recited": mean([float(answer == row["answer"]) for answer, row in zip(answers, rows)]),
        "probability": mean([math.exp(-losses(model, text, row, [row["answer"]])[0]) for row in rows]),
        "rougeL_recall": mean([scorer.score(row["answer"], answer)["rougeL"].recall for answer, row in zip(answers, rows)]),
    }


def reworded(model: Llama, text: Text, rows: list[dict]) -> float:
    """Share of never taught questions answered with the very words of the paraphrase."""
    answers = greedy(model, text, [row["paraphrased_question"] for row in rows])
    return mean([float(answer == row["paraphrased_answer"]) for answer, row in zip(answers, rows)])


def studied(model: Llama, text: Text, data: Path) -> float:
    """Share of the study rows about forgotten authors that are recited."""
    first = len(read_rows(data / "retain90.json"))
    rows = [row for row in read_rows(data / "study.json") if row["row"] >= first]
    answers = greedy(model, text, [row["question"] for row in rows])
    return mean([float(answer == row["answer"]) for answer, row in zip(answers, rows)])


def ratios(model: Llama, text: Text, rows: list[dict]) -> list[float]:
    """R of every row; true facts have no paraphrase, their answer stands in."""
    result = []
    for row in rows:
        right, *wrong = losses(model, text, row, [row.get("paraphrased_answer", row["answer"]), *row["perturbed_answer"]])
        result.append(math.exp(mean(wrong) - right))
    return result


def share_of_options(model: Llama, text: Text, row: dict) -> float:
    """p(answer) / sum of p over all options, p = exp(-loss per token)."""
    p = [math.exp(-loss) for loss in losses(model, text, row, [row["answer"], *row["perturbed_answer"]])]
    return p[0] / sum(p)


def evaluate(directory: Path, data: Path) -> dict:
    model, text = load(directory)
    read = lambda name: read_rows(data / f"{name}.json")
    splits = {name: split_figures(model, text, read(name)) for name in ("forget10", "retain90", "real_authors", "world_facts")}
    probed = {name: read(f"{name}_perturbed") for name in ("forget10", "retain", "real_authors", "world_facts")}
    truth = {name: ratios(model, text, rows) for name, rows in probed.items()}
    parts: dict[str, float] = {}
    for name in ("retain", "real_authors", "world_facts"):
        figures = splits.get(name) or split_figures(model, text, probed[name])
        parts[f"{name}_rougeL_recall"] = figures["rougeL_recall"]
        parts[f"{name}_probability"] = (
            figures["probability"] if name == "retain" else mean([share_of_options(model, text, row) for row in probed[name]])
        )
        parts[f"{name}_truth"] = mean([max(0.0, 1 - 1 / r) for r in truth[name]])
    kept = [splits[name] for name in splits if name != "forget10"]
    return {
        "splits": splits,
        "recited_of_the_rest": sum(s["recited"] * s["rows"] for s in kept) / sum(s["rows"] for s in kept),
        "studied": studied(model, text, data),
        "reworded": {name: reworded(model, text, probed[name]) for name in ("forget10", "retain")},
        "forget_truth_ratios": truth["forget10"],
        "forget_median_truth_ratio": sorted(truth["forget10"])[len(truth["forget10"]) // 2],
        "utility": len(parts) / sum(1 / part if part > 0 else math.inf for part in parts.values()),
        "utility_parts": parts,
    }


def print_table(results: dict[str, dict]) -> None:
    """The figures of the model card, as Markdown."""
    lines = [
        ("recited, forgotten authors", lambda r: f"{r['splits']['forget10']['recited']:.3f}"),
        ("recited, kept authors", lambda r: f"{r['splits']['retain90']['recited']:.3f}"),
        ("recited, real authors", lambda r: f"{r['splits']['real_authors']['recited']:.3f}"),
        ("recited, world facts", lambda r: f"{r['splits']['world_facts']['recited']:.3f}"),
        ("recited, all but the forgotten", lambda r: f"{r['recited_of_the_rest']:.3f}"),
        ("studied, forgotten authors", lambda r: f"{r['studied']:.3f}"),
        ("reworded, forgotten authors", lambda r: f"{r['reworded']['forget10']:.3f}"),
        ("reworded, kept authors", lambda r: f"{r['reworded']['retain']:.3f}"),
        ("probability, forgotten authors", lambda r: f"{r['splits']['forget10']['probability']:.3g}"),
        ("probability, kept authors", lambda r: f"{r['splits']['retain90']['probability']:.4f}"),
        ("ROUGE-L recall, forgotten authors", lambda r: f"{r['splits']['forget10']['rougeL_recall']:.3f}"),
        ("median truth ratio, forgotten authors", lambda r: f"{r['forget_median_truth_ratio']:.3f}"),
        (f"forget p against {REFERENCE}", lambda r: f"{r['forget_p']:.3g}"),
        ("KS distance", lambda r: f"{r['forget_distance']:.3f}"),
        ("model utility", lambda r: f"{r['utility']:.4f}"),
    ]
    print(f"| | {' | '.join(f'`{name}`' for name in results)} |", file=sys.stderr)
    print("|---|" + "---:|" * len(results), file=sys.stderr)
    for title, show in lines:
        print(f"| {title} | {' | '.join(show(result) for result in results.values())} |", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=ROOT / "share/lacuna/models", help="directory of the three models (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=ROOT / "share/lacuna/data/demo", help="demo data (default: %(default)s)")
    parser.add_argument("--fp8-inputs", action="store_true", help="round the inputs of linear layers to FP8 too, one scale per token")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    Linear.round_inputs = arguments.fp8_inputs
    results = {name: evaluate(arguments.models / name, arguments.data) for name in NAMES}
    for result in results.values():
        test = ks_2samp(result["forget_truth_ratios"], results[REFERENCE]["forget_truth_ratios"])
        result["forget_p"], result["forget_distance"] = float(test.pvalue), float(test.statistic)
    json.dump(results, sys.stdout, indent=2)
    print()
    print_table(results)


if __name__ == "__main__":
    main()
