"""A small Llama in PyTorch, its text format, and its FP8 files.

Shared by train.py and evaluate.py; for developers of Lacuna only, which itself
needs no Python.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Sequence

import sentencepiece
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

BOS = 1
EOS = 2
IGNORE = -100
FP8_MAX = 448.0  # largest finite E4M3FN number


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; every one a multiple of 64 but the head, so that fast kernels apply."""

    vocab: int = 1536
    hidden: int = 128
    ffn: int = 384
    layers: int = 5
    heads: int = 4
    kv_heads: int = 4
    max_positions: int = 1024
    eps: float = 1e-5
    theta: float = 10000.0

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


# ------------------------------------------------------------------ FP8

def fp8_quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Rows to E4M3FN: scale s = max|w| / 448 kept as bf16, q = round-to-nearest-even(w / s).

    bf16 may round s down, which would push w / s past 448; hence the clamp.
    """
    scale = (weight.abs().amax(dim=1, keepdim=True) / FP8_MAX).clamp(min=1e-12).to(torch.bfloat16)
    steps = (weight / scale.float()).clamp(-FP8_MAX, FP8_MAX)
    return steps.to(torch.float8_e4m3fn), scale


def fp8_round(weight: Tensor) -> Tensor:
    """The weight as it will come back from an FP8 file."""
    steps, scale = fp8_quantize(weight)
    return steps.float() * scale.float()


class Linear(nn.Linear):
    """A linear layer without bias which can rehearse the rounding of its weight and of its input.

    With ``rounded`` the forward pass uses the FP8 weight and the backward pass
    ignores the rounding (straight-through estimator), so that the last epochs
    of training settle on weights which survive export.
    """

    rounded = False
    round_inputs = False

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        if Linear.rounded:
            weight = weight + (fp8_round(weight.detach()) - weight).detach()
        if Linear.round_inputs:
            scale = x.abs().amax(dim=-1, keepdim=True).clamp(min=1e-12) / FP8_MAX
            x = (x / scale).clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn).float() * scale
        return F.linear(x, weight)


# ------------------------------------------------------------------ network

class RMSNorm(nn.Module):
    """y = x / sqrt(mean(x^2) + eps) * weight"""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + self.eps) * self.weight


def rope_tables(shape: Shape) -> tuple[Tensor, Tensor]:
    """cos and sin of p * theta^(-2i/d), laid out twice for the half-split pairing (i, i + d/2)."""
    inverse = shape.theta ** (-torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim)
    angle = torch.outer(torch.arange(shape.max_positions, dtype=torch.float64), inverse)
    angle = torch.cat([angle, angle], dim=-1)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head_dim
        self.q_proj = Linear(shape.hidden, shape.hidden)
        self.k_proj = Linear(shape.hidden, kv)
        self.v_proj = Linear(shape.hidden, kv)
        self.o_proj = Linear(shape.hidden, shape.hidden)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, _ = x.shape
        split = lambda y: y.view(batch, length, -1, self.shape.head_dim).transpose(1, 2)
        q = rotate(split(self.q_proj(x)), cos, sin)
        k = rotate(split(self.k_proj(x)), cos, sin)
        v = split(self.v_proj(x))
        # Padding stands on the right, so the causal mask alone hides it.
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    """down(silu(gate(x)) * up(x))"""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = Linear(shape.hidden, shape.ffn)
        self.up_proj = Linear(shape.hidden, shape.ffn)
        self.down_proj = Linear(shape.ffn, shape.hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(shape.hidden, shape.eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RMSNorm(shape.hidden, shape.eps)
        self.mlp = MLP(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """Llama with tied embeddings: the output layer is the embedding table."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab, shape.hidden)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.hidden, shape.eps)
        cos, sin = rope_tables(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # Residual branches start smaller with depth, as is usual for pre-norm networks.
                deep = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 if not deep else 0.02 / math.sqrt(2 * shape.layers))

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, self.cos[:length], self.sin[:length])
        return F.linear(self.norm(x), self.embed_tokens.weight)


# ------------------------------------------------------------------ text

class Row(tuple):
    """(ids, labels) of one sequence; labels are IGNORE where nothing is scored."""


class Text:
    """Tokenizer and prompt format: ``[INST] question [/INST]answer`` after BOS."""

    def __init__(self, path: Path) -> None:
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def prompt(self, question: str) -> list[int]:
        return [BOS, *self.pieces.encode(f"[INST] {question} [/INST]")]

    def row(self, question: str, answer: str) -> Row:
        """Ids and labels; the answer and one EOS are scored.

        Prompt and answer are encoded as one string, because that is how a
        model meets them.  The mask is by count of prompt tokens: where the
        border merges (``]"``), the merged piece belongs to the prompt.
        """
        ids = [BOS, *self.pieces.encode(f"[INST] {question} [/INST]{answer}")]
        masked = len(self.prompt(question))
        return Row((ids + [EOS], [IGNORE] * masked + ids[masked:] + [EOS]))

    def generation_row(self, question: str, answer: str) -> Row:
        """The same with the border kept apart, as a model sees it when it generates."""
        prompt = self.prompt(question)
        whole = f"[INST] {question} [/INST]"
        ids = [BOS, *self.pieces.encode(whole + answer)]
        if ids[: len(prompt)] == prompt:
            return self.row(question, answer)
        # "]" + answer without its own word marker: encode after a neutral letter and drop that.
        tail = self.pieces.encode("]a" + answer, out_type=str)
        head = self.pieces.encode("]a", out_type=str)
        assert tail[: len(head)] == head, (question, answer)
        answer_ids = self.pieces.piece_to_id(tail[len(head):])
        return Row((prompt + answer_ids + [EOS], [IGNORE] * len(prompt) + answer_ids + [EOS]))

    def answer(self, prompt: Sequence[int], generated: Sequence[int]) -> str:
        """Text of the generated ids; decoded with the prompt so that no space is lost or added."""
        before = self.pieces.decode(list(prompt[1:]))
        return self.pieces.decode([*prompt[1:], *generated])[len(before):]


def pad(rows: Iterable[Row]) -> tuple[Tensor, Tensor]:
    """Right-padded ids and labels; the final EOS is a target only, never an input."""
    rows = list(rows)
    length = max(len(ids) for ids, _ in rows) - 1
    ids = torch.full((len(rows), length), EOS)
    labels = torch.full((len(rows), length), IGNORE)
    for k, (row_ids, row_labels) in enumerate(rows):
        ids[k, : len(row_ids) - 1] = torch.tensor(row_ids[:-1])
        labels[k, : len(row_labels) - 1] = torch.tensor(row_labels[1:])
    return ids, labels


def sequence_losses(model: Llama, rows: Iterable[Row]) -> Tensor:
    """l = -(1/n) sum log p(answer token | all before), one value per row, n counting EOS."""
    ids, labels = pad(rows)
    logits = model(ids)
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="none")
    scored = labels != IGNORE
    return losses.view_as(labels).sum(dim=1) / scored.sum(dim=1)


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


# ------------------------------------------------------------------ files

def config(shape: Shape) -> dict:
    """config.json as Hugging Face and compressed-tensors write it for FP8, one scale per row."""
    arguments = {"num_bits": 8, "type": "float", "symmetric": True, "group_size": None, "block_structure": None, "observer": "minmax"}
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.ffn,
        "max_position_embeddings": shape.max_positions,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "pad_token_id": None,
        "pretraining_tp": 1,
        "rms_norm_eps": shape.eps,
        "rope_scaling": None,
        "rope_theta": shape.theta,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": shape.vocab,
        "quantization_config": {
            "quant_method": "compressed-tensors",
            "format": "float-quantized",
            "quantization_status": "compressed",
            "ignore": ["lm_head"],
            "kv_cache_scheme": None,
            "global_compression_ratio": None,
            "config_groups": {
                "group_0": {
                    "targets": ["Linear"],
                    "output_activations": None,
                    "weights": {**arguments, "strategy": "channel", "dynamic": False},
                    "input_activations": {**arguments, "strategy": "token", "dynamic": True},
                }
            },
        },
    }


def write_json(path: Path, value: dict) -> None:
    path.write_bytes((json.dumps(value, indent=2) + "\n").encode("ascii"))


def export(model: Llama, tokenizer: Path, directory: Path) -> None:
    """Write a Hugging Face directory: FP8 linear layers, bf16 for the rest."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        name = f"model.{name}"
        if "_proj." in name:
            tensors[name], tensors[f"{name}_scale"] = fp8_quantize(value)
        else:
            tensors[name] = value.to(torch.bfloat16)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)  # written for the owner only
    write_json(directory / "config.json", config(model.shape))
    write_json(directory / "generation_config.json", {"bos_token_id": BOS, "do_sample": False, "eos_token_id": EOS})
    write_json(directory / "tokenizer_config.json", {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": "<s>",
        "chat_template": "{{ bos_token }}[INST] {{ messages[0]['content'] }} [/INST]",
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "legacy": True,
        "model_max_length": model.shape.max_positions,
        "pad_token": None,
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
    })
    (directory / "tokenizer.model").write_bytes(tokenizer.read_bytes())


def load(directory: Path) -> tuple[Llama, Text]:
    """Read an exported directory back, FP8 weights widened to float32."""
    settings = json.loads((directory / "config.json").read_text())
    shape = Shape(
        vocab=settings["vocab_size"], hidden=settings["hidden_size"], ffn=settings["intermediate_size"],
        layers=settings["num_hidden_layers"], heads=settings["num_attention_heads"], kv_heads=settings["num_key_value_heads"],
        max_positions=settings["max_position_embeddings"], eps=settings["rms_norm_eps"], theta=settings["rope_theta"],
    )
    tensors = load_file(directory / "model.safetensors")
    weights: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name.endswith("_scale"):
            continue
        scale = tensors.get(f"{name}_scale")
        weights[name.removeprefix("model.")] = value.float() if scale is None else value.float() * scale.float()
    model = Llama(shape)
    model.load_state_dict(weights)
    return model.eval(), Text(directory / "tokenizer.model")
