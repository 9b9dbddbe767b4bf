#!/bin/sh
# What a student asks of an exercise; make calls it:  src/course/course.sh COMMAND
# [EXERCISE] The student's file is read, never written, but by reset, which keeps theirs
# beside it.
set -u
. src/course/answer.sh
. src/course/state.sh

# One at a time: they share the build folder and the state.
take_turn() {
    mkdir -p "$build" || fail "$build can't be made"
    exec 9>"$build/lock"
    flock -n 9 || { echo "course: waiting until another make has ended" >&2; flock 9; }
}

print_verdict() {
    case $verdict in
    passed) heading="${green}passed$plain, $fact" ;;
    rejected) heading="${red}not yet$plain" ;;
    unjudged) heading="${red}nothing to check$plain" ;;
    broken) heading="${red}no verdict$plain" ;;
    esac
    say "$bold$nn $title$plain: $heading"
    if [ "$verdict" = passed ]; then
        printf '  %-17s %s\n' "make $nn-solution" "yours beside ours" \
            "make next" "what comes next"
        return
    fi
    printf '  %-6s %s\n' asked "${asked:-$folder/README.md, under \"The check\"}" \
        seen "$fact" look "${look:-$folder/README.md, under \"Notes\"}"
}

# Compiler's words, warnings too, before the verdict, where they are not scrolled away.
check() {
    print=$(fingerprint "$file" 2>/dev/null)
    try "$file" yours
    [ ! -s "$into/compiler" ] || cat "$into/compiler"
    [ "$verdict" != broken ] || cat "$into/making" "$into"/compiler-* 2>/dev/null
    print_verdict
    case $verdict in passed | rejected)
        [ "$(recall "attempt $key")" = "$print $verdict $fact" ] ||
            note "attempt $key $print $verdict $fact"
        ;;
    esac
    case $verdict in passed) return 0 ;; broken) return 2 ;; *) return 1 ;; esac
}

standing() {
    if is_passed "$exercise"; then
        echo "passed"
    elif [ -n "$(recall "attempt $exercise")" ]; then
        last=$(recall "attempt $exercise")
        count=$(count_attempts "$exercise")
        say "$count different attempts; the last: ${last#* rejected }"
    else
        echo "not begun"
    fi
}

next() {
    passed=0 count=0 first=
    for one in $(exercises); do
        exercise_open "$one"
        count=$((count + 1))
        if is_passed "$one"; then passed=$((passed + 1)); else first=${first:-$one}; fi
        printf '  %s %-28s %s\n' "${one%%-*}" "$title" "$(standing)"
    done
    echo "$passed of $count passed."
    [ -n "$first" ] || return 0
    exercise_open "$first"
    printf '\nNext: %s (%s)\n' "$bold${first%%-*} $title$plain" "$kind"
    printf '  %-44s %s\n' "lessons/$lesson.md" "the lesson" \
        "$folder/README.md" "the task" "$file" "yours to edit" "make $nn" "checks it"
}

stamp() {
    cksum <"$file" 2>/dev/null || echo "not there"
}

watch() {
    trap 'exit 0' INT TERM
    while :; do
        seen=$(stamp)
        [ ! -t 1 ] || printf '\033[H\033[2J'
        src/course/course.sh check "$exercise"
        echo "  again when you save $file; Ctrl-C ends"
        while [ "$(stamp)" = "$seen" ]; do sleep 0.3; done
    done
}

# Tier $1 of the hints. A list's item that begins with *words* of a rejection is for whom
# that rejection met last; the dots stand for anything, N for a number. Where none is, all
# are.
tier() {
    FACT=$last awk -v tier="$1" '
        function agrees(words,    part, n, i, fact) {
            fact = ENVIRON["FACT"]
            gsub(/[0-9]+/, "N", fact)
            gsub(/[0-9]+/, "N", words)
            n = split(words, part, "…")
            for (i = 1; i <= n; i++) {
                if (!index(fact, part[i])) return 0
                fact = substr(fact, index(fact, part[i]) + length(part[i]))
            }
            return 1
        }
        /^## /       { here = $2 + 0 == tier; next }
        !here        { next }
        /^($|[^- ])/ { shown = 1 }
        /^- \*/      {
            shown = 0
            parts = split($0, word, "*")
            for (i = 2; i < parts; i += 2) if (agrees(word[i])) shown = some = 1
        }
        { line[++count] = $0; keep[count] = shown }
        END {
            for (i = 1; i <= count; i++) if (keep[i] || !some) print line[i]
        }' "$folder/hints.md"
}

hint() {
    last=$(recall "attempt $key") opened=$(recall "hint $key")
    [ -n "$last" ] ||
        fail "no attempt yet; edit $file, then make $nn: the first hint follows from that"
    ! is_passed "$key" || fail "yours has passed: make $nn-solution"
    opened=${opened%% *}
    wanted=$((${opened:-0} + 1))
    if [ $wanted -eq 3 ] && ! tried_since_hint "$key"; then
        tier 2
        fail "the third hint opens after a changed attempt: edit $file, then make $nn"
    fi
    [ $wanted -le 3 ] || wanted=3
    say "${bold}Hint $wanted of 3$plain, after: ${last#* rejected }"
    tier $wanted
    [ "$wanted" -le "${opened:-0}" ] || note "hint $key $wanted $(fingerprint "$file")"
}

solution() {
    ours=solutions/$exercise/$answer
    if ! is_passed "$exercise" && [ "${ANYWAY:-}" != 1 ]; then
        fail "yours has not passed yet; ours all the same: make $nn-solution ANYWAY=1"
    fi
    [ -r "$ours" ] || fail "$ours is not there"
    [ -r "$file" ] || file=/dev/null
    diff -u "$file" "$ours"
    case $? in 0) echo "$file is the same as $ours" ;; 1) ;; *) exit 2 ;; esac
    echo "solutions/$exercise/notes.md says why"
}

# The file as the course's authors last left it: as it was at the last commit that changed
# what is theirs. A student who commits an answer does not make it the starter.
starter() {
    theirs=$(for name in README.md check.c hints.md exercise.conf wrong; do
        echo "$folder/$name"
    done)
    # shellcheck disable=SC2086    # a list of files
    commit=$(git log -1 --format=%H -- $theirs "solutions/$exercise" 2>/dev/null)
    git show "${commit:-HEAD}:./$file" 2>/dev/null || git show "HEAD:./$file" 2>/dev/null
}

# Keeps a copy beside the file under the next free number, unless the last one is the
# same.
keep() {
    number=1
    while [ -e "$file.$number" ]; do number=$((number + 1)); done
    cmp -s "$file" "$file.$((number - 1))" && return
    if ! cp -p "$file" "$file.kept.new" ||
        ! replace "$file.kept.new" "$file.$number"; then
        fail "$file can't be kept beside itself, so nothing was changed"
    fi
    echo "yours is kept: $file.$number"
}

reset() {
    [ ! -e "$file" ] || [ -f "$file" ] || fail "$file is no file; move it away first"
    if ! starter >"$file.new" || [ ! -s "$file.new" ]; then
        rm -f "$file.new"
        fail "the starter is in no commit (is this a git clone?), so nothing was changed"
    fi
    if cmp -s "$file" "$file.new"; then
        rm -f "$file.new"
        echo "$file is the starter already"
        return
    fi
    [ ! -s "$file" ] || keep
    replace "$file.new" "$file" || fail "$file can't be written"
    echo "$file is the starter again"
}

# A line for each exercise: its name, the verdict, the answer's fingerprint, why.
verdicts() {
    for one in $(exercises); do
        exercise_open "$one"
        try "$file" yours
        print=$(fingerprint "$file" 2>/dev/null)
        printf '%s\t%s\t%s\t%s\n' "$exercise" "$verdict" "$print" \
            "$(printf '%s' "$fact" | tr '\t' ' ' | iconv -c -f UTF-8 -t UTF-8)"
    done
}

command=$1 which=${2:-}
[ "$command" = watch ] || take_turn
[ -z "$which" ] || exercise_open "${which%-arrange}"
case $which in *-arrange) arrange_open ;; esac
case $command in
check | hint | solution | reset | watch | next | verdicts) "$command" ;;
*) fail "there is no command $command" ;;
esac
