"""The help model's network: a small Llama whose arithmetic is the one llama.cpp runs.

Names of modules follow the GGUF tensor names, so that export is a plain copy. Rotary embedding
turns neighbouring pairs (2i, 2i+1), as llama.cpp does for `llama` files; no permutation is needed.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every torch text uses


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of the network; every width is a multiple of 32, the block size of q8_0."""

    vocabulary: int
    width: int = 256
    layers: int = 3
    heads: int = 8
    feed_forward: int = 640
    context: int = 2048
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Numbers per attention head."""
        return self.width // self.heads


def rotation(shape: Shape, length: int) -> Tensor:
    """Cosines and sines of positions 0..length-1, shape (2, length, head_width / 2)."""
    pairs = torch.arange(0, shape.head_width, 2, dtype=torch.float32)
    speed = shape.rope_base ** (-pairs / shape.head_width)
    angle = torch.outer(torch.arange(length, dtype=torch.float32), speed)
    return torch.stack((angle.cos(), angle.sin()))


def rotate(heads: Tensor, turn: Tensor) -> Tensor:
    """Turn the pairs of `heads` (batch, head, position, head_width) by their position's angle."""
    even, odd = heads[..., 0::2], heads[..., 1::2]
    cosine, sine = turn[0], turn[1]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2)


class Block(nn.Module):
    """One layer: attention and a gated feed-forward, each behind an RMS norm and a residual."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.attn_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, stream: Tensor, turn: Tensor) -> Tensor:
        """Add this layer's contribution to the residual stream (batch, position, width)."""
        stream = stream + self._drop(self._attend(self.attn_norm(stream), turn))
        normed = self.ffn_norm(stream)
        gated = F.silu(self.ffn_gate(normed)) * self.ffn_up(normed)
        return stream + self._drop(self.ffn_down(gated))

    def _attend(self, normed: Tensor, turn: Tensor) -> Tensor:
        batch, length, width = normed.shape
        split = (batch, length, self.shape.heads, self.shape.head_width)
        query = rotate(self.attn_q(normed).view(split).transpose(1, 2), turn)
        key = rotate(self.attn_k(normed).view(split).transpose(1, 2), turn)
        value = self.attn_v(normed).view(split).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended: Tensor = self.attn_output(mixed.transpose(1, 2).reshape(batch, length, width))
        return attended

    def _drop(self, change: Tensor) -> Tensor:
        return F.dropout(change, self.dropout, self.training)


class HelpNetwork(nn.Module):
    """A decoder whose output matrix is its embedding matrix."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.register_buffer("turn", rotation(shape, shape.context), persistent=False)
        residual_scale = (2 * shape.layers) ** -0.5
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                closing = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weight, std=0.04 * (residual_scale if closing else 1.0))

    def hidden(self, tokens: Tensor) -> Tensor:
        """Final normed states of `tokens` (batch, position)."""
        stream = self.token_embd(tokens)
        turn = self.get_buffer("turn")[:, : tokens.shape[1]].to(stream.dtype)
        for block in self.blk:
            stream = block(stream, turn)
        normed: Tensor = self.output_norm(stream)
        return normed

    def loss(self, tokens: Tensor, weights: Tensor) -> Tensor:
        """Mean cross-entropy of the next token, over positions with a weight above zero.

        Logits are computed only where they count, which is about half the positions.
        """
        states = self.hidden(tokens[:, :-1])
        counted = weights[:, 1:] > 0
        logits = F.linear(states[counted], self.token_embd.weight)
        each = F.cross_entropy(logits.float(), tokens[:, 1:][counted], reduction="none")
        weight = weights[:, 1:][counted]
        return (each * weight).sum() / weight.sum()
