# What does one switch cost? A row for each way, a mark for one core and another for two.
#   gnuplot -c plots/switch.gp DIR svg|png|dumb
# reads DIR/switch.csv and DIR/machine.csv; writes DIR/switch.svg or .png, or to the terminal.

NAME = "switch"; DIR = ARG1; FORMAT = ARG2.ARG3      # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

# The ways from above, as who:how:by. The first is no switch: it is drawn for scale.
CALL = 1
KEYS = "nobody:system_call:kernel " \
     . "coroutine:switch:assembly coroutine:switch:ucontext " \
     . "coroutine:yield:assembly coroutine:yield:ucontext " \
     . "coroutine:pipe:assembly coroutine:pipe:ucontext " \
     . "thread:futex:kernel thread:condition:kernel thread:pipe:kernel process:pipe:kernel"
WAYS = words(KEYS)
array LOOKS[WAYS]       # like which model
array NAMES[WAYS] = ["a system call that switches nothing", \
    "coroutine: bare switch, assembly", "coroutine: bare switch, ucontext", \
    "coroutine: scheduler, assembly", "coroutine: scheduler, ucontext", \
    "coroutine: woken by a pipe, assembly", "coroutine: woken by a pipe, ucontext", \
    "thread: futex", "thread: condition variable", "thread: pipe", "process: pipe"]
do for [w = 1:WAYS] {
    who = word(KEYS, w)
    LOOKS[w] = who[1:1] eq "c" ? slot_of("coroutines") : \
               who[1:1] eq "t" ? slot_of("threads") : slot_of("processes")
}
joint(who)       = strstrt(who, " ") ? joint(who[1:strstrt(who, " ") - 1]."_".who[strstrt(who, " ") + 1:*]) : who
find(key, i)     = i > WAYS ? 0 : word(KEYS, i) eq key ? i : find(key, i + 1)
way_of(row)      = find(joint(strcol("who").":".strcol("how").":".strcol("by")), 1)
ns_of(row)       = number("switch_ps") / 1000
fixed(x)         = sprintf("%.4f", x)       # or the table keeps six digits of it

has(list, item)  = strstrt(list, " ".item." ") > 0
note_trial(t)    = has(SEEN, t) ? 0 : (SEEN = SEEN.t." ", TRIALS = TRIALS + 1, 0)
note_why(why)    = (WHY = strlen(WHY) == 0 ? why : strstrt(WHY, why) || strstrt(WHY, "…") ? WHY : WHY."; …", 0)
why_at(i)        = LAST[i] eq "" ? QUOTED[i][1:90] : LAST[i][1:90]
SEEN = " "; TRIALS = 0; WHY = ""
set table $TRIALS
plot CSV using (way_of(0)):(number("cores")):(fixed(ns_of(0))):(number("valid") == 1):\
    (note_trial(strcol("trial"))):(number("valid") == 1 ? 0 : note_why(why_at(int(column(0)) + 2))) \
    with table if (way_of(0) > 0 && ns_of(0) > 0)
unset table
set datafile separator whitespace
unset datafile columnheaders

# A median for each cell in which most trials are valid. Cell 2w - 1 is way w on one core, cell
# 2w across two.
array MEDIAN[2 * WAYS]      # ns; 0: none
array THERE[2 * WAYS]       # trials, valid or not
array LEAST[2 * WAYS]       # of these, the fastest and the slowest, ns
array MOST[2 * WAYS]
X_MIN = 0.0; X_MAX = 0.0
do for [w = 1:WAYS] { do for [cores = 1:2] {
    cell = 2 * w - 2 + cores
    MEDIAN[cell] = 0.0
    THERE[cell]  = 0
    LEAST[cell]  = 0.0
    MOST[cell]   = 0.0
    if (|$TRIALS| > 0) {
        set table $NOWHERE
        valids = 0
        look(ns, valid) = (THERE[cell] = THERE[cell] + 1, valids = valids + valid, \
                           LEAST[cell] = LEAST[cell] == 0 || ns < LEAST[cell] ? ns : LEAST[cell], MOST[cell] = most(MOST[cell], ns), 0)
        plot $TRIALS using ($1 == w && $2 == cores ? look($3, $4) : 0):(0) with table
        unset table
        if (valids * 2 > THERE[cell]) {
            stats $TRIALS using ($1 == w && $2 == cores && $4 == 1 ? $3 : NaN) nooutput
            MEDIAN[cell] = STATS_median
        }
        if (THERE[cell]) {
            X_MIN = X_MIN == 0 || LEAST[cell] < X_MIN ? LEAST[cell] : X_MIN
            X_MAX = most(X_MAX, MOST[cell])
        }
    }
} }
if (X_MIN == 0) { X_MIN = 1.0; X_MAX = 1000.0 }       # nothing was measured
X_LOW  = 10.0**floor(log10(X_MIN))
X_HIGH = most(10.0 * X_LOW, 10.0**ceil(log10(X_MAX)))
cost(ns) = seconds(ns * 1e-9)

QUESTION = "What does one switch cost?"
Y_TITLE  = "half a round between two that take turns: each waits for the other one"
REMARK   = "across two cores one of them has to be woken each time"
FOOTER   = footer(0, TRIALS == 1 ? "1 trial" : count(TRIALS)." trials")
HOLLOW   = strlen(WHY) ? (DUMB ? "in brackets" : "hollow").": not valid (".WHY.")" : ""
load HERE.(DUMB ? "switch-text.gpi" : "switch-picture.gpi")
