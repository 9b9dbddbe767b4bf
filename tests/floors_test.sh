#!/bin/sh
# Includes point downwards only. usage: tests/floors_test.sh [DIR]
# Before it judges the tree in DIR (default .), it judges small trees of its own: a test
# that cannot fail proves nothing.
set -u

# The folders that each folder of src/ may include from: its own, and the floors below.
below() {
    case $1 in
    kit) echo "kit" ;;
    server) echo "server kit" ;;
    coro) echo "coro kit" ;;
    models) echo "models coro kit" ;;
    fetch) echo "fetch models coro kit" ;;
    whowaits) echo "whowaits kit" ;;
    pingpong) echo "pingpong coro kit" ;;
    course) echo "course" ;;            # bounded stands alone
    bench) echo "bench kit" ;;          # it starts programs, and reads what they write
    *) return 1 ;;
    esac
}

# What models share. Any other header of models/ belongs to one model alone, $2.
may_include() {
    case "$1 $2" in
    models/model.h\ * | models/models.h\ * | models/exchange.h\ *) return 0 ;;
    models/queue.h\ pool | models/ring.h\ uring) return 0 ;;
    *) return 1 ;;
    esac
}

# Says why file $1, named from src/ on, may not include header $2; or nothing.
complain() {
    folder=${1%%/*}
    if ! floors=$(below "$folder"); then
        echo "src/$folder/ stands on no floor; give it one in tests/floors_test.sh"
        return
    fi
    case $2 in
    ../* | */../* | ./* | */./*)
        echo "name it from src/ on, without . and .."
        return
        ;;
    */*) header=$2 ;;
    *) header=$folder/$2 ;;    # a neighbour
    esac
    case " $floors " in
    *" ${header%%/*} "*) ;;
    *)
        echo "$folder may include from: $floors"
        return
        ;;
    esac
    name=${1#models/}
    name=${name%.[ch]}
    if [ "$folder" = models ] && [ "${header%%/*}" = models ] && ! may_include "$header" "$name" &&
        [ "$header" != "models/$name.h" ]; then
        echo "a model includes no other model's header"
    fi
}

# Judges the tree $1. Prints "FILE:LINE: ..." for each wrong include; returns how it went.
check() {
    if [ -z "$(find "$1/src" -name '*.[ch]' 2>/dev/null)" ]; then
        echo "$1/src: no source is there"
        return 1
    fi
    # A line's number and a header, for each "..." and for each <folder/...> that is ours.
    ours=$(cd "$1/src" && find . -mindepth 1 -maxdepth 1 -type d | sed 's|^\./||' |
        tr '\n' '|' | sed 's/|$//')
    include='[[:space:]]*#[[:space:]]*include[[:space:]]*'
    wrong=$(find "$1/src" -name '*.[ch]' | sort | while read -r file; do
        sed -nE -e "s@^$include\"([^\"]+)\".*@\\1@;t said" \
            -e "s@^$include<(($ours)/[^>]+)>.*@\\1@;t said" \
            -e 'b' -e ':said' -e '=;p' "$file" |
            while read -r line && read -r header; do
                why=$(complain "${file#"$1"/src/}" "$header")
                [ -z "$why" ] || echo "$file:$line: includes \"$header\": $why"
            done
    done)
    [ -z "$wrong" ] || printf '%s\n' "$wrong"
    [ -z "$wrong" ]
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Writes file $1 of the tree of its own, with an include of each further argument in turn.
write() {
    file=$scratch/src/$1
    shift
    mkdir -p "${file%/*}"
    printf '#include %s\n' "$@" >"$file"
}

plant() {
    rm -rf "$scratch/src"
    write kit/net.c '"kit/net.h"' '"net.h"' '<sys/socket.h>' '<stdio.h>'
    write server/main.c '"server/gate.h"' '"kit/net.h"' '<event2/event.h>'
    write coro/coro.c '"coro/coro.h"' '"kit/clock.h"'
    write models/models.c '"models/models.h"'
    write models/threads.c '"models/exchange.h"' '"models/model.h"' '"models/models.h"'
    write models/uring.c '"models/uring.h"' '"coro/coro.h"' '"kit/net.h"' '<liburing.h>'
    write fetch/main.c '"models/model.h"' '"fetch/preflight.h"' '"kit/net.h"'
    write bench/main.c '"bench/cell.h"' '"kit/csv.h"'
    write whowaits/main.c '"kit/csv.h"'
    write pingpong/main.c '"pingpong/game.h"' '"coro/switch.h"' '"kit/csv.h"'
    write whowaits/main.c '"whowaits/roll.h"' '"kit/csv.h"'
}

broken() {
    echo "floors_test.sh: the test itself is broken: $1" >&2
    [ ! -f "$scratch/said" ] || cat "$scratch/said" >&2
    exit 1
}

plant
check "$scratch" >"$scratch/said" || broken "it refuses a tree that is right"

# A file that includes a header that it may not: the second line must be named.
while read -r wrong_file wrong_header; do
    plant
    write "$wrong_file" '<stdio.h>' "$wrong_header"
    if check "$scratch" >"$scratch/said" ||
        ! grep -q "^$scratch/src/$wrong_file:2: includes" "$scratch/said" ||
        [ "$(wc -l <"$scratch/said")" -ne 1 ]; then
        broken "$wrong_file may include $wrong_header"
    fi
done <<'END'
kit/net.h "models/model.h"
kit/net.c "server/gate.h"
kit/net.c "../server/gate.h"
kit/net.c "kit/../server/gate.h"
kit/net.c <models/model.h>
server/main.c "models/model.h"
server/main.c "coro/coro.h"
server/main.c "bench/cell.h"
coro/coro.c "models/model.h"
coro/coro.h "server/gate.h"
models/threads.c "models/uring.h"
models/threads.c "uring.h"
models/exchange.c "models/uring.h"
models/threads.c "models/queue.h"
models/epoll.c "models/ring.h"
models/threads.c "fetch/preflight.h"
models/threads.c "server/gate.h"
fetch/main.c "server/gate.h"
fetch/main.c "bench/cell.h"
fetch/main.c "whowaits/main.h"
bench/main.c "models/model.h"
bench/main.c "fetch/preflight.h"
bench/main.c "coro/coro.h"
bench/switch.c "pingpong/game.h"
pingpong/main.c "models/model.h"
pingpong/main.c "bench/target.h"
coro/coro.c "pingpong/game.h"
whowaits/main.c "models/model.h"
whowaits/gate.c "server/gate.h"
whowaits/client.c "bench/target.h"
newcomer/main.c "kit/net.h"
END

plant
printf '  #  include "models/model.h" /* with space */\n' >"$scratch/src/kit/net.c"
check "$scratch" >"$scratch/said" && broken "spaces hide an include"
rm -rf "$scratch/src"
check "$scratch" >"$scratch/said" && broken "it is content with no source at all"

check "${1:-.}" >&2
