#!/bin/sh
# Runs test programs one after the other and adds up what passed:
#
#   tests/run.sh PROGRAM...
#
# A Check suite counts as many tests as it says it ran; a script counts as one. Prints
# "N passed, N failed" last, and exits 1 if anything failed.
set -u

# ThreadSanitizer cannot place its shadow where addresses are randomised too widely.
runner=
case " $* " in
*/tsan/*)
    if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ]; then
        runner="setarch $(uname -m) -R"
    fi
    ;;
esac

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1}"

passed=0 failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for program; do
    echo "== $program"
    $runner "$program" >"$output" 2>&1
    status=$?
    # "97%: Checks: 34, Failures: 1, Errors: 0", one line for each suite of the program.
    counts=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$output")
    ran=0 bad=0
    while read -r checks failures errors; do
        [ -n "$checks" ] || continue
        ran=$((ran + checks)) bad=$((bad + failures + errors))
    done <<COUNTS
$counts
COUNTS
    [ "$ran" -gt 0 ] || ran=1                               # a script, or a program that died early
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1        # whatever it was, it was not a success
    if [ "$bad" -eq 0 ]; then
        sed -n 's/^skipped: /   &/p' "$output"    # what this machine cannot do
    else
        cat "$output"
    fi
    passed=$((passed + ran - bad)) failed=$((failed + bad))
    echo "   $((ran - bad)) passed, $bad failed"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
