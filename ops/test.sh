#!/bin/sh
# Every check of the repository; the tests come last.
#
#   sh ops/test.sh            the checks and the tests that take seconds
#   sh ops/test.sh --full     and the tests that take minutes
#   sh ops/test.sh ARGUMENTS  given on to pytest (a path, -k NAME, -x)
set -eu
cd -- "$(dirname -- "$0")/.."

sh ops/setup.sh --dev

# Tests are chosen by mark: pytest takes the last -m, so a caller's own wins.
marks="not full"
if [ "${1-}" = --full ]; then
    marks=""
    shift
fi

failed=
check() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    "$@" || failed="$failed $name,"
}

check "ruff check" .venv/bin/ruff check
check "ruff format" .venv/bin/ruff format --check
check "mypy" .venv/bin/mypy
check "import-linter" .venv/bin/lint-imports
check "size" .venv/bin/python ops/check_size.py

if [ -n "$failed" ]; then
    printf '\nFAILED before the tests: %s\n' "${failed%,}" >&2
fi
printf '\n== tests\n'
status=0
.venv/bin/python -m pytest -n 2 --dist loadfile -m "$marks" "$@" || status=$?
if [ -n "$failed" ] && [ "$status" -eq 0 ]; then
    status=1
fi
exit "$status"
