#!/bin/sh
# Builds the Python package as `pip install .` does, and tests it.
# usage: run.sh install|package|cluster
#   install  into build/python/site, beside which nothing of whorl is needed
#   package  the package's own tests, with what install left
#   cluster  those of whorl.cluster, on a Ray cluster on this machine; WHORL_LONG_TESTS=1: all of each
# Without build/python/env (scripts/bootstrap.sh python) it is skipped; WHORL_PYTHON_REQUIRED=1 turns a skip into a failure.
# exit code: 0 passed, 77 skipped, else a failure
set -eu

part=${1:?usage: run.sh install|package|cluster}
root=$(cd "$(dirname "$0")/.." && pwd)
python="$root/build/python/env/bin/python"
site="$root/build/python/site"

skip() {
    echo "the Python package: skipped: $1"
    [ -z "${WHORL_PYTHON_REQUIRED:-}" ] || exit 1
    exit 77
}

[ -f "$root/build/python/env/whorl-requirements" ] || skip "build/python/env is not there; scripts/bootstrap.sh python"

case $part in
install)
    # Tests need no GPU code, which takes minutes to compile.
    "$python" -m pip install --quiet --no-build-isolation --no-deps --no-index --upgrade --target "$site" \
        -C build-dir="$root/build/python/wheel" -C cmake.define.WHORL_CUDA="${WHORL_PYTHON_CUDA:-OFF}" "$root"
    cd /
    PYTHONPATH="$site" "$python" -c 'import whorl; print("whorl", whorl.__version__, whorl.devices())'
    ;;
package | cluster)
    [ -d "$site/whorl" ] || skip "build/python/site is not there; run.sh install"
    cd "$root/python/tests"
    PYTHONPATH="$site" WHORL_PACKAGE="$site/whorl"
    export PYTHONPATH WHORL_PACKAGE
    if [ "$part" = package ]; then set -- --ignore=cluster .; else set -- cluster; fi
    "$python" -B -m pytest -q -rs -p no:cacheprovider "$@"
    ;;
*)
    echo "run.sh: expected install, package or cluster, found $part" >&2
    exit 2
    ;;
esac
