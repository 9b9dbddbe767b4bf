#!/usr/bin/env bash
# Holds the kit against wrk and nginx, and each figure against its aim:
#
#   tests/yardstick.sh BUILD
#
# Not a test: nothing fails here. Ratios come from interleaved pairs in one run, the server on
# the first core and the client on the second. Takes about seven minutes on an idle machine.
set -euo pipefail
build=${1:?the folder of the programs is missing, as in: tests/yardstick.sh build}
pairs=9
server_cpu=0 client_cpu=$(($(nproc) > 1 ? 1 : 0))
work=$(mktemp -d)
pids=()
p=
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin
ulimit -n "$(ulimit -Hn)"

# --- small tools ---------------------------------------------------------------------

# The median, or another quantile by nearest rank, of numbers on standard input.
quantile() {
    sort -n | awk -v q="${1:-0.5}" '{ v[NR] = $1 }
        END { if (NR == 0) { print "nan"; exit } r = int(q * NR + 0.999999); print v[r < 1 ? 1 : r] }'
}

row() { printf '%-60s %-14s %s\n' "$1" "$2" "$3"; }

# Waits until the machine did next to nothing for a second; says so if it never does.
await_idle() {
    local before after
    for _ in $(seq 60); do
        before=$(awk '/^cpu / { print $5, $2+$3+$4+$5+$6+$7+$8 }' /proc/stat)
        sleep 1
        after=$(awk '/^cpu / { print $5, $2+$3+$4+$5+$6+$7+$8 }' /proc/stat)
        if awk -v a="$before" -v b="$after" 'BEGIN { split(a, x); split(b, y);
            exit !((y[1] - x[1]) > 0.95 * (y[2] - x[2])) }'; then
            return
        fi
    done
    echo "yardstick: the machine was never idle; read the figures with care" >&2
}

fetch() { taskset -c "$client_cpu" "$build/fetch" "$@"; }

# Requests a second, as fetch and as wrk say it.
fetch_rate() {
    fetch "$@" >"$work/screen" 2>&1 || true
    awk '/^throughput/ { gsub(",", "", $2); print $2 }' "$work/screen"
}
wrk_rate() {
    taskset -c "$client_cpu" wrk -t1 -c100 -d2s "$@" | awk '/^Requests\/sec/ { print $2 }'
}

# --- the two servers -----------------------------------------------------------------

mkfifo "$work/ready"
taskset -c $server_cpu "$build/latency-server" -p 0 >"$work/ready" &
pids+=($!)
read -r _ _ ours <"$work/ready"

# nginx wants to be told its port: one that the kernel has just handed out is free.
"$build/latency-server" -p 0 >"$work/ready" &
read -r _ _ free <"$work/ready"
kill $!
wait $!
nginx_port=${free##*:}
cat >"$work/nginx.conf" <<CONF
daemon off; master_process off; worker_processes 1; pid $work/nginx.pid; error_log $work/error.log;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path $work/body;
  proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$nginx_port backlog=4096; location / { return 200 "waited 0.00 ms\n"; } } }
CONF
taskset -c $server_cpu nginx -p "$work" -c "$work/nginx.conf" 2>"$work/nginx.log" &
pids+=($!)
theirs=http://127.0.0.1:$nginx_port
for _ in $(seq 50); do curl -so /dev/null "$theirs/" && break; sleep 0.1; done

echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1) x $(nproc), Linux $(uname -r), $(wrk -v 2>&1 | head -n 1 | cut -d' ' -f1-2), $(nginx -v 2>&1 | sed 's/.*: //')"
echo
row "what" "aim" "measured"

# --- throughput: interleaved pairs ---------------------------------------------------

# Prints the median of N ratios a/b, and the medians of a and b. The pairs are in $work/NAME.
ratio() {
    local name=$1 aim=$2
    awk '{ print $1 / $2 }' "$work/$name" >"$work/ratios"
    row "$3" "$aim" "$(printf '%.2f  (%.0f against %.0f a second; ratios %.2f to %.2f)' \
        "$(quantile <"$work/ratios")" "$(cut -d' ' -f1 "$work/$name" | quantile)" \
        "$(cut -d' ' -f2 "$work/$name" | quantile)" \
        "$(quantile 0.0001 <"$work/ratios")" "$(quantile 1 <"$work/ratios")")"
}

await_idle
close=(-H 'Connection: close')
for _ in $(seq $pairs); do
    a=$(fetch_rate -m libevent -n 40k -c 100 "$ours/delay/0")
    b=$(wrk_rate "${close[@]}" "$ours/delay/0")
    echo "$a $b" >>"$work/libevent-wrk"
    a=$b
    b=$(wrk_rate "${close[@]}" "$theirs/delay/0")
    echo "$a $b" >>"$work/close"
    a=$(wrk_rate "$ours/delay/0")
    b=$(wrk_rate "$theirs/delay/0")
    echo "$a $b" >>"$work/kept"
done
ratio libevent-wrk '>= 0.97' "libevent model / wrk, a connection for each request"
ratio close '>= 0.95' "latency-server / nginx, a connection for each request"
ratio kept '>= 0.6' "latency-server / nginx, kept alive"
ceiling=$(cut -d' ' -f1 "$work/libevent-wrk" | quantile)

# The models with one another: in each round every one of them, libevent first.
able=$("$build/fetch" --list | awk '$2 != "unavailable:" { print $1 }')
for _ in $(seq $pairs); do
    b=$(fetch_rate -m libevent -n 20k -c 100 "$ours/delay/0")
    for model in epoll uring coroutines pool; do
        if grep -qx $model <<<"$able"; then
            echo "$(fetch_rate -m $model -n 20k -c 100 "$ours/delay/0") $b" >>"$work/$model"
        fi
    done
done
for pair in 'epoll >=_1.0' 'uring >=_1.12' 'coroutines >=_1.0' 'pool >=_1.0'; do
    read -r model aim <<<"$pair"
    if [ -e "$work/$model" ]; then
        ratio $model "${aim//_/ }" "$model / libevent model"
    else
        row "$model / libevent model" "${aim//_/ }" "not measured: it cannot run here"
    fi
done

# --- overhead over L -----------------------------------------------------------------

# MODEL COUNT LATENCY_MS AIM CEILING: median of five, beside the part that the ceiling explains,
# the requests a second where nobody waits.
overhead() {
    local model=$1 count=$2 ms=$3 aim=$4 ceiling=$5 rounds=1
    [ "$model" = blocking ] && rounds=$count
    for _ in 1 2 3 4 5; do
        "$build/fetch" -m "$model" -n "$count" -o "$work/o.csv" "$ours/delay/${ms}ms" >/dev/null
        awk -F, -v ideal="$((rounds * ms))e6" 'NR > 1 { if (s == "" || $4 < s) s = $4; if ($8 > e) e = $8 }
            END { print 100 * ((e - s) / ideal - 1) }' "$work/o.csv"
    done | quantile >"$work/overhead"
    row "overhead: $model, $count x $ms ms" "$aim" \
        "$(printf '%.1f %%  (N/ceiling explains %.1f %%)' "$(cat "$work/overhead")" \
            "$(awk -v n="$count" -v c="$ceiling" -v i="$((rounds * ms))" 'BEGIN { print 100 * n / c / (i / 1000) }')")"
}
await_idle
overhead blocking 50 20 '<= 2 %' "$("$build/fetch" -m blocking -n 2k "$ours/delay/0" |
    awk '/^throughput/ { gsub(",", "", $2); print $2 }')"
for model in threads libevent; do
    overhead $model 100 500 '<= 3 %' "$ceiling"
    overhead $model 1000 2000 '<= 5 %' "$ceiling"
done

# A pool smaller than what is asked for: ten rounds of a second.
for _ in 1 2 3; do
    "$build/fetch" -m pool -c 100 -n 1000 -o "$work/o.csv" "$ours/delay/1s" >/dev/null
    awk -F, 'NR > 1 { if (s == "" || $4 < s) s = $4; if ($8 > e) e = $8 }
        END { print 100 * ((e - s) / 10e9 - 1) }' "$work/o.csv"
done | quantile >"$work/overhead"
row "overhead: pool of 100 threads, 1000 x 1 s" '<= 1 %' \
    "$(printf '%.1f %%  (1000/ceiling is %.1f %%)' "$(cat "$work/overhead")" \
        "$(awk -v c="$ceiling" 'BEGIN { print 100 * 1000 / c / 10 }')")"

# --- ten thousand at once ------------------------------------------------------------

for model in threads libevent; do
    "$build/fetch" -m $model -n 10k -o "$work/many.csv" "$ours/delay/3s" >/dev/null 2>&1 || true
    row "10,000 in flight of 3 s, $model: failed requests" "0" \
        "$(awk -F, 'NR > 1 && ($12 != "" || $10 != 200) { n++ } END { print n + 0, "of", NR - 1 }' "$work/many.csv")"
done
"$build/bench" footprint -m "$(grep -vx 'blocking\|processes\|pool' <<<"$able" | paste -sd,)" --trials 1 --budget 10m -o "$work/bench" >"$work/bench.log" 2>&1 ||
    tail -n 3 "$work/bench.log" >&2
for pair in 'libevent <=_2.5_KiB' 'threads <=_9_KiB' 'epoll <=_0.3_KiB' 'uring <=_0.4_KiB' \
    'coroutines <=_5.5_KiB'; do
    read -r model aim <<<"$pair"
    row "resident memory for each of 10,000 waiting, $model" "${aim//_/ }" \
        "$(awk -F, -v m="$model" '$1 == m && $2 == 10000 { printf "%.2f KiB", $6 / 1024; n = 1 }
            END { if (!n) print "not measured" }' "$work/bench/footprint.csv")"
done

# --- switches ------------------------------------------------------------------------

# PROGRAM WAY AIM WORDS: the median of five, in microseconds.
switch() {
    for _ in 1 2 3 4 5; do
        "$build/$1" "$2" -o "$work/switch.csv" >/dev/null
        sed -n '2s/.*,//p' "$work/switch.csv"
    done | quantile >"$work/switch"
    row "a switch: $4" "<= $3 us" "$(awk '{ printf "%.3f us", $1 / 1e6 }' "$work/switch")"
}
await_idle
switch pingpong coroutine-switch 0.2 "raw, ucontext"
switch pingpong-assembly coroutine-switch 0.02 "raw, assembly"
switch pingpong-assembly coroutine-yield 0.1 "through the scheduler, assembly"

# --- the server's own punctuality ----------------------------------------------------

# IN_FLIGHT COUNT AIM: how much longer the server waited than it was asked to.
lateness() {
    fetch -m libevent -c "$1" -n "$2" -o "$work/late.csv" "$ours/delay/500ms" >/dev/null
    awk -F, 'NR > 1 { print ($9 - 500e6) / 1e6 }' "$work/late.csv" >"$work/late"
    row "lateness, $1 in flight: median / 99th percentile" "$3" \
        "$(printf '%.2f / %.2f ms' "$(quantile <"$work/late")" "$(quantile 0.99 <"$work/late")")"
}
await_idle
lateness 10 200 '<= 0.3 / 1 ms'
lateness 1000 5000 '<= 6 / 20 ms'
fetch -m libevent -c 100 -n 20k -o "$work/early.csv" "$ours/delay/20ms" >/dev/null
row "early answers, by the server's stamp or the client's clock" "0" \
    "$(awk -F, 'NR > 1 && ($9 < 20e6 || $8 - $4 < 20e6) { n++ } END { print n + 0, "of", NR - 1 }' "$work/early.csv")"

# --- system calls --------------------------------------------------------------------

echo
echo "System calls for one request, by strace -c: the difference of two runs, 400 and 200"
echo "requests of 50 ms, 20 in flight (blocking: 1), divided by 200."
explain() {
    case $1 in
    socket) echo "makes the connection's descriptor" ;;
    setsockopt) echo "TCP_NODELAY; for blocking calls also the time left, before each" ;;
    getsockopt) echo "asks whether the connection was made" ;;
    connect) echo "starts the connection, and waits for it where it blocks" ;;
    sendto | writev | sendmsg) echo "sends the request" ;;
    recvfrom | readv) echo "receives what has arrived" ;;
    ioctl) echo "libevent asks how much has arrived (FIONREAD)" ;;
    close) echo "closes the connection" ;;
    epoll_ctl) echo "tells the kernel which descriptor to watch, and for what" ;;
    timerfd_settime) echo "sets the loop's next timeout, to the nanosecond" ;;
    epoll_wait) echo "waits for all at once; shared by those that became ready together" ;;
    clone3 | clone) echo "starts the thread, or the process" ;;
    wait4) echo "awaits a child's end" ;;
    io_uring_enter) echo "hands operations to the kernel and waits; shared by all that are due" ;;
    mmap | munmap | mprotect | madvise) echo "the thread's stack and its guard" ;;
    futex) echo "waits for a free slot, or wakes who waits; joins the thread" ;;
    rt_sigprocmask | set_robust_list | rseq | exit | gettid) echo "a thread's beginning and end" ;;
    exit_group | prctl | getpid | set_tid_address | getrandom | brk | openat | read | fstat) echo "a process's beginning and end" ;;
    *) echo "" ;;
    esac
}
for model in $able; do
    for count in 200 400; do
        strace -f -qq -c -U name,calls -o "$work/strace.$count" \
            "$build/fetch" -m "$model" -n "$count" -c 20 "$ours/delay/50ms" >/dev/null 2>&1 || true
    done
    echo
    echo "$model"
    awk 'NF == 2 && $2 ~ /^[0-9]+$/ && $1 != "total" { if (FNR == NR) a[$1] = $2; else b[$1] = $2 }
        END { for (c in b) { d = (b[c] - a[c]) / 200; if (d >= 0.02) print c, d } }' \
        "$work/strace.200" "$work/strace.400" | sort -k2 -rn |
        while read -r call times; do printf '  %6.2f  %-16s %s\n' "$times" "$call" "$(explain "$call")"; done
done
