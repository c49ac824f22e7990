"""Writes the trained help model as a GGUF file that llama.cpp of 2023 and later can run."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch
from help_network import HelpNetwork
from help_template import CHAT_TEMPLATE
from help_tokenizer import BEGIN, END, FIRST_BYTE, FIXED_PIECES, UNKNOWN, HelpTokenizer

NAME = "fairlead-help"
ABOUT = (
    "Fairlead's onboard help model. Answers questions about Fairlead and nothing else. "
    "Trained from random weights on the project's own text only."
)


def export(network: HelpNetwork, tokenizer: HelpTokenizer, path: Path) -> None:
    """Write weights (q8_0, norms in f32), vocabulary and chat template to `path`."""
    writer = gguf.GGUFWriter(str(path), "llama")
    _add_description(writer, network)
    _add_vocabulary(writer, tokenizer)
    for name, tensor in network.state_dict().items():
        _add_tensor(writer, name, tensor)
    # Readers of 2023 want an output matrix of its own even where it equals the embedding.
    _add_tensor(writer, "output.weight", network.token_embd.weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def restore_tokenizer(path: Path) -> HelpTokenizer:
    """Return the tokenizer of an exported file."""
    field = gguf.GGUFReader(str(path)).fields["tokenizer.ggml.tokens"]
    pieces = [bytes(field.parts[at]).decode() for at in field.data]
    return HelpTokenizer(pieces[FIXED_PIECES:])


def restore_weights(network: HelpNetwork, path: Path) -> None:
    """Fill the network with the weights of an exported file of the same shape."""
    reader = gguf.GGUFReader(str(path))
    weights = {
        tensor.name: torch.from_numpy(
            np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        )
        for tensor in reader.tensors
        if tensor.name != "output.weight"
    }
    network.load_state_dict(weights)


def _add_description(writer: gguf.GGUFWriter, network: HelpNetwork) -> None:
    shape = network.shape
    writer.add_name(NAME)
    writer.add_description(ABOUT)
    writer.add_license("Apache-2.0")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _add_vocabulary(writer: gguf.GGUFWriter, tokenizer: HelpTokenizer) -> None:
    kinds = [gguf.TokenType.NORMAL] * len(tokenizer.pieces)
    kinds[UNKNOWN] = gguf.TokenType.UNKNOWN
    kinds[BEGIN] = kinds[END] = gguf.TokenType.CONTROL
    kinds[FIRST_BYTE : FIRST_BYTE + 256] = [gguf.TokenType.BYTE] * 256
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokenizer.pieces)
    writer.add_token_scores(tokenizer.scores())
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_tensor(writer: gguf.GGUFWriter, name: str, tensor: torch.Tensor) -> None:
    numbers = tensor.detach().to(torch.float32).numpy().astype(np.float32)
    if numbers.ndim == 1:
        writer.add_tensor(name, numbers)
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
