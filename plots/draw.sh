#!/bin/sh
# Draws all that was measured or counted in DIR, as SVG and as PNG:  plots/draw.sh DIR
set -eu
export LC_ALL=C.UTF-8    # gnuplot writes · and × by it
dir=$1
plots=$(dirname "$0")
drawn=0
for script in "$plots"/*.gp; do
    name=$(basename "$script" .gp)
    [ -e "$dir/$name.csv" ] || continue
    gnuplot -c "$script" "$dir" svg
    gnuplot -c "$script" "$dir" png
    echo "$dir/$name.svg and .png"
    drawn=$((drawn + 1))
done
if [ "$drawn" -eq 0 ]; then
    echo "draw: $dir has no CSV of an experiment yet; measure with 'make bench'" >&2
    exit 1
fi
