# What was predicted, what theory says, what was measured: lesson 01's chart, a panel a model.
#   gnuplot -c plots/predict.gp DIR svg|png|dumb [STATE]
# reads DIR/makespan.csv, DIR/machine.csv and the predictions in STATE (default .course); writes
# DIR/predict.svg or .png, or to the terminal. Times are divided by L, for the predictions were
# made for two seconds and the measurement was not.

DIR = ARG1; FORMAT = ARG2; STATE = ARG3 eq "" ? ".course" : ARG3
NAME = "predict"; HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
if (DIR eq "" || (FORMAT ne "svg" && FORMAT ne "png" && FORMAT ne "dumb") || ARGC > 3) {
    print "usage: gnuplot -c plots/predict.gp DIR svg|png|dumb [STATE]"
    exit status 1
}
NAME = "makespan"       # what setup.gpi is to read
load HERE."setup.gpi"

x_of(row)       = strcol("requests")
latency_of(row) = number("latency_ns") * 1e-9
y_of(row)       = number("wall_ns") / number("latency_ns")
load HERE."trials.gpi"

# The lesson's three, of those that were measured.
PANELS = ""
do for [name in "blocking threads libevent"] {
    if (has(" ".PRESENT, known(name, 1))) { PANELS = PANELS.known(name, 1)." " }
}

# The last prediction under each key, as "SLOT N TIMES", TIMES of L. One that it fails is 0.
FOUND = !readable(STATE) ? "" : system("awk '".\
    "$1 == \"predicted\" && sub(/^01\\//, \"\", $2) { last[$2] = $3 / 2 } ".\
    "END { split(\"one 1 three 3 thousand 1000\", size); ".\
    "for (i = 1; i < 6; i += 2) for (key in last) { ".\
    "split(key, part, \"_\"); if (part[1] != size[i]) continue; ".\
    "models = split(part[2] == \"\" ? \"blocking threads libevent\" : part[2], model, \" \"); ".\
    "for (m = 1; m <= models; m++) print model[m], size[i + 1], last[key] } }' '".quoted(STATE)."'")
set print $PREDICTED
do for [i = 1:words(FOUND) / 3] {
    print slot_of(word(FOUND, 3 * i - 2)), " ", word(FOUND, 3 * i - 1), " ", word(FOUND, 3 * i)
}
print "0 1 1"           # a block must not be empty
unset print

theory(m, n) = MODEL[m] eq "blocking" ? n : 1
formula(m)   = MODEL[m] eq "blocking" ? "N·L" : "L"
times_of_L(y) = digits(three(y))."·L"
guess(m, n)  = (GUESS = "-", sum [i = 1:|$PREDICTED|] guessed(i, m, n), GUESS)
guessed(i, m, n) = word($PREDICTED[i], 1) == m && word($PREDICTED[i], 2) == n ? \
    (GUESS = word($PREDICTED[i], 3) > 0 ? times_of_L(word($PREDICTED[i], 3) + 0) : "fails", 0) : 0
measured(m, n) = (TOLD = "-", sum [i = 1:|$MEDIANS|] told(i, m, n), TOLD)
told(i, m, n)  = word($MEDIANS[i], 1) == m && word($MEDIANS[i], 2) == n ? \
    (TOLD = times_of_L(word($MEDIANS[i], 3) + 0), 0) : 0
PREDICTIONS = words(FOUND) ? "predictions were made for L = 2 s" : "no predictions: make 01-predict"
PREDICTIONS = PREDICTIONS.(strlen(INVALID) ? "\nnot shown, for they are not valid: ".WHY_HOLLOW : "")
QUESTION = "What was predicted, and what came?"
FOOTER   = footer(LATENCY, TRIALS == 1 ? "1 trial" : count(TRIALS)." trials")

if (DUMB) {
    set print "-"
    print QUESTION."\nthe time until the last reply, in L, for N requests"
    do for [p = 1:words(PANELS)] {
        m = word(PANELS, p) + 0
        print sprintf("%-11s %8s %12s %12s %12s", MODEL[m], "N", "predicted", "theory", "measured")
        do for [n in "1 3 10 100 1000"] {
            print sprintf("%-11s %8s %12s %12s %12s", "", commas(n + 0), guess(m, n), \
                times_of_L(theory(m, n)), measured(m, n))
        }
    }
    print PREDICTIONS."\n".FOOTER
    exit
}

# All panels have the same axes, wide enough for whatever was predicted.
stats $PREDICTED using ($3 > 0 ? $3 : NaN) nooutput
Y_LOW  = least(least(Y_MIN, STATS_min), 1) / 2.5
Y_HIGH = most(most(Y_MAX, STATS_max), 1000) * 2.5
set logscale xy
set xrange [0.7:1400]
set yrange [Y_LOW:Y_HIGH]
set xtics ("1" 1, "3" 3, "10" 10, "100" 100, "1000" 1000) scale 0.7 nomirror textcolor rgb INK
set ytics scale 0.7 nomirror textcolor rgb INK
set border 3 lw 0.8 lc rgb INK
set grid ytics lt 1 lc rgb 0xE4E4E4 lw 0.5
set tmargin at screen 0.76
set bmargin at screen 0.235
set xlabel "N, the number of requests" offset 0, 0.3 textcolor rgb INK
set samples 200
unset key

# The spread is from the fastest valid trial to the slowest.
set print $SPREAD
do for [m in PANELS] { do for [x in XS] {
    if (has(CELLS, m.":".x.":1")) {
        stats $TRIALS using ($1 == m && $2 == x && $4 == 1 ? $3 : NaN) nooutput
        print m, " ", x, " ", STATS_median, " ", STATS_min, " ", STATS_max
    }
} }
print "0 1 1 1 1"
unset print

SHOWN = words(PANELS)
left(p)  = 0.075 + (p - 1) * 0.905 / SHOWN
right(p) = left(p) + 0.905 / SHOWN - 0.045
set output DIR."/predict.".FORMAT
set multiplot
set label 1 "{/:Bold ".QUESTION."}" at screen 0.025, 0.945 font font(27) textcolor rgb INK
set label 2 "time until the last reply of N requests, in L" at screen 0.025, 0.868 textcolor rgb INK
set label 3 "filled: median of the trials, with the fastest and the slowest · " \
    ."hollow: predicted, × if to fail · black dashes: theory" at screen 0.025, 0.090 noenhanced font font(13) textcolor rgb GREY
set label 4 FOOTER.also(PREDICTIONS) at screen 0.025, 0.057 noenhanced font font(13) textcolor rgb GREY
do for [p = 1:SHOWN] {
    m = word(PANELS, p) + 0
    set lmargin at screen left(p)
    set rmargin at screen right(p)
    set ytics ("" Y_HIGH * 1e6)             # an own list must begin with something
    do for [e = -9:9] { if (10.0**e > Y_LOW && 10.0**e < Y_HIGH) {
        set ytics add ((p == 1 ? count(10.0**e)."·L" : "") 10.0**e)
    } }
    if (p == 2) { do for [i = 1:4] { unset label i } }      # what stands above and below all
    set label 5 "{/:Bold ".MODEL[m]."}" at graph 0.03, 0.95 font font(20) textcolor rgb colour(m)
    set label 6 "theory: ".formula(m) at graph 0.03, 0.88 font font(15) textcolor rgb "black"
    plot theory(m, x) with lines lc rgb "black" dt (14, 10) lw 0.8, \
         $PREDICTED using ($1 == m && $3 > 0 ? $2 : NaN):3 with linespoints pt hollow(m) \
             ps 2.4 * SCALE lc rgb colour(m) dt 3 lw 0.8, \
         $PREDICTED using ($1 == m && $3 == 0 ? $2 : NaN):(Y_LOW * 1.6) with points pt 2 \
             ps 2 * SCALE lc rgb colour(m), \
         $SPREAD using ($1 == m ? $2 : NaN):3:4:5 with yerrorbars pt filled(m) ps 1.4 * SCALE \
             lc rgb colour(m) lw 1.2
}
unset multiplot
