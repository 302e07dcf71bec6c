#!/bin/sh
# Makes the virtual environment named by the first argument, with the package (editable) and its tools in it.
set -eu
venv=$1
python=${PYTHON3:-python3}

missing() { ! "$python" -c "import $1" 2>/dev/null; }

# Debian and Ubuntu cut two parts out of Python that are needed here. With apt and root they are put back.
if missing ensurepip || missing tkinter; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv python3-tk >/dev/null
    fi
    if missing ensurepip || missing tkinter; then
        echo "This Python lacks venv or tkinter (LibreLane reads PDKs with its Tcl)." >&2
        echo "Have them installed (Debian, Ubuntu: apt-get install python3-venv python3-tk)," >&2
        echo "or name a Python that has them: make PYTHON3=/path/to/python3" >&2
        exit 1
    fi
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
