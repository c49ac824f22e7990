"""What was learned of each topic; the file is made by `python ops/training/topics.py`."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from gateway.classify.topics import Learned

_FILE = files("gateway.classify").joinpath("weights/topics.json")
_LEARNED = msgspec.json.decode(_FILE.read_bytes(), type=dict[str, Learned])
MEDICAL, LEGAL, HR = (_LEARNED[name] for name in ("medical", "legal", "hr"))
