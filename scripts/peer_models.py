"""What the benches beside other runtimes share: their Python packages, and random models of the shape of Llama-2-7B."""

import os
import pathlib
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "lacuna" / "peers"
LAYERS, HIDDEN, INNER, HEADS, VOCABULARY, CONTEXT = 32, 4096, 11008, 32, 32000, 4096


def enter_environment(packages, modules):
    """Starts the script again in the virtual environment, which is made and filled first if need be."""
    folder = pathlib.Path(os.environ.get("LACUNA_PEERS_VENV") or CACHE / "venv")
    python = folder / "bin" / "python"
    if pathlib.Path(sys.prefix) == folder.absolute():
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    probe = "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))"
    if subprocess.run([python, "-c", probe, *modules], stderr=subprocess.DEVNULL).returncode != 0:
        print(f"installing {', '.join(packages)} into {folder}", file=sys.stderr)
        # GCC 12 leaves out those stores to llama.cpp's tile configuration that only the instruction reads.
        flags = "-fno-tree-dse -fno-dse"
        environment = {**os.environ, "CFLAGS": flags, "CXXFLAGS": flags}
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, env=environment)
    os.execv(python, [python, *sys.argv])


def llama_config(layers, vocabulary=VOCABULARY):
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=layers,
        num_attention_heads=HEADS, max_position_embeddings=CONTEXT)


def random_llama(config):
    """A Llama in bfloat16 whose matrices are cut from one block of noise: nothing is initialised weight by weight."""
    import torch
    from transformers import LlamaForCausalLM

    with torch.device("meta"):
        model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.to_empty(device="cpu")
    noise = torch.randn(config.vocab_size * config.hidden_size, dtype=torch.float32).mul_(0.02).to(torch.bfloat16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(noise[: parameter.numel()].view_as(parameter) if parameter.dim() > 1 else 1.0)
    # What is calculated and not stored was lost on the way through "meta".
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    return model.eval()
