#!/bin/sh
# What each model costs the programmer, as CSV: lines of code without comments and empty lines,
# functions, and those among them that a loop calls (on_...). A model that shares a file of the
# folder is charged for that file too, and for its header.   src/lines.sh [DIR]
set -eu
cd "${1:-$(dirname "$0")/models}"

# Of what is compiled only where a library is there, the half that is: the other one says no
# more than that it is not.
chosen() {
    awk '/^#ifn?def WITH_/ { inside = 1; skip = /^#ifndef/; next }
         inside && /^#else/  { skip = !skip; next }
         inside && /^#endif/ { inside = skip = 0; next }
         !skip' "$1"
}

code() { chosen "$1" | cc -fpreprocessed -dD -E -P -x c - 2>/dev/null | grep -v '^[[:space:]]*$'; }

echo "model,lines,functions,callbacks"
for model in $(sed -n 's/^    &model_\([a-z]*\),$/\1/p' models.c); do
    files=$model.c
    for shared in $(sed -n 's|^#include "models/\([a-z]*\)\.h"$|\1|p' "$model.c"); do
        [ ! -e "$shared.c" ] || [ "$shared" = models ] || files="$files $shared.h $shared.c"
    done
    for file in $files; do code "$file"; done | awk -v model="$model" '
        { lines++ }
        /^[a-z].*\(/  { name = $0 }          # where a definition may begin
        /^{/          { functions++; callbacks += name ~ /[ *]on_[a-z]+\(/ }
        END           { printf "%s,%d,%d,%d\n", model, lines, functions, callbacks }'
done
