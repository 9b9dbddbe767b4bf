# Who waited when? A row for each request, the models one under the other on one time axis.
#   gnuplot -c plots/timeline.gp DIR svg|png|dumb
# reads DIR/timeline.csv and DIR/machine.csv; writes DIR/timeline.svg or .png, or to the terminal.

NAME = "timeline"; DIR = ARG1; FORMAT = ARG2.ARG3      # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

# Names first, then for each model its first trial: a picture of one run, not of several.
array TRIAL[SLOTS]
array COUNT[SLOTS]      # requests
array FAILED[SLOTS]     # of these, started but not answered well
array NEVER[SLOTS]      # of these, not even started
array BEGUN[SLOTS]      # when the first one started, s
array ENDED[SLOTS]      # when the last one ended, s since then
do for [m = 1:SLOTS] {
    TRIAL[m] = ""; COUNT[m] = 0; FAILED[m] = 0; NEVER[m] = 0; BEGUN[m] = 1e9; ENDED[m] = 0.0
}

set table $NOWHERE
plot CSV using (meet(strcol("model"))):(0) with table
unset table
named = name_slots(0)

moment(name)      = number(name) < 0 ? -1 : number(name) * 1e-9      # -1: never got there
fixed(t)          = sprintf("%.9f", t)      # or the table keeps six digits of it
well(i, status)   = LAST[i] eq "" && status >= 200 && status < 300
tally(m, s, e, w) = (COUNT[m] = COUNT[m] + 1, NEVER[m] = NEVER[m] + (s < 0), \
                     FAILED[m] = FAILED[m] + (s >= 0 && !w), ENDED[m] = most(e, ENDED[m]), \
                     BEGUN[m] = s < 0 ? BEGUN[m] : least(s, BEGUN[m]), 1)
first(m, trial)   = (TRIAL[m] = TRIAL[m] eq "" ? trial : TRIAL[m], TRIAL[m] eq trial)
taken(m, w)       = first(m, strcol("trial")) ? tally(m, moment("start_ns"), moment("end_ns"), w) : 0
this(row)         = slot_of(strcol("model"))
fine(row)         = well(int(row) + 2, number("status"))
set table $READ
plot CSV using (this(0)):(number("request")):(fixed(moment("start_ns"))):(fixed(moment("sent_ns"))):\
    (fixed(moment("first_byte_ns"))):(fixed(moment("end_ns"))):(fixed(moment("server_wait_ns"))):\
    (fine(column(0))) with table if (taken(this(0), fine(column(0))))
unset table
set datafile separator whitespace
unset datafile columnheaders

# Each model's time begins with its first request.
since(m, t) = fixed(t < 0 ? -1 : t - BEGUN[int(m)])
set table $ROWS
plot $READ using 1:2:(since($1, $3)):(since($1, $4)):(since($1, $5)):(since($1, $6)):(fixed($7)):8 with table
unset table
do for [m = 1:SLOTS] { ENDED[m] = most(0.0, ENDED[m] - BEGUN[m]) }

MODELS = 0; MOST = 0; END = 0.0
do for [m = 1:SLOTS] {
    if (COUNT[m]) { MODELS = MODELS + 1; MOST = most(COUNT[m], MOST); END = most(ENDED[m], END) }
}
if (END == 0) { END = 1.0 }         # nothing ever started; an axis there must be

# The wait that was asked for is what the server says that it waited. Where one waited more
# than twice as long as another there is no L of which theory could speak.
waits = 0
set table $NOWHERE
plot $ROWS using (waits = waits + ($7 > 0)):(0) with table
unset table
L = strlen(machine("latency_ns")) ? machine("latency_ns") * 1e-9 : 0
if (waits) {
    stats $ROWS using ($7 > 0 ? $7 : NaN) nooutput
    L = STATS_max > 2 * STATS_min ? 0 : STATS_median
}

# Theory ends at L and at N·L. With no model that goes one at a time N·L may lie far outside.
array THEORY[2] = [L, MOST * L]
array FORMULA[2] = ["L = ".seconds(L).": all at once", commas(MOST)."·L: one at a time"]
shown(k) = THEORY[k] > 0 && THEORY[k] < END * 1.1 && !(k == 2 && MOST == 1)
END = most(END, shown(1) * THEORY[1]); END = most(END, shown(2) * THEORY[2])

# How many were in flight at the peak: +1 at each start, -1 at each end, summed up in time's
# order. Ends go a hair earlier, or two requests in turn would seem to overlap.
HAIR = END * 0.0025
array PEAK[SLOTS]
do for [m = 1:SLOTS] {
    PEAK[m] = 0
    if (COUNT[m] > NEVER[m]) {
        set table $EVENTS
        plot $ROWS using 3:(1) with table if ($1 == m && $3 >= 0)
        unset table
        set table $EVENTS append
        plot $ROWS using (fixed($6 - HAIR / 10)):(-1) with table if ($1 == m && $3 >= 0)
        unset table
        set table $FLIGHT
        plot $EVENTS using 1:2 smooth cumulative
        unset table
        stats $FLIGHT using 2 nooutput
        PEAK[m] = int(STATS_max)
    }
}
pace(m)  = PEAK[m] == 0 ? "none started" : PEAK[m] == 1 ? "one at a time" : commas(PEAK[m])." at once"
fates(m) = (FAILED[m] ? commas(FAILED[m])." failed" : "").(FAILED[m] && NEVER[m] ? ", " : "").\
           (NEVER[m] ? commas(NEVER[m])." never started" : "")

# Ticks at 1, 2 or 5 times a power of ten, about six of them.
rough = END / 6
power = 10**floor(log10(rough))
STEP  = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10)

QUESTION = "Who waited when?"
FOOTER   = footer(L, "1 run of each model")
load HERE.(DUMB ? "timeline-text.gpi" : "timeline-picture.gpi")
