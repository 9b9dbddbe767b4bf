#!/bin/sh
# Judges every exercise in a copy of what was committed, into which go the student's own
# files and no other: an edited check, kit or runner changes nothing. Writes
# build/grade.json.
set -u
. src/course/answer.sh

pristine=$build/pristine

# Says why this tree can't be vouched for; or nothing.
unvouched() {
    if ! git rev-parse HEAD >/dev/null 2>&1; then
        echo "this tree is no git clone, so nothing tells what in it was edited"
    elif [ -n "$(git rev-parse --show-prefix)" ]; then
        echo "this tree is a part of another git clone"
    fi
}

copy_answers() {
    (cd "$pristine" && for one in $(exercises); do
        for own in "exercises/$one/$(answer_name "$one")" "exercises/$one/arrange.txt"; do
            rm -rf "$own"
            [ ! -f "$root/$own" ] || cp "$root/$own" "$own"
        done
    done)
}

# What differs from the commit and is not the student's own.
edited() {
    git diff --name-only HEAD | while read -r name; do
        one=${name#exercises/}
        one=${one%%/*}
        case $name in
        "exercises/$one/$(answer_name "$one")" | "exercises/$one/arrange.txt") ;;
        *) echo "$name" ;;
        esac
    done
}

# Nothing of the caller's make or environment comes along.
judge_pristine() {
    git archive -o "$build/pristine.tar" HEAD &&
        tar -xf "$build/pristine.tar" -C "$pristine" && copy_answers &&
        (cd "$pristine" && env -i PATH="$PATH" HOME="${HOME:-/}" make -s verdicts)
}

as_json() {
    EDITED=$(edited 2>/dev/null) awk -F '\t' -v commit="$commit" -v why="$why" '
        function quoted(text) {
            gsub(/\\/, "\\\\", text)
            gsub(/"/, "\\\"", text)
            return "\"" text "\""
        }
        {
            line[NR] = "    {\"exercise\": " quoted($1) ", \"verdict\": " quoted($2) \
                ", \"fingerprint\": " quoted($3) ", \"fact\": " quoted($4) "}"
            passed += $2 == "passed"
        }
        END {
            print "{"
            print "  \"commit\": " quoted(commit) ","
            print "  \"vouched\": " (why == "" ? "true" : "false") ","
            print "  \"why\": " quoted(why) ","
            names = split(ENVIRON["EDITED"], name, "\n")
            for (i = 1; i <= names; i++) list = list (i > 1 ? ", " : "") quoted(name[i])
            print "  \"edited\": [" list "],"
            print "  \"passed\": " passed + 0 ","
            print "  \"of\": " NR ","
            print "  \"exercises\": ["
            for (i = 1; i <= NR; i++) print line[i] (i < NR ? "," : "")
            print "  ]"
            print "}"
        }' "$1"
}

root=$(pwd)
rm -rf "$pristine"
mkdir -p "$pristine" || fail "$pristine can't be made"
why=$(unvouched) commit=$(git rev-parse HEAD 2>/dev/null)
if [ -n "$why" ]; then
    commit=
    "$MAKE" -s --no-print-directory verdicts >"$build/verdicts"
else
    judge_pristine >"$build/verdicts"
fi || fail "the exercises can't be judged"
rm -rf "$pristine"

new=$BUILD/grade.json.new
if ! as_json "$build/verdicts" >"$new" || ! mv -f "$new" "$BUILD/grade.json"; then
    fail "$BUILD/grade.json can't be written"
fi
awk -F '\t' '{ printf "  %-28s %-9s %s\n", $1, $2, $4 }' "$build/verdicts"
if [ -n "$why" ]; then
    echo "Not vouched for: $why."
else
    echo "Judged by commit $(git rev-parse --short HEAD)."
    edited | sed 's/.*/  & was edited, which made no difference/'
fi
echo "$BUILD/grade.json"
