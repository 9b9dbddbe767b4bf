#!/bin/sh
# Five timelines without labels, the same for the same seed:  timelines.sh SEED [csv]
# They are simulated, not recorded: only so can each be told from its seed again. With csv they
# come as the rows of requests.csv, with the timeline's letter in place of the model.
set -eu
seed=${1:-}
case $seed in
'' | *[!0-9]* | 0*) echo "timelines: the seed is a number from 1 up, as in: timelines.sh 4711" >&2; exit 2 ;;
esac
here=$(dirname "$0")
case ${2:-} in
csv) awk -v seed="$seed" -f "$here/simulate.awk" ;;
'') awk -v seed="$seed" -f "$here/simulate.awk" | awk -F, -f "$here/draw.awk" ;;
*) echo "timelines: $2: only csv can be asked for" >&2; exit 2 ;;
esac
