#!/bin/sh
# Exercise 01's timelines: each of the five kinds once, with one right reading each, whatever
# the seed. Its check takes that for granted.
set -u
timelines=exercises/01-read-the-timelines/timelines.sh
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
wrong=0

complain() {
    echo "timelines_test.sh: $1" >&2
    wrong=$((wrong + 1))
}

# Says what can be read in two ways in the rows on standard input; or nothing.
ambiguous() {
    awk -F, '
        NR == 1        { next }
        !($1 in count) { letters = letters $1 }
        {
            i = count[$1]++
            start[$1, i] = $4
            end[$1, i] = $8
            unread[$1] += $8 > $4 + $9
            if ($8 > $4 + $9) back = $8
            late[$1] += $4 > 0
            if ($4 > last_start[$1]) last_start[$1] = $4
            if ($8 > most) most = $8
        }
        END {
            for (l = 1; l <= length(letters); l++) {
                t = substr(letters, l, 1)
                ends = lets_go = straight = before = 0
                for (i = 0; i < count[t]; i++) {
                    first = 1
                    for (j = 0; j < i; j++) first = first && end[t, j] != end[t, i]
                    ends += first
                    lets_go += end[t, i] == last_start[t]
                    straight += i > 0 && start[t, i] == end[t, i - 1]
                    if (end[t, i] < back && end[t, i] > before) { before = end[t, i]; guilty = 0 }
                    guilty += end[t, i] < back && end[t, i] == before
                }
                if (unread[t])                      { kinds = kinds "p"; if (guilty != 1) print "poisoned_by" }
                else if (straight == count[t] - 1)    kinds = kinds "s"
                else if (late[t])                   { kinds = kinds "o"; if (lets_go != 1) print "pool_last" }
                else if (ends == 1)                   kinds = kinds "w"
                else                                { kinds = kinds "l"; if (ends != 2) print "straggler" }
            }
            if (length(kinds) != 5 || kinds !~ /p/ || kinds !~ /s/ || kinds !~ /o/ || kinds !~ /w/ || kinds !~ /l/)
                print "which is which: " kinds
            if (most > 3.25e9) print "one is wider than the axis"
        }'
}

for seed in $(seq 50) 999999999; do
    "$timelines" "$seed" csv >"$scratch/rows"
    said=$(ambiguous <"$scratch/rows" | xargs)
    [ -z "$said" ] || complain "seed $seed: $said"
done
"$timelines" 4711 csv >"$scratch/once"
"$timelines" 4711 csv | cmp -s - "$scratch/once" || complain "a seed does not give the same again"
"$timelines" 4712 csv | cmp -s - "$scratch/once" && complain "two seeds give the same"
[ "$("$timelines" 4711 | grep -c '^[A-E] ')" -eq 5 ] || complain "five are not drawn"

for seed in '' 0 -1 x 1x '1 2'; do
    "$timelines" "$seed" csv >"$scratch/rows" 2>&1 && complain "seed '$seed' is taken"
    [ "$(wc -l <"$scratch/rows")" -eq 1 ] || complain "seed '$seed' is not refused in one sentence"
done
[ $wrong -eq 0 ]
