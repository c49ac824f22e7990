"""The worker: one model behind the OpenAI chat wire, on a Unix socket.

    python -m adapters.ctransformers.worker --socket PATH --model-file FILE.gguf ...

It tells its parent on standard output when it is ready, or why it cannot be (a JSON line), and
it ends when standard input ends: the kernel closes that pipe however the parent dies.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
import sys
import threading
from pathlib import Path

import msgspec

from adapters.ctransformers.engine import Engine
from adapters.ctransformers.model_file import ModelFile, ModelFileError, inspect_model_file
from adapters.ctransformers.native import NativeError, NativeModel
from adapters.ctransformers.server import serve
from adapters.ctransformers.settings import WorkerSettings, from_arguments
from adapters.ctransformers.worker_report import HOPELESS, WorkerReport
from gateway.wire.chat_template import BUILT_IN, ChatTemplate, TemplateFailed

#: Context used when neither the policy nor the file says how long it may be, in tokens.
_UNKNOWN_CONTEXT = 2048
_LARGEST_TEMPLATE = 1024 * 1024


def main() -> None:
    """Load the model, serve until told to stop."""
    settings, path = from_arguments(sys.argv[1:])
    faulthandler.enable()
    # Native code may print; standard output belongs to the report alone.
    report_to = os.dup(1)
    os.dup2(2, 1)
    if not sys.stdin.isatty():
        threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        engine = load_engine(settings)
    except (ModelFileError, NativeError, TemplateFailed) as error:
        _tell(report_to, WorkerReport(failure=str(error)))
        sys.exit(HOPELESS)
    listener = _listen(path)
    _tell(report_to, WorkerReport(context_tokens=engine.context_tokens))
    asyncio.run(serve(listener, engine, settings))


def load_engine(settings: WorkerSettings) -> Engine:
    """Check the model file, load it and compile its template.

    Raises:
        ModelFileError: the file cannot be served.
        TemplateFailed: the chat template cannot be read.
        NativeError: the native library refuses the file.
    """
    file = inspect_model_file(Path(settings.model_path), settings.model_type)
    template = ChatTemplate(
        _template_source(settings.chat_template, file), dict(file.control), file.bos, file.eos
    )
    model = NativeModel(file, _context(settings, file), settings.threads, settings.gpu_layers)
    return Engine(file, template, model)


def _context(settings: WorkerSettings, file: ModelFile) -> int:
    longest = file.context_tokens or settings.context_length or _UNKNOWN_CONTEXT
    return min(settings.context_length or longest, longest)


def _template_source(wanted: str, file: ModelFile) -> str:
    if wanted in BUILT_IN:
        return BUILT_IN[wanted]
    if wanted:
        try:
            path = Path(wanted)
            if path.stat().st_size > _LARGEST_TEMPLATE:
                raise TemplateFailed(
                    f"chat_template {wanted} is larger than {_LARGEST_TEMPLATE} bytes"
                )
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(sorted(BUILT_IN))
            raise TemplateFailed(
                f"chat_template '{wanted}' is neither a readable file nor one of {known} "
                f"({type(error).__name__})"
            ) from None
    if file.chat_template:
        return file.chat_template
    known_tokens = dict(file.control)
    return BUILT_IN["chatml" if "<|im_start|>" in known_tokens else "plain"]


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def _tell(descriptor: int, report: WorkerReport) -> None:
    os.write(descriptor, msgspec.json.encode(report) + b"\n")


def _die_with_parent() -> None:
    while os.read(0, 4096):
        pass
    # At once, also from the middle of a native call; there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main()
