# What did each thread do? A row for each thread, running, ready, or asleep in a call, and under
# them the CPU time that all of them used. With one model its requests stand above, on one axis.
#   gnuplot -c plots/threads.gp DIR svg|png|dumb [MODEL]
# reads DIR/threads.csv, timeline.csv and machine.csv, as bench timeline writes them; writes
# DIR/threads.svg or .png (threads-MODEL, if one was named), or to the terminal.

NAME = "threads"; DIR = ARG1; FORMAT = ARG2.ARG4      # junk at the end spoils it
ONLY = ARG3; MORE = " [MODEL]"
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

REQUESTS = DIR."/timeline.csv"
if (!readable(REQUESTS)) {
    print sprintf("%s.gp: %s: not there, or empty; bench timeline writes both", NAME, REQUESTS)
    exit status 1
}

# Names first, from both files.
set table $NOWHERE
plot CSV using (meet(strcol("model"))):(0) with table
plot REQUESTS using (meet(strcol("model"))):(0) with table
unset table
named = name_slots(0)

array COUNT[SLOTS]      # requests
array THREADS[SLOTS]
array PROCESSES[SLOTS]
array CPU[SLOTS]        # used while the requests were under way, s
do for [m = 1:SLOTS] { COUNT[m] = 0; THREADS[m] = 0; PROCESSES[m] = 0; CPU[m] = 0.0 }

slot(x)      = slot_of(strcol("model"))
WHOSE        = ONLY eq "" ? "any model" : ONLY
array WANTED[SLOTS]     # named, or all of whose threads there are rows
do for [m = 1:SLOTS] { WANTED[m] = 0 }
want(m)      = (WANTED[m] = ONLY eq "" || MODEL[m] eq ONLY, 0)
set table $NOWHERE
plot CSV using (want(slot(0))):(0) with table
unset table
MODELS = sum [m = 1:SLOTS] WANTED[m]
if (MODELS == 0) {
    print sprintf("%s.gp: %s: no thread of %s in it", NAME, CSV, WHOSE)
    exit status 1
}

fixed(t)     = sprintf("%.9f", t)       # or the table keeps six digits of it
moment(name) = number(name) < 0 ? -1 : number(name) * 1e-9      # -1: never got there
END = 0.0
late(t)      = (END = most(t, END), 1)
counted(m)   = (COUNT[m] = COUNT[m] + 1, late(moment("end_ns")))
set table $ASKED
plot REQUESTS using (slot(0)):(number("request")):(fixed(moment("start_ns"))):(fixed(moment("sent_ns"))):\
    (fixed(moment("first_byte_ns"))):(fixed(moment("end_ns"))) \
    with table if (WANTED[slot(0)] && number("trial") == 0 && counted(slot(0)))
unset table
if (END == 0) {
    print sprintf("%s.gp: %s: no request of %s in it ever started", NAME, REQUESTS, WHOSE)
    exit status 1
}

# A span of a thread: slot, thread, from, to, its state, and how long it ran and was ready in it,
# -1 where that is not known. Of thread -1: all that the program used. It began before its first
# request, and ended after its last: what lies outside is not of interest here.
STATES     = "running ready asleep started ended"
state(s)   = s eq "" ? 0 : sum [i = 1:words(STATES)] (word(STATES, i) eq s ? i : 0)
when(name) = real(strcol(name)) * 1e-9      # may be negative
last(row)  = strlen(LAST[row]) ? real(LAST[row]) * 1e-9 : -1
thread(m, n, p)    = (THREADS[m] = most(n + 1, THREADS[m]), \
                      PROCESSES[m] = most(p + 1, PROCESSES[m]), 1)
part_in(from, to)  = (least(to, END) - most(from, 0)) / (to - from)
all(m, from, to)   = (CPU[m] = CPU[m] + moment("cpu_ns") * part_in(from, to), 1)
noted(m)   = number("thread") < 0 ? all(m, when("from_ns"), when("to_ns")) : \
             thread(m, int(number("thread")), int(number("process")))
within(x)  = when("to_ns") > 0 && when("from_ns") < END
set table $SPANS
plot CSV using (slot(0)):(number("thread")):(fixed(when("from_ns"))):(fixed(when("to_ns"))):\
    (state(strcol("state"))):(fixed(moment("cpu_ns"))):(fixed(last(int(column(0)) + 2))):\
    (strlen(strcol("call")) ? strcol("call") : "-") \
    with table if (WANTED[slot(0)] && within(0) && noted(slot(0)))
unset table
set datafile separator whitespace
unset datafile columnheaders

# Of many models each shows a few of its threads; alone, one shows about ten, and its requests.
ALONE    = MODELS == 1
LONE     = sum [m = 1:SLOTS] m * WANTED[m]      # if there is but one
FIT      = ALONE ? 12 : DUMB ? 2 : 3
shown(m) = THREADS[m] <= FIT + 1 ? THREADS[m] : FIT      # one more costs no more than to say so
asked(m) = ALONE ? least(COUNT[m], FIT) : 0
each(m)  = PROCESSES[m] > 1 && PROCESSES[m] == THREADS[m]   # is a process
called(m, i) = (i ? "" : each(m) ? "process " : "thread ").sprintf("%d", i)

# In which calls those sleep that are not shown.
array REST[SLOTS]
do for [m = 1:SLOTS] { REST[m] = "" }
among(m, call) = strstrt(" ".REST[m]." ", " ".call." ")
rest(m, call)  = among(m, call) ? 0 : (REST[m] = REST[m].(strlen(REST[m]) ? " " : "").call, 0)
set table $NOWHERE
plot $SPANS using ($2 >= shown($1) && $5 == 3 ? rest(int($1), strcol(8)) : 0):(0) with table
unset table
hidden(m) = "… and ".commas(THREADS[m] - shown(m))." more".(strlen(REST[m]) ? \
            ", asleep in ".join(REST[m], 1) : "")
join(s, i) = word(s, i).(i == words(s) ? "" : (i == words(s) - 1 ? " or " : ", ").join(s, i + 1))

# Ticks at 1, 2 or 5 times a power of ten, about six of them.
rough = END / 6
power = 10**floor(log10(rough))
STEP  = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10)

L = strlen(machine("latency_ns")) ? machine("latency_ns") * 1e-9 : 0
QUESTION = (ALONE ? MODEL[LONE].": what" : "What")." did each thread do?"
FOOTER   = footer(L, "1 run".(ALONE ? "" : " of each model"))
SAYING   = "looked at every millisecond; a run between two looks is drawn before the second, at least a hair wide"
load HERE.(DUMB ? "threads-text.gpi" : "threads-picture.gpi")
