#!/bin/sh
# What each model costs the programmer, as CSV: lines of code without comments and empty lines,
# functions, and those among them that somebody else calls (on_...). A model that shares a file
# of src/models is charged for that file too.
set -eu
cd "$(dirname "$0")/models"

code() { cc -fpreprocessed -dD -E -P "$1" 2>/dev/null | grep -v '^[[:space:]]*$'; }

echo "model,lines,functions,callbacks"
for model in $(sed -n 's/^    &model_\([a-z]*\),$/\1/p' models.c); do
    files=$model.c
    for shared in $(sed -n 's|^#include "models/\([a-z]*\)\.h"$|\1|p' "$model.c"); do
        [ "$shared" = models ] || [ ! -e "$shared.c" ] || files="$files $shared.c"
    done
    for file in $files; do code "$file"; done | awk -v model="$model" '
        { lines++ }
        /^[a-z].*\(/ && !/;$/ { name = $0 }          # where a definition begins
        /^{/          { functions++; callbacks += name ~ /[ *]on_[a-z]+\(/ }
        END           { printf "%s,%d,%d,%d\n", model, lines, functions, callbacks }'
done
