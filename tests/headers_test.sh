#!/bin/sh
# Each header under src/ and tests/ compiles alone. usage: tests/headers_test.sh [DIR]
# Before it judges the tree in DIR (default .), it judges small trees of its own: a test
# that cannot fail proves nothing.
set -u

cc=${CC:-cc}

# Compiles each header of tree $1 alone; says which do not; returns how it went.
check() {
    wrong=0
    seen=0
    for header in $(cd "$1" && find src tests -name '*.h' | sort); do
        seen=$((seen + 1))
        # As a program would include it, below src/ or tests/, and with a declaration: a
        # header of macros has none, and C wants one.
        # $cc stays unquoted: it may be a compiler with a flag, as in CC='gcc -m32'.
        # shellcheck disable=SC2086
        if ! printf '#include "%s"\nextern int one;\n' "${header#*/}" |
            $cc -std=c11 -D_DEFAULT_SOURCE -I"$1/src" -I"$1/tests" -I"$1" \
                -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c -; then
            echo "$1/$header: does not compile alone" >&2
            wrong=$((wrong + 1))
        fi
    done
    if [ "$seen" -eq 0 ]; then
        echo "$1: no header is there" >&2
        return 1
    fi
    [ "$wrong" -eq 0 ]
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Prepares a tree in which all is well.
plant() {
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree/src/kit" "$scratch/tree/tests"
    printf '#include <stdint.h>\nint64_t good(void);\n' >"$scratch/tree/src/kit/good.h"
    printf '#include "kit/good.h"\n' >"$scratch/tree/tests/helper.h"
}

# The tree must be refused, and the header $1 named.
expect_refusal() {
    if check "$scratch/tree" >"$scratch/said" 2>&1 ||
        ! grep -q "/$1: does not compile alone" "$scratch/said"; then
        echo "headers_test.sh: the test itself is broken: it passes a wrong $1" >&2
        cat "$scratch/said" >&2
        exit 1
    fi
}

plant
if ! check "$scratch/tree"; then
    echo "headers_test.sh: the test itself is broken: it refuses good headers" >&2
    exit 1
fi
printf 'int64_t bad(void);\n' >"$scratch/tree/src/kit/bad.h"
expect_refusal src/kit/bad.h
plant
printf 'extern int none[0];\n' >"$scratch/tree/tests/bad.h"
expect_refusal tests/bad.h
plant
printf '#include "good.h"\n' >"$scratch/tree/tests/bad.h"
expect_refusal tests/bad.h

check "${1:-.}"
