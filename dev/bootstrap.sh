#!/bin/sh
# Makes the project's environments from hashed locks, once per lock. Called by the Makefile:
#   dev/bootstrap.sh env        .venv        the project, its tests and tools   requirements/dev.txt
#   dev/bootstrap.sh stack      .venv-stack  MiniStack, and Lambda's view       requirements/stack.txt
#   dev/bootstrap.sh sam        .venv-sam    sam build and sam deploy           requirements/sam.txt
#   dev/bootstrap.sh web        web/node_modules, built into the web assets      web/package-lock.json
#   dev/bootstrap.sh browser    system packages the browser tests need
# Installs Debian packages where it may (root); where it may not, it names them and stops.
set -eu
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1

fail() {
    echo "✗ $*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11, 3.12 or 3.13 is needed and none was found; name one with make PYTHON=/path/to/python3"
}

# install_packages WHAT PACKAGE...
install_packages() {
    what=$1
    shift
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "$what needs the system packages: $* (Debian's names); install them and try again"
    fi
    echo "Installing $* for $what"
    apt-get update -qq >/dev/null 2>&1 || true
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/tmp/uncap-apt.$$ 2>&1; then
        reason=$(tail -n 1 /tmp/uncap-apt.$$)
        rm -f /tmp/uncap-apt.$$
        fail "$what needs the system packages $*, and apt-get could not install them: $reason"
    fi
    rm -f /tmp/uncap-apt.$$
}

lock_hash() {
    "$1" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$2"
}

# is_current FOLDER LOCK: made from this very lock, and its interpreter still runs.
is_current() {
    [ -x "$1/bin/python" ] && "$1/bin/python" -c '' 2>/dev/null &&
        [ "$(cat "$1/.lock" 2>/dev/null)" = "$(lock_hash "$1/bin/python" "$2")" ]
}

# pip_install FOLDER LOCK PIP...
pip_install() {
    folder=$1 lock=$2
    shift 2
    if ! "$@" install --quiet --require-hashes --no-deps --requirement "$lock" 2>"$folder/.pip.log"; then
        cat "$folder/.pip.log" >&2
        if grep -qiE 'connection|resolve|network|timed out|No matching distribution' "$folder/.pip.log"; then
            fail "the packages of $lock could not be fetched: is there a network, and does pip reach its index?"
        fi
        fail "the packages of $lock could not be installed"
    fi
    lock_hash "$folder/bin/python" "$lock" >"$folder/.lock"
}

make_env() {
    is_current .venv requirements/dev.txt && return
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages "Python's venv module" python3-venv
    echo "Preparing .venv ($("$python" --version))"
    if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        rm -rf .venv
        "$python" -m venv .venv || fail "$python could not make a virtual environment"
    fi
    write_command
    pip_install .venv requirements/dev.txt .venv/bin/python -m pip
}

# The `uncap` command of this checkout; its packages lie where Lambda finds them, so they are named here.
write_command() {
    cat >.venv/bin/uncap <<PYTHON_END
#!$PWD/.venv/bin/python
import sys
sys.path[:0] = ["$PWD", "$PWD/layers/core/python", "$PWD/layers/web/python"]
from cli.main import app
app()
PYTHON_END
    chmod +x .venv/bin/uncap
}

# make_bare FOLDER LOCK: only what the lock lists, not even pip; made afresh so that nothing old stays in it.
make_bare() {
    is_current "$1" "$2" && return
    make_env
    echo "Preparing $1"
    rm -rf "$1"
    .venv/bin/python -m venv --without-pip "$1"
    pip_install "$1" "$2" .venv/bin/python -m pip --python "$1/bin/python"
}

# What the web assets take from npm, by web/package-lock.json. Without npm the outlet's page reads codes only where the
# browser itself can; nothing else needs it.
make_web() {
    if [ -d web/node_modules ] && cmp -s web/package-lock.json web/node_modules/.lock; then return; fi
    if ! command -v npm >/dev/null; then
        echo "npm was not found: built without jsQR, see docs/redemption.md" >&2
        return
    fi
    echo "Preparing web/node_modules"
    (cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) ||
        fail "the packages of web/package-lock.json could not be installed"
    cp web/package-lock.json web/node_modules/.lock
}

make_browser() {
    command -v npm >/dev/null || install_packages "the test of the outlet's camera" npm
    make_web
    missing=""
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || missing="chromium-headless-shell"
    fc-list 2>/dev/null | grep -qi wqy || missing="$missing fonts-wqy-microhei"
    # shellcheck disable=SC2086 -- a list of names
    [ -z "$missing" ] || install_packages "the browser tests" $missing
}

case "${1:-}" in
env) make_env ;;
stack) make_bare .venv-stack requirements/stack.txt ;;
sam) make_bare .venv-sam requirements/sam.txt ;;
web) make_web ;;
browser) make_browser ;;
*) fail "usage: dev/bootstrap.sh env|stack|sam|web|browser" ;;
esac
