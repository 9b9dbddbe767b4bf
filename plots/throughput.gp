# How many requests a second, with C in flight? one of the kit's charts.
#   gnuplot -c plots/throughput.gp DIR svg|png|dumb
# reads DIR/throughput.csv and DIR/machine.csv; writes DIR/throughput.svg or .png, or to the terminal.

NAME = "throughput"; DIR = ARG1; FORMAT = ARG2.ARG3  # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

x_of(row)       = strcol("in_flight")
y_of(row)       = number("wall_ns") > 0 ? number("ok") / number("wall_ns") * 1e9 : 0
latency_of(row) = number("latency_ns") * 1e-9
load HERE."trials.gpi"

# Theory: whoever keeps C waits going at once ends C of them in each L, up to what the machine can.
one_at_a_time(c) = 1 / LATENCY
c_at_once(c)     = c / LATENCY
ceiling(c)       = CEILING
THEORY = "one_at_a_time c_at_once".(CEILING > 0 ? " ceiling" : "")

# C/L goes on for ever; it is drawn no further than a little above what can be reached.
Y_MAX = most(Y_MAX, CEILING > 0 ? least(c_at_once(X_HIGH), 2 * CEILING) : c_at_once(X_HIGH))
Y_MAX = most(Y_MAX, CEILING)
Y_MIN = lowest(Y_MIN, one_at_a_time(1)) / 2.4       # room for a name below the lowest line
labeled = label(0, X_HIGH, one_at_a_time(1), "1/L: one at a time")
labeled = label(0, X_HIGH, least(c_at_once(X_HIGH), Y_MAX), "C/L: C at once")
if (CEILING > 0) { labeled = label(0, X_HIGH, CEILING, "the server's ceiling") }

QUESTION    = "How many requests a second, with C of them in flight?"
X_TITLE     = "C, the number of requests in flight at any moment"
Y_TITLE     = "requests a second"
BLACK       = "theory"
REMARK      = CEILING_REMARK
ROOM        = DUMB ? 0.30 : 0.22
y_text(y)   = count(y)
end_text(m) = MODEL[m].(END_VALID[m] ? "  ".count(END_Y[m])."/s" : "")
load HERE."frame.gpi"
