#!/bin/sh
# For maintainers: that the exercises are what they should be.
#   src/course/maintain.sh check         their parts, and the verdict on each known answer
#   src/course/maintain.sh flakes RUNS   that no solution is ever rejected under load
set -u
. src/course/answer.sh

wrong=0

complain_of() {
    say "  $exercise: $1"
    wrong=$((wrong + 1))
}

# The verdict on answer $1, judged in folder $2, must be $3, for a fact that holds the
# words $4.
expect() {
    try "$1" "$2"
    if [ "$verdict" != "$3" ]; then
        complain_of "$1 is $verdict ($fact), not $3"
        return
    fi
    case $fact in *"$4"*) ;; *) complain_of "$1 is $3 for '$fact', not '$4'" ;; esac
}

# The same, of an answer that must compile without a warning.
expect_clean() {
    expect "$@"
    [ ! -s "$into/compiler" ] || complain_of "$1 compiles with warnings: $into/compiler"
}

# The words in the first line of a wrong answer, /* rejected: WORDS */, or as text.
words_of() {
    sed -n '1s|.*rejected: *\(.*[^ ]\).*|\1|p' "$1" | sed 's|  *\*/$||'
}

check_text() {
    for part in "$title" "$kind" "$lesson"; do
        [ -n "$part" ] || complain_of "exercise.conf lacks one of title, kind and lesson"
    done
    [ -e "lessons/$lesson.md" ] || complain_of "lessons/$lesson.md is not there"
    for part in "The check" Notes; do
        grep -qi "^##* $part" "$folder/README.md" || complain_of "README.md lacks '$part'"
    done
    for part in 1 2 3; do
        awk -v tier=$part '/^## / { here = $2 + 0 == tier; next } here && NF { found = 1 }
            END { exit !found }' "$folder/hints.md" ||
            complain_of "hints.md lacks tier $part"
    done
    [ -s "solutions/$exercise/notes.md" ] || complain_of "the solution lacks notes.md"
}

check_wrong() {
    count=0
    for one in "$folder"/wrong/*."${answer##*.}"; do
        [ -e "$one" ] || break
        count=$((count + 1))
        words=$(words_of "$one")
        if [ -n "$words" ]; then
            expect "$one" "wrong-$(basename "$one")" rejected "$words"
        else
            complain_of "$one does not begin with /* rejected: WORDS */"
        fi
    done
    [ $count -ge 5 ] || complain_of "it has $count wrong answers, not five or more"
}

# As given the blocks fail; in the order of the solution they pass.
check_arranged() {
    order=solutions/$exercise/arrange.order
    [ -e "$order" ] || return
    try "$folder/arrange.txt" given
    [ "$verdict" != passed ] || complain_of "arrange.txt is passed as it is given"
    ordered=$build/$exercise/ordered/arrange.txt
    mkdir -p "${ordered%/*}"
    { grep '^order:' "$order"; grep -v '^order:' "$folder/arrange.txt"; } >"$ordered"
    expect "$ordered" arranged passed ''
}

check() {
    for one in $(exercises); do
        exercise_open "$one"
        echo "$exercise"
        check_text
        expect_clean "$file" starter rejected ''
        expect_clean "solutions/$exercise/$answer" solution passed ''
        check_wrong
        check_arranged
    done
    echo "$(exercises | wc -l) exercises, $wrong complaints"
    [ $wrong -eq 0 ]
}

# A busy loop for each core, until this script ends, however it ends.
start_load() {
    cores=$(nproc)
    for _ in $(seq "$cores"); do
        "$build/bounded" "$1" sh -c 'while :; do :; done' &
        load="$load $!"
    done
}

# shellcheck disable=SC2086    # a list of process ids
end_load() {
    [ -z "$load" ] || kill $load
    wait
}

flakes() {
    load=
    for one in $(exercises); do    # compiled once, before the load
        exercise_open "$one"
        expect "solutions/$exercise/$answer" solution passed ''
    done
    [ $wrong -eq 0 ] || fail "a solution fails on a quiet machine already"
    trap end_load EXIT
    trap 'exit 130' HUP INT TERM
    start_load $(($1 * $(exercises | wc -l) * limit_s))
    for run in $(seq "$1"); do
        for one in $(exercises); do
            exercise_open "$one"
            into=$build/$exercise/solution program=$into
            case $answer in *.txt) program=solutions/$exercise/$answer ;; esac
            judge "$program" "$into"
            [ "$verdict" = passed ] || complain_of "run $run: $verdict: $fact"
        done
    done
    echo "$1 runs of $(exercises | wc -l) solutions," \
        "a busy loop on each of $cores cores: $wrong not passed"
    [ $wrong -eq 0 ]
}

case $1 in
check) check ;;
flakes) flakes "$2" ;;
esac
