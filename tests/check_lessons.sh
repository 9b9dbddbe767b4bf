#!/bin/sh
# Does what the lessons say, and tells where something else comes:
#   tests/check_lessons.sh BUILD [LESSON...]
# The sh blocks of a lesson are run in their order, in one bash, from the repository's
# root. The text block right after one is what it prints (check_lessons_match.awk says how
# they are compared); without it, its last command must end with 0. Each line of an assert
# block must end with 0. Links must lead somewhere, and functions be defined where they
# are cited.
set -u

here=$(dirname "$0")
build=$1
shift
[ $# -gt 0 ] || set -- lessons/[0-9][0-9]-*.md
[ -e "$1" ] || { echo "check-lessons: there are no lessons" >&2; exit 2; }

limit=600    # fifths of a second for one block; a guard against a hang
wrong=0
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' HUP INT TERM

complain() {
    printf '%s\n' "$lesson:$1: $2"    # echo would take \n in it for a new line
    wrong=$((wrong + 1))
}

# Has the shell read file $1, with what it prints and how it ends in $2.out and .status.
write_step() {
    printf "{ . '%s'; } >'%s' 2>&1 </dev/null\necho \$? >'%s'\n" "$1" "$2.out" "$2.status"
}

# The lesson as a script of its own, which needs no variable that the lesson might use
# too.
write_script() {
    while read -r n at kind told; do
        echo "echo $n >'$scratch/at'"
        if [ "$kind" = sh ]; then
            write_step "$scratch/$n.sh" "$scratch/$n"
        else
            write_assertions
        fi
    done <"$scratch/blocks"
}

write_assertions() {
    line=$((at - 1))
    while read -r assertion; do
        line=$((line + 1))
        case $assertion in '' | '#'*) continue ;; esac
        printf '%s\n' "$assertion" >"$scratch/$n.$line.line"
        write_step "$scratch/$n.$line.line" "$scratch/$n.$line"
    done <"$scratch/$n.assert"
}

# Where a lesson asks for predictions, these are the answers.
write_answers() {
    prompts=${lesson%/*}/$(basename "$lesson" | cut -c 1-2)-predict.txt
    [ -e "$prompts" ] || return
    awk -F '|' 'NF > 2 { print $1, 1, $3 }' "$prompts" >"$scratch/answers"
    export ANSWERS="$scratch/answers"
}

# Runs it as a reader's shell would, with a state of its own, and ends what it left
# running.
run_script() {
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL ANSWERS
        export COURSE_STATE="$scratch/state" LC_ALL=C.UTF-8
        write_answers
        "$build/course/bounded" 86400 bash "$scratch/script" >"$scratch/noise" 2>&1
        : >"$scratch/ended"
    ) &
    shell=$!
    waited=0 before=
    until [ -e "$scratch/ended" ]; do
        sleep 0.2
        now=$(cat "$scratch/at" 2>/dev/null)
        [ "$now" = "$before" ] || waited=0
        before=$now waited=$((waited + 1))
        [ $waited -lt $limit ] || { kill $shell; break; }
    done
    wait
}

tell_output() {
    head -n 20 "$1" | sed 's/^/    | /'
}

check_blocks() {
    while read -r n at kind told <&3; do
        if [ "$kind" = assert ]; then
            check_assertions
        elif [ ! -e "$scratch/$n.status" ]; then
            why="this block is not reached"
            [ ! -e "$scratch/$n.out" ] ||
                why="the lesson's shell does not come back from here"
            complain "$at" "$why"
            [ ! -s "$scratch/$n.out" ] || tell_output "$scratch/$n.out"
        elif [ "$told" -gt 0 ]; then
            check_output
        elif [ "$(cat "$scratch/$n.status")" != 0 ]; then
            complain "$at" "this block ends with status $(cat "$scratch/$n.status")"
            tell_output "$scratch/$n.out"
        fi
    done 3<"$scratch/blocks"
}

check_output() {
    match=$here/check_lessons_match.awk
    differs=$(awk -f "$match" "$scratch/$n.text" "$scratch/$n.out") && return
    wanted=$(printf '%s\n' "$differs" | sed -n 1p)
    came=$(printf '%s\n' "$differs" | sed -n 2p)
    complain $((told - 1 + ${wanted%% *})) "expected '${wanted#* }', but came '$came'"
    tell_output "$scratch/$n.out"
}

check_assertions() {
    for one in "$scratch/$n".*.line; do
        [ -e "$one" ] || { complain "$at" "this block asserts nothing"; continue; }
        line=${one%.line}
        number=${line##*.}
        count=$((count + 1))
        if [ "$(cat "$line.status" 2>/dev/null)" != 0 ]; then
            complain "$number" "this does not hold: $(cat "$one")"
            [ ! -s "$line.out" ] || tell_output "$line.out"
        fi
    done
}

check_links() {
    while read -r line target; do
        [ -e "$(dirname "$lesson")/$target" ] || complain "$line" "$target is not there"
    done <"$scratch/links"
    while read -r line cited function; do
        source=$cited    # from the root, or as a link
        [ -e "$source" ] || source=$(dirname "$lesson")/$cited
        grep -Eqs "^[A-Za-z_].*[^A-Za-z_0-9]$function\(" "$source" ||
            complain "$line" "$function() is not defined in $cited"
    done <"$scratch/cited"
}

for lesson; do
    rm -rf "${scratch:?}"/*
    count=0
    awk -v DIR="$scratch" -f "$here/check_lessons_split.awk" "$lesson"
    [ ! -e "$scratch/unclosed" ] || complain "$(wc -l <"$lesson")" "a block is not closed"
    write_script >"$scratch/script"
    run_script
    check_blocks
    check_links
    echo "$lesson: $(wc -l <"$scratch/blocks") blocks, $count assertions," \
        "$(wc -l <"$scratch/links") links, $(wc -l <"$scratch/cited") functions"
done
echo "$# lessons, $wrong complaints"
[ $wrong -eq 0 ]
