# What does one waiting request cost? One of the kit's four charts.
#   gnuplot -c plots/footprint.gp DIR svg|png|dumb
# reads DIR/footprint.csv and DIR/machine.csv; writes DIR/footprint.svg or .png, or to the terminal.

NAME = "footprint"; DIR = ARG1; FORMAT = ARG2.ARG3   # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

# Threads are read along with the memory, for a label: the number of them at the largest K.
array THREADS[SLOTS]
array THREADS_K[SLOTS]
do for [m = 1:SLOTS] { THREADS_K[m] = 0 }
note_threads(m, k, threads) = k >= THREADS_K[m] ? (THREADS_K[m] = k, THREADS[m] = threads, 0) : 0

x_of(row)       = strcol("waiting")
y_of(row)       = (note_threads(slot_of(strcol("model")), number("waiting"), number("threads")), \
                   number("per_request_bytes") / 1024)
latency_of(row) = 0         # at a gate a request waits for the others, not for a time
load HERE."trials.gpi"

# No formula here, but a measure: memory comes in pages, and a thread's stack takes two at least.
PAGE    = 4.0
page(k) = PAGE
THEORY  = "page"
labeled = label(0, X_HIGH, PAGE, "a page of memory: 4 KiB")
Y_MIN   = lowest(Y_MIN, PAGE / 4)
Y_MAX   = most(Y_MAX, PAGE * 4)

QUESTION    = "What does one waiting request cost?"
X_TITLE     = "K, the number of requests that wait at a gate"
Y_TITLE     = "resident memory for each of them"
BLACK       = "for scale"
REMARK      = "kernel stacks and sockets come on top"
ROOM        = DUMB ? 0.36 : 0.29
y_text(y)   = kib(y)
plural(n)   = n == 1 ? "1 thread" : commas(int(n))." threads"
end_text(m) = MODEL[m].(END_VALID[m] ? "  ".kib(END_Y[m]).", ".plural(THREADS[m]) : "")
load HERE."frame.gpi"
