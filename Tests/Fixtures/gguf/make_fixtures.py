"""Writes the fixtures of this folder with the `gguf` package (PyPI), which defines the format.

    python3 -m venv venv && venv/bin/pip install gguf==0.19.0
    venv/bin/python make_fixtures.py

blocks.json       raw blocks of each type and the float32 values that gguf decodes them to, both as hex
tiny-spm.gguf     llama: F16, untied, biases, SentencePiece vocabulary; every weight follows value() below
tiny-bpe.gguf     llama: Q8_0, Q4_1 and F32, tied, byte-level vocabulary, Llama 3 rope factors
tiny-bpe.json     rows of tiny-bpe.gguf in Hugging Face's order, as hex
"""

import json
import math

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGUFWriter, TokenType
from gguf.quants import dequantize, quantize
from gguf.constants import GGML_QUANT_SIZES

random = np.random.default_rng(5)


def hexed(array, dtype):
    return np.ascontiguousarray(array, dtype=dtype).tobytes().hex()


def write_blocks():
    halves = {T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2],
              T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
    cases = {}
    for kind in [T.F32, T.F16, T.BF16, *halves]:
        length, size = GGML_QUANT_SIZES[kind]
        if kind in halves:
            count = 4 if length == 32 else 2
            raw = random.integers(0, 256, (count, size), dtype=np.uint8)
            for offset in halves[kind]:
                # Scales of both signs, a subnormal one in the last block.
                scales = (random.normal(size=count) / 8).astype(np.float16)
                scales[-1] = np.float16(3e-7)
                raw[:, offset:offset + 2] = scales.view(np.uint8).reshape(count, 2)
            raw = raw.reshape(1, -1)
        else:
            values = np.concatenate([random.normal(size=58), [0, -0.0, 1, -2, 6e-8, 3e-5]]).astype(np.float32)
            raw = {T.F32: values, T.F16: values.astype(np.float16),
                   T.BF16: (values.view(np.uint32) >> 16).astype(np.uint16)}[kind].view(np.uint8).reshape(1, -1)
        plain = {T.F32: np.float32, T.F16: np.float16}.get(kind)
        values = raw.view(plain).astype(np.float32) if plain else dequantize(raw, kind)
        cases[kind.name] = {"blocks": raw.tobytes().hex(), "values": hexed(values, "<f4")}
    with open("blocks.json", "w") as file:
        json.dump(cases, file, indent=1)


HIDDEN, HEADS, KV_HEADS, HEAD_DIM, INNER, LAYERS = 32, 4, 2, 8, 64, 2


def value(tensor, rows, cols):
    """Element (r, c) of tensor number `tensor`: exact in float16 and bfloat16."""
    r, c = np.arange(rows)[:, None], np.arange(cols)[None, :]
    return ((((tensor * 31 + r * 7 + c * 3) % 127) - 63) / 64).astype(np.float32)


def permute(weights, heads):
    """The reordering of q and k rows in llama.cpp's convert_hf_to_gguf.py."""
    return (weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
            .swapaxes(1, 2).reshape(weights.shape))


def shapes(vocabulary):
    yield "token_embd.weight", vocabulary, HIDDEN
    yield "output_norm.weight", 1, HIDDEN
    yield "output.weight", vocabulary, HIDDEN
    for layer in range(LAYERS):
        for name, rows, cols in [("attn_norm", 1, HIDDEN), ("attn_q", HEADS * HEAD_DIM, HIDDEN),
                                 ("attn_k", KV_HEADS * HEAD_DIM, HIDDEN), ("attn_v", KV_HEADS * HEAD_DIM, HIDDEN),
                                 ("attn_output", HIDDEN, HEADS * HEAD_DIM), ("ffn_norm", 1, HIDDEN),
                                 ("ffn_gate", INNER, HIDDEN), ("ffn_up", INNER, HIDDEN), ("ffn_down", HIDDEN, INNER)]:
            yield f"blk.{layer}.{name}.weight", rows, cols
            if "norm" not in name and "ffn" not in name:
                yield f"blk.{layer}.{name}.bias", 1, rows


def writer(path, vocabulary, context):
    w = GGUFWriter(path, "llama")
    w.add_block_count(LAYERS)
    w.add_context_length(context)
    w.add_embedding_length(HIDDEN)
    w.add_feed_forward_length(INNER)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(vocabulary)
    w.add_rope_dimension_count(HEAD_DIM)
    return w


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def heads_of(name):
    return HEADS if "attn_q." in name else KV_HEADS if "attn_k." in name else None


def write_spm():
    letters = ["▁", "e", "t", "h", "a", "▁t", "he", "▁the", "▁a", "th"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + letters + ["<extra>"]
    types = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL] + [TokenType.BYTE] * 256
    types += [TokenType.NORMAL] * len(letters) + [TokenType.USER_DEFINED]
    w = writer("tiny-spm.gguf", len(tokens), 128)
    w.add_rope_freq_base(50000.0)
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list(tokens)
    w.add_token_scores([0.0] * 259 + [-float(i) for i in range(len(letters))] + [0.0])
    w.add_token_types(types)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    w.add_chat_template("{{ messages }}")
    for number, (name, rows, cols) in enumerate(shapes(len(tokens))):
        weights = value(number, rows, cols)
        if rows == 1:
            weights = weights[0]
        if heads_of(name):
            weights = permute(weights, heads_of(name))
        w.add_tensor(name, weights.astype(np.float32 if weights.ndim == 1 else np.float16))
    finish(w)


def printable_bytes():
    """GPT-2's byte alphabet."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, next_code = {}, 256
    for byte in range(256):
        if byte in keep:
            table[byte] = chr(byte)
        else:
            table[byte], next_code = chr(next_code), next_code + 1
    return [table[byte] for byte in range(256)]


def write_bpe():
    merges = ["Ġ t", "h e", "Ġt he", "i n"]
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + printable_bytes() + [m.replace(" ", "") for m in merges]
    types = [TokenType.CONTROL] * 3 + [TokenType.NORMAL] * (len(tokens) - 3)
    w = writer("tiny-bpe.gguf", len(tokens), 131072)
    w.add_rope_freq_base(500000.0)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("smollm")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges(merges)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_bos_token(False)
    factors = []
    for i in range(HEAD_DIM // 2):
        wavelength = 2 * math.pi * 500000.0 ** (2 * i / HEAD_DIM)
        if wavelength < 8192 / 4:
            factors.append(1.0)
        elif wavelength > 8192:
            factors.append(32.0)
        else:
            smooth = (8192 / wavelength - 1) / 3
            factors.append(1 / ((1 - smooth) / 32 + smooth))
    w.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    expected = {}
    for number, (name, rows, cols) in enumerate(shapes(len(tokens))):
        if name == "output.weight" or name.endswith(".bias"):
            continue
        weights = random.normal(size=(rows, cols)).astype(np.float32)
        if rows == 1:
            w.add_tensor(name, weights[0])
            continue
        kind = T.Q8_0 if "token_embd" in name else T.Q4_1
        raw = quantize(weights, kind)
        values = dequantize(raw, kind)
        heads = heads_of(name)
        w.add_tensor(name, permute(raw, heads) if heads else raw, raw_dtype=kind)
        # Rows quantize one by one, so the order in which they are stored does not change them.
        if name.startswith("blk.1.") or "token_embd" in name:
            expected[name] = {"rows": rows, "cols": cols, "first": hexed(values[0], "<f4"), "sixth": hexed(values[5], "<f4")}
    finish(w)
    with open("tiny-bpe.json", "w") as file:
        json.dump(expected, file, indent=1)


write_blocks()
write_spm()
write_bpe()
