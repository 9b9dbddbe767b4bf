#!/bin/sh
# Predictions: asked for before a lesson's run, never marked, and drawn afterwards.
#   src/course/predict.sh predict LESSON [FILE]  from the terminal, or lines "KEY VALUE"
#   src/course/predict.sh calibration DIR        the chart of all that has come out
# The prompts are in lessons/LESSON-predict.txt: KEY | QUESTION | UNIT | COMMAND. The
# command prints what came out, once the lesson has been run; from then on a prediction
# stands.
set -u
. src/course/answer.sh
. src/course/state.sh

# Prints the value $1 ("250 ms") in seconds, bytes, or what else $2 counts ("0.25 s");
# nothing if there is no number, or no unit of the kind of $2. A bare number is of $2.
in_unit() {
    printf '%s\n' "$1" | awk -v unit="$2" '
        BEGIN {
            asked = unit
            seconds = "ns 1e-9 us 1e-6 µs 1e-6 ms 1e-3 s 1 m 60 min 60 h 3600 "
            bytes = "B 1 kB 1e3 MB 1e6 GB 1e9 KiB 1024 MiB 1048576 GiB 1073741824 "
            kind = index(" " seconds, " " unit " ") ? seconds : bytes
            if (index(" " kind, " " unit " ")) {
                words = split(kind, word, " ")
                for (i = 1; i < words; i += 2) factor[word[i]] = word[i + 1]
                unit = kind == seconds ? "s" : "B"
            } else {
                one = unit
                sub(/s$/, "", one)    # 1 thread, 20 threads, 3k threads
                factor[unit] = factor[one] = 1
                factor["k" unit] = factor["k " unit] = 1e3
                factor["M" unit] = factor["M " unit] = 1e6
            }
        }
        {
            gsub(/^[ \t]+|[ \t]+$/, "")
            if (!match($0, /^[0-9]+(\.[0-9]+)?/)) exit
            number = substr($0, 1, RLENGTH)
            given = substr($0, RLENGTH + 1)
            sub(/^[ \t]+/, "", given)
            if (given == "") given = asked
            if (given in factor) printf "%.9g %s\n", number * factor[given], unit
        }'
}

# Reads one line of the prompts into key, question, unit and command.
read_prompt() {
    IFS='|' read -r key question unit command || [ -n "$key" ] || return 1
    key=$(echo "$key" | xargs) question=$(echo "$question" | sed 's/^ *//; s/ *$//')
    unit=$(echo "$unit" | xargs)
}

# Notes what the lesson's run has given, the first time that it is there.
note_measured() {
    [ -n "$command" ] && [ -z "$(recall "measured $1/$key")" ] || return 0
    came=$(sh -c "$command" 2>/dev/null </dev/null | head -n 1)
    came=$(in_unit "$came" "$unit")
    [ -z "$came" ] || note "measured $1/$key $came"
}

# Asks until there is an answer. Sets predicted; leaves it empty where nobody answers any
# more.
ask() {
    old=$(recall "predicted $lesson/$key")
    while :; do
        printf '%s [%s]%s ' "$question" "$unit" "${old:+ ($old so far)}"
        read -r reply <&4 || { echo; return 1; }
        predicted=$(in_unit "$reply" "$unit")
        [ -z "$predicted" ] || return 0
        echo "  a number and its unit, as in: 2.5 $unit"
    done
}

# The same from the file of answers. Says what is wrong with it.
look_up() {
    reply=$(KEY=$key awk '
        $1 == ENVIRON["KEY"] { sub(/^[ \t]*[^ \t]+[ \t]*/, ""); print; exit }' "$answers")
    predicted=$(in_unit "$reply" "$unit")
    [ -n "$predicted" ] ||
        fail "$answers: $key: '$reply' is not a number and its unit, as in: 2.5 $unit"
}

# All of the file, before any of it is stored.
check_answers() {
    while read_prompt; do look_up; done <"$prompts"
}

predict() {
    prompts=lessons/$lesson-predict.txt
    [ -r "$prompts" ] || fail "lesson $lesson has nothing to predict"
    if [ -n "$answers" ]; then
        [ -r "$answers" ] || fail "$answers can't be read"
        check_answers
    elif ! [ -t 0 ]; then
        fail "no terminal to ask on; give a file of lines KEY VALUE, with the keys of $prompts: make $lesson-predict ANSWERS=FILE"
    fi
    exec 4<&0
    stored=0
    while read_prompt; do
        note_measured "$lesson"
        if [ -n "$(recall "measured $lesson/$key")" ]; then
            old=$(recall "predicted $lesson/$key")
            say "$question"
            echo "  the run has been made; your prediction was: ${old:-none}"
        else
            if [ -n "$answers" ]; then look_up; else ask || break; fi
            note "predicted $lesson/$key $predicted"
            stored=$((stored + 1))
        fi
    done <"$prompts"
    [ $stored -eq 0 ] || echo "$stored predictions are stored, in $state"
}

# A row for each prediction of which the outcome is known.
rows() {
    echo "lesson,key,unit,predicted,measured"
    awk '
        $1 == "predicted" { predicted[$2] = $3; if (!seen[$2]++) order[++n] = $2 }
        $1 == "measured"  { measured[$2] = $3; unit[$2] = $4 }
        END {
            for (i = 1; i <= n; i++) {
                key = order[i]
                if (!(key in measured)) continue
                split(key, part, "/")
                row = part[1] "," part[2] "," unit[key]
                print row "," predicted[key] "," measured[key]
            }
        }' "$state"
}

calibration() {
    for prompts in lessons/*-predict.txt; do
        [ -e "$prompts" ] || continue
        lesson=$(basename "$prompts" -predict.txt)
        while read_prompt; do note_measured "$lesson"; done <"$prompts"
    done
    mkdir -p "$1" || fail "$1 can't be made"
    new=$1/calibration.csv.new
    if ! [ -e "$state" ] || ! rows >"$new" || [ "$(wc -l <"$new")" -lt 2 ]; then
        rm -f "$new"
        fail "no prediction's outcome is known yet: make NN-predict, then run lesson NN"
    fi
    replace "$new" "$1/calibration.csv" || fail "$1/calibration.csv can't be written"
    for format in svg png; do
        LC_ALL=C.UTF-8 gnuplot -c plots/calibration.gp "$1" $format || exit 2
    done
    echo "$1/calibration.svg and .png"
}

mkdir -p "$build" || fail "$build can't be made"
case $1 in
predict) lesson=$2 answers=${3:-} && predict ;;
calibration) calibration "$2" ;;
esac
