#!/bin/sh
# The threads chart says what is in threads.csv. usage: tests/threads_chart_test.sh
set -u
export LC_ALL=C.UTF-8    # gnuplot writes … by it

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "threads_chart_test.sh: $1" >&2
    cat "$scratch/said" >&2
    exit 1
}

draw() {
    gnuplot -c plots/threads.gp "$scratch" "$@" >"$scratch/said" 2>&1
}

says() {
    grep -q -- "$1" "$scratch/said" || fail "it does not say '$1'"
}

# A model of one thread, which sleeps, is ready, and runs, for 300 ms each; and one of
# 31 threads, each of them asleep in recv but for the first.
ms() { echo "$((${1} * 1000000))"; }
plant() {
    echo "model,process,thread,from_ns,to_ns,state,call,cpu_ns,ready_ns"
    echo "blocking,0,0,$(ms -5),0,started,,1000,0"
    echo "blocking,0,0,0,$(ms 300),asleep,epoll_wait,0,0"
    echo "blocking,0,0,$(ms 300),$(ms 600),ready,,0,$(ms 300)"
    echo "blocking,0,0,$(ms 600),$(ms 900),running,,$(ms 300),0"
    echo "blocking,,,$(ms -5),$(ms 600),,,0,"
    echo "blocking,,,$(ms 600),$(ms 900),,,$(ms 300),"
    echo "threads,0,0,0,$(ms 900),asleep,futex,0,0"
    i=1
    while [ "$i" -le 30 ]; do
        echo "threads,0,$i,0,$(ms 900),asleep,recv,0,0"
        i=$((i + 1))
    done
}
plant >"$scratch/threads.csv"
{
    echo "model,trial,request,start_ns,connected_ns,sent_ns,first_byte_ns,end_ns,server_wait_ns,status,bytes,error"
    for model in blocking threads; do
        echo "$model,0,0,0,$(ms 1),$(ms 2),$(ms 898),$(ms 900),$(ms 890),200,17,"
    done
} >"$scratch/timeline.csv"

draw dumb blocking || fail "it does not draw one model"
says '^blocking: what did each thread do?$'
says '^  request 0 >-*< *$'
says '^   thread 0 \.*epoll_wait\.*=\{21,22\}#\{21,22\} *$'
says '^        CPU _\{42,44\}#\{21,22\}'
says '^blocking: 1 thread, CPU 300 ms$'
grep -q threads: "$scratch/said" && fail "it draws a model that was not asked for"

draw dumb threads || fail "it does not draw many threads"
says '^   thread 0 \.*futex\.* *$'
says '^         11 \.*recv\.* *$'
says '^            … and 19 more, asleep in recv$'

draw dumb || fail "it does not draw two models"
says '^What did each thread do?$'
says '^            … and 29 more, asleep in recv$'

for format in svg png; do
    draw "$format" && draw "$format" threads || fail "it does not draw $format"
    [ -s "$scratch/threads.$format" ] && [ -s "$scratch/threads-threads.$format" ] ||
        fail "it leaves no $format"
    [ ! -s "$scratch/said" ] || fail "it complains"
done
grep -q epoll_wait "$scratch/threads.svg" || fail "the SVG does not name the call"

draw dumb nobody && fail "it draws a model that is not there"
says 'no thread of nobody in it'
draw dumb threads more && fail "it takes an argument too many"
rm "$scratch/timeline.csv"
draw dumb && fail "it draws without the requests"
says 'timeline.csv: not there, or empty'
exit 0
