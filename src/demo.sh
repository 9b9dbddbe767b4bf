#!/bin/sh
# The tour: three slow requests in each model, drawn in the terminal; then a short bench
# and its charts.  src/demo.sh BUILD DIR
set -eu
export LC_ALL=C.UTF-8    # gnuplot writes · and × by it
build=$1 out=$2
mkdir -p "$out"
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkfifo "$work/ready"
"$build/latency-server" -p 0 >"$work/ready" &
server=$!
read -r _ _ url <"$work/ready"    # "listening on http://127.0.0.1:PORT"

echo "Three requests to a server that takes half a second for each:"
echo
for model in $("$build/fetch" --list | awk '$2 != "unavailable:" { print $1 }'); do
    "$build/fetch" -m "$model" -n 3 -o "$work/$model.csv" "$url/delay/500ms?i={i}" >"$work/screen"
    awk -v model="$model" '
        /^time/       { sub(";", "", $2); time = $2 }
        END           { printf "  %-10s took %s\n", model, time }' "$work/screen"
    if [ -e "$work/timeline.csv" ]; then
        sed 1d "$work/$model.csv" >>"$work/timeline.csv"
    else
        cat "$work/$model.csv" >"$work/timeline.csv"
    fi
done
kill "$server"
wait "$server"
server=
echo
gnuplot -c plots/timeline.gp "$work" dumb

echo
echo "Now three of them with more requests, a few times each, for the charts. L is the server's delay,"
echo "100 ms now; N requests are asked for, C of them in flight: asked, and not yet answered. The rows"
echo "at the bottom are theory; '-' was not run. 'make bench' measures all."
echo
status=0
"$build/bench" makespan throughput footprint -m blocking,threads,libevent --trials 3 --budget 32s \
    -o "$out" || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || exit "$status"    # 3: some trials do not count
cp "$work/timeline.csv" "$out"
rm -f "$out/threads.csv"          # of other requests, if there is one
src/lines.sh >"$out/lines.csv"    # what each model costs the programmer
echo
echo "The charts:"
plots/draw.sh "$out"
echo
echo "Look at $out/timeline.png first; README.md says what to read next."
