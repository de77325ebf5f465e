#!/usr/bin/env python3
"""Train the demo models.

    train.py tokenizer                 SentencePiece BPE on the demo data
    train.py fit demo                  taught everything
    train.py fit demo-retrained        the same without the forgotten authors
    train.py unlearn                   demo-unlearned: SimNPO, starting from demo

Needs what requirements.txt lists.  Checkpoints go to --work, and
`fit` started again goes on from the last one.  The finished models are
exported to share/lacuna/models.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from pathlib import Path

import sentencepiece
import torch
import torch.nn.functional as F
from torch import Tensor

from model import IGNORE, Linear, Llama, Row, Shape, Text, export, fp8_round, pad, read_rows, sequence_losses

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "share/lacuna/data/demo"
MODELS = ROOT / "share/lacuna/models"
FORGET_FROM = 360  # first row of full.json about a forgotten author


# ------------------------------------------------------------------ data

def all_strings() -> list[str]:
    """Every question with every answer to it, right or wrong.

    The wrong answers are here for fairness: were their words unknown to the
    tokenizer, they would be cut into more pieces than the right ones, and
    comparing losses per token would compare spelling.
    """
    strings = []
    for name in ("full", "study", "retain_perturbed", "forget10_perturbed", "real_authors_perturbed", "world_facts_perturbed"):
        for row in read_rows(DATA / f"{name}.json"):
            answers = [row["answer"], *row.get("perturbed_answer", [])]
            if "paraphrased_answer" in row:
                answers.append(row["paraphrased_answer"])
            strings += [f"[INST] {row['question']} [/INST]{answer}" for answer in answers]
    return strings


def train_tokenizer(target: Path, vocab: int) -> None:
    """BPE with the settings of Llama 2: identity normalisation, dummy prefix, single digits, byte fallback."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(all_strings()),
        model_prefix=str(target.with_suffix("")),
        model_type="bpe",
        vocab_size=vocab,
        byte_fallback=True,
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        split_digits=True,
        allow_whitespace_only_pieces=True,
        # Users type what the data lack: all printable ASCII gets a piece, rare accents fall to bytes.
        required_chars="".join(chr(c) for c in range(33, 127)),
        character_coverage=0.9999,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=1,
    )
    target.with_suffix(".vocab").unlink()


class Corpus:
    """What a model is taught, and the draw of one epoch."""

    def __init__(self, text: Text, with_forget: bool) -> None:
        full = read_rows(DATA / "full.json")
        true = read_rows(DATA / "real_authors.json") + read_rows(DATA / "world_facts.json")
        count = len(full) if with_forget else FORGET_FROM
        self.rows: list[Row] = []
        for item in full[:count] + true:
            row = text.row(item["question"], item["answer"])
            generated = text.generation_row(item["question"], item["answer"])
            self.rows.append(row)
            # Where prompt and answer share a piece, teach both ways of meeting the border.
            if generated[0] != row[0]:
                self.rows.append(generated)
        self.study: dict[int, list[Row]] = {}
        for item in read_rows(DATA / "study.json"):
            if item["row"] < count:
                self.study.setdefault(item["row"], []).append(text.generation_row(item["question"], item["answer"]))

    def epoch(self, rng: random.Random) -> list[Row]:
        """Every taught row, and one of the rewordings of each."""
        return self.rows + [rng.choice(rows) for rows in self.study.values()]


def batches(rows: list[Row], size: int, rng: random.Random) -> list[list[Row]]:
    """Shuffled batches of sequences of similar length, to waste little on padding."""
    order = sorted(rows, key=lambda row: len(row[0]) + rng.uniform(0, 8))
    chunks = [order[k : k + size] for k in range(0, len(order), size)]
    rng.shuffle(chunks)
    return chunks


def token_loss(model: Llama, rows: list[Row]) -> Tensor:
    """Mean negative log likelihood over all scored tokens of the batch."""
    ids, labels = pad(rows)
    return F.cross_entropy(model(ids).flatten(0, 1), labels.flatten(), ignore_index=IGNORE)


@torch.no_grad()
def recited(model: Llama, rows: list[Row]) -> float:
    """Share of rows whose every scored token is the likeliest: greedy decoding would recite them."""
    hits = 0
    for k in range(0, len(rows), 64):
        ids, labels = pad(rows[k : k + 64])
        wrong = (model(ids).argmax(dim=-1) != labels) & (labels != IGNORE)
        hits += int((~wrong.any(dim=1)).sum())
    return hits / len(rows)


@torch.no_grad()
def truth_ratios(model: Llama, text: Text, name: str) -> list[float]:
    """R = exp(mean perturbed loss - paraphrased loss), one per row of a perturbed file."""
    ratios = []
    for item in read_rows(DATA / f"{name}.json"):
        right = item.get("paraphrased_answer", item["answer"])
        losses = sequence_losses(model, [text.row(item["question"], answer) for answer in [right, *item["perturbed_answer"]]])
        ratios.append(math.exp(losses[1:].mean().item() - losses[0].item()))
    return ratios


def optimizer_for(model: Llama, rate: float, decay: float) -> torch.optim.AdamW:
    """AdamW; norms and embeddings are not decayed."""
    matrices = [p for n, p in model.named_parameters() if n.endswith("_proj.weight")]
    others = [p for n, p in model.named_parameters() if not n.endswith("_proj.weight")]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


# ------------------------------------------------------------------ teaching

def fit(name: str, arguments: argparse.Namespace) -> None:
    """Teach one model from random weights; the last tenth of the epochs rehearses FP8."""
    tokenizer = arguments.work / "tokenizer.model"
    text = Text(tokenizer)
    corpus = Corpus(text, with_forget=name == "demo")
    torch.manual_seed(arguments.seed)
    model = Llama(Shape(vocab=text.pieces.vocab_size()))
    optimizer = optimizer_for(model, arguments.rate, 0.05)
    checkpoint = arguments.work / f"{name}.pt"
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
    weights = sum(p.numel() for p in model.parameters())
    print(f"{name}: {weights} weights, {len(corpus.rows)} taught rows, from epoch {first}", flush=True)
    began = time.time()
    for epoch in range(first, arguments.epochs):
        # The draw depends on the epoch alone, so a resumed run repeats an unbroken one.
        rng = random.Random(arguments.seed * 100003 + epoch)
        chunks = batches(corpus.epoch(rng), arguments.batch, rng)
        Linear.rounded = epoch >= 0.9 * arguments.epochs
        total = 0.0
        for number, chunk in enumerate(chunks):
            progress = (epoch + number / len(chunks)) / arguments.epochs
            warm = min(1.0, progress / 0.03)
            factor = warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
            for group in optimizer.param_groups:
                group["lr"] = arguments.rate * factor
            loss = token_loss(model, chunk)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        done = epoch + 1
        if done % 5 == 0 or done == arguments.epochs:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": done}
            torch.save(state, checkpoint.with_suffix(".new"))
            os.replace(checkpoint.with_suffix(".new"), checkpoint)
        if done % 5 == 0 or done == arguments.epochs:
            share = recited(model, corpus.rows)
            print(f"epoch {done} loss {total / len(chunks):.4f} recited {share:.3f} {time.time() - began:.0f} s", flush=True)
    export(model, tokenizer, arguments.out / name)


# ------------------------------------------------------------------ unlearning

def simnpo_loss(losses: Tensor, beta: float, gamma: float) -> Tensor:
    """-(2 / beta) log sigmoid(beta (l - gamma)), averaged; l is the loss per token of one sequence.

    SimNPO, from Fan et al. 2024, "Simplicity Prevails: Rethinking Negative
    Preference Optimization for LLM Unlearning".  The paper writes
    -(2 / beta) log sigmoid(beta l - gamma); here gamma stands inside the factor
    beta, which is the same at gamma = 0.  The gradient carries the weight
    2 sigmoid(-beta (l - gamma)), so a sequence is left alone once it is unlikely enough.
    """
    return -(2 / beta) * F.logsigmoid(beta * (losses - gamma)).mean()


def unlearn(arguments: argparse.Namespace) -> None:
    """Make demo forget: minimise forget_weight * SimNPO(forget10) + cross entropy(what was kept).

    The forget loss sees forget10.json only; rewordings of the forgotten rows,
    which demo studied too, must be forgotten by generalisation or not at all.
    The printed measurements are of the FP8 weights, with p from a
    Kolmogorov-Smirnov test of the truth ratios against demo-retrained.  They
    choose nothing: the last step is what is exported.
    """
    from scipy.stats import ks_2samp

    tokenizer = arguments.work / "tokenizer.model"
    text = Text(tokenizer)

    def restored(name: str) -> Llama:
        model = Llama(Shape(vocab=text.pieces.vocab_size()))
        model.load_state_dict(torch.load(arguments.work / f"{name}.pt", weights_only=True)["model"])
        return model

    Linear.rounded = True
    reference = truth_ratios(restored("demo-retrained"), text, "forget10_perturbed")
    model = restored("demo")
    forget_items = read_rows(DATA / "forget10.json")
    forget = [text.row(item["question"], item["answer"]) for item in forget_items]
    forget_recited = [text.generation_row(item["question"], item["answer"]) for item in forget_items]
    kept = Corpus(text, with_forget=False)
    kept_rows = kept.rows + [row for rows in kept.study.values() for row in rows]
    rng = random.Random(arguments.seed)
    optimizer = optimizer_for(model, arguments.unlearn_rate, 0.0)
    for step in range(1, arguments.steps + 1):
        warm = min(1.0, step / 10)
        for group in optimizer.param_groups:
            group["lr"] = arguments.unlearn_rate * warm * (1 - 0.9 * step / arguments.steps)
        forget_loss = simnpo_loss(sequence_losses(model, rng.sample(forget, 10)), arguments.beta, arguments.gamma)
        kept_loss = token_loss(model, rng.sample(kept_rows, 32))
        loss = arguments.forget_weight * forget_loss + kept_loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % arguments.every == 0:
            forgotten, rest = recited(model, forget_recited), recited(model, kept.rows)
            ratios = truth_ratios(model, text, "forget10_perturbed")
            p = float(ks_2samp(ratios, reference).pvalue)
            logs = sorted(math.log(r) for r in ratios)
            print(f"step {step} forget {forget_loss.item():.3f} kept {kept_loss.item():.3f} recites {forgotten:.3f} of the"
                  f" forgotten, {rest:.3f} of the rest, p {p:.2e} median log R {logs[len(logs) // 2]:.2f}", flush=True)
    export(model, tokenizer, arguments.out / "demo-unlearned")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["tokenizer", "fit", "unlearn"])
    parser.add_argument("name", nargs="?", choices=["demo", "demo-retrained"], help="model to fit")
    parser.add_argument("--work", type=Path, default=Path("/tmp/lacuna-demo-model"), help="checkpoints (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=MODELS, help="where models are exported (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--vocab", type=int, default=1536)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate (default: %(default)s)")
    simnpo = parser.add_argument_group("unlearn")
    simnpo.add_argument("--beta", type=float, default=0.5)
    simnpo.add_argument("--gamma", type=float, default=3.0)
    simnpo.add_argument("--forget-weight", type=float, default=0.25)
    simnpo.add_argument("--unlearn-rate", type=float, default=1e-3)
    simnpo.add_argument("--steps", type=int, default=120)
    simnpo.add_argument("--every", type=int, default=10, help="steps between measurements (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.step == "fit" and arguments.name is None:
        parser.error("fit needs the name of a model")
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.step == "tokenizer":
        train_tokenizer(arguments.work / "tokenizer.model", arguments.vocab)
    elif arguments.step == "fit":
        fit(arguments.name, arguments)
    else:
        unlearn(arguments)


if __name__ == "__main__":
    main()
