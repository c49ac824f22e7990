#!/bin/sh
# Sets up .venv/ where that is still to be done, then starts the gateway.
#
#   sh ops/run.sh                 set up and serve on 127.0.0.1:8080
#   sh ops/run.sh --setup-only    stop before serving
#   sh ops/run.sh ARGUMENTS       given on to `fairlead serve`
set -eu
called_from=$(pwd)
cd -- "$(dirname -- "$0")/.."

sh ops/setup.sh
if [ "${1-}" = --setup-only ]; then
    exit 0
fi

# A relative path in a setting means: from where the caller stands, not from the repository.
case ${FAIRLEAD_HOME-} in
    '' | /*) ;;
    *) export FAIRLEAD_HOME="$called_from/$FAIRLEAD_HOME" ;;
esac
case ${FAIRLEAD_POLICY-} in
    '' | /*) ;;
    *) export FAIRLEAD_POLICY="$called_from/$FAIRLEAD_POLICY" ;;
esac

# exec: signals and the exit status are the gateway's own.
exec .venv/bin/fairlead serve "$@"
