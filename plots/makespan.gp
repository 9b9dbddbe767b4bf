# How long do N requests take, all asked at once? one of the kit's charts.
#   gnuplot -c plots/makespan.gp DIR svg|png|dumb
# reads DIR/makespan.csv and DIR/machine.csv; writes DIR/makespan.svg or .png, or to the terminal.

NAME = "makespan"; DIR = ARG1; FORMAT = ARG2.ARG3    # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

x_of(row)       = strcol("requests")
y_of(row)       = number("wall_ns") * 1e-9
latency_of(row) = number("latency_ns") * 1e-9
load HERE."trials.gpi"

# Theory: one at a time, or all at once; and all at once on a machine that needs a while for each
# connection, whoever asks for it. This last is why threads and a loop come out alike.
one_at_a_time(n) = n * LATENCY
all_at_once(n)   = LATENCY
explained(n)     = LATENCY + n / CEILING
THEORY = "one_at_a_time all_at_once".(CEILING > 0 ? " explained" : "")

labeled = label(0, X_HIGH, one_at_a_time(X_HIGH), "N·L: one at a time")
labeled = label(0, X_HIGH, all_at_once(X_HIGH), "L: all at once")
if (CEILING > 0) { labeled = label(0, X_HIGH, explained(X_HIGH), "L + N/ceiling") }
Y_MIN = lowest(Y_MIN, LATENCY)
Y_MAX = most(Y_MAX, one_at_a_time(X_HIGH))

QUESTION    = "How long do N requests take, all asked at once?"
X_TITLE     = "N, the number of requests"
Y_TITLE     = "time until the last reply"
BLACK       = "theory"
REMARK      = CEILING_REMARK
ROOM        = DUMB ? 0.28 : 0.21
y_text(y)   = seconds(y)
end_text(m) = MODEL[m].(END_VALID[m] ? "  ".seconds(END_Y[m]) : "")
load HERE."frame.gpi"
