#!/bin/sh
# Makes .venv/ hold the locked dependencies and the `fairlead` command; nothing to do when it does.
#
#   sh ops/setup.sh          what serving needs
#   sh ops/setup.sh --dev    and what the checks and tests need
#
# Only pip talks to the network, so pip's own settings (PIP_INDEX_URL, pip.conf) choose the mirror.
# PYTHON names another interpreter than the first suitable one on the PATH.
set -eu
cd -- "$(dirname -- "$0")/.."

kind=run
locks="ops/requirements.txt ops/requirements-prove.txt"
if [ "${1-}" = --dev ]; then
    kind=dev
    locks="$locks ops/requirements-dev.txt"
fi

# The stamp is the exact text that the last finished set-up was made from (see ops/install.py).
wanted() {
    pwd -P
    # shellcheck disable=SC2086
    cat $locks pyproject.toml ops/install.py
}

if [ -x .venv/bin/python ] && [ -x .venv/bin/fairlead ] && [ ! -e .venv/incomplete ] &&
    wanted | cmp -s - ".venv/fairlead-$kind.stamp" 2>/dev/null; then
    exit 0
fi

python=
for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3.13 python3 python; do
    if "$candidate" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "fairlead: Python 3.11 or newer is needed, and none was found on the PATH." >&2
    echo "          Install it (Debian, Ubuntu: apt-get install python3 python3-venv)," >&2
    echo "          or name it: PYTHON=/path/to/python3.11 sh ops/run.sh" >&2
    exit 1
fi

exec "$python" -I ops/install.py "$kind"
