# Two ways to make a rate of one requests.csv, and the mean number in flight:
#   awk -F, -f lessons/06-rates.awk requests.csv
NR == 2 { first = $4 }
NR > 1 {
    if ($4 < first) first = $4      # start_ns
    if ($8 > last) last = $8        # end_ns
    sum += $8 - $4
    n++
}
END {
    printf "%-8s n/sum %.1f n/makespan %.1f sum/makespan %.1f\n", $1,
        n / sum * 1e9, n / (last - first) * 1e9, sum / (last - first)
}
