# What the student has done, in one text file. A line is added for each attempt, hint and
# prediction, and none is ever changed: what a person can read, a person can also mend.
#
#   attempt EXERCISE FINGERPRINT passed|rejected FACT
#   hint EXERCISE TIER FINGERPRINT
#   predicted LESSON/KEY VALUE UNIT
#   measured LESSON/KEY VALUE UNIT
#
# To be read by the other scripts. The functions print nothing but what they return.
# shellcheck shell=sh

state=${COURSE_STATE:-.course}

# What is in a file, in a few letters. White space does not count: it is no new attempt.
fingerprint() {
    tr -d '[:space:]' <"$1" | sha256sum | cut -c 1-16
}

# Puts $1, which is complete, in the place of $2. Killed at any moment, $2 is the old one
# or the new one, and never a part.
replace() {
    sync "$1" && mv -f "$1" "$2"
}

# What there is, or how it begins, and line $1.
with_line() {
    if [ -e "$state" ]; then
        cat "$state"
    else
        echo "# Ways to Wait: your attempts, hints and predictions, the last at the end."
    fi && printf '%s\n' "$1"
}

# Adds a line. Another command may be adding one as well.
note() {
    {
        flock 8
        if ! with_line "$1" >"$state.new" || ! replace "$state.new" "$state"; then
            fail "$state can't be written, so this is not in it: $1"
        fi
    } 8>"${build:?}/state-lock"
}

# The last line that begins with these words, without them.
recall() {
    [ -e "$state" ] || return 0
    WORDS="$1 " awk '
        BEGIN                   { words = ENVIRON["WORDS"] }
        index($0, words) == 1   { last = substr($0, length(words) + 1) }
        END                     { print last }' "$state"
}

# How many different answers to the exercise there were.
count_attempts() {
    EXERCISE=$1 awk '
        $1 == "attempt" && $2 == ENVIRON["EXERCISE"] && !seen[$3]++ { count++ }
        END { print count + 0 }' "$state"
}

is_passed() {
    [ -e "$state" ] && EXERCISE=$1 awk '
        $1 == "attempt" && $2 == ENVIRON["EXERCISE"] && $4 == "passed" { found = 1 }
        END { exit !found }' "$state"
}

# Whether the last attempt came after the second hint, and changed something since.
tried_since_hint() {
    EXERCISE=$1 awk '
        $2 != ENVIRON["EXERCISE"]     { next }
        $1 == "hint" && $3 == 2       { then = $4; changed = 0 }
        $1 == "attempt" && then != "" { changed = $3 != then }
        END                           { exit !changed }' "$state"
}
