"""Errors in OpenAI's dialect; see `gateway.wire.openai_errors`."""

from gateway.wire.openai_errors import render_error, render_stream_error

__all__ = ["render_error", "render_stream_error"]
