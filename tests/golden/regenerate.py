"""Writes the lower part of every golden file anew: `python -m tests.golden.regenerate`.

Read the difference before you commit it: the files are what reviewers trust.
"""

from __future__ import annotations

from tests.golden.tables import read_case, tables


def main() -> None:
    """Rewrite every file whose text changed, and name it."""
    for path, table in tables():
        text = table(read_case(path))
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(path.name)


if __name__ == "__main__":
    main()
