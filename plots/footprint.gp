# What does one waiting request cost, of its own memory and of the kernel's?
#   gnuplot -c plots/footprint.gp DIR svg|png|dumb
# reads DIR/footprint.csv and DIR/machine.csv; writes DIR/footprint.svg or .png, or to the terminal.

NAME = "footprint"; DIR = ARG1; FORMAT = ARG2.ARG3   # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

# The whole. It may be less than nothing, by noise: then it stays among the trials, as next to 0.
told(name)      = strlen(strcol(name)) > 0
x_of(row)       = strcol("waiting")
y_of(row)       = told("each_whole_bytes") ? most(number("each_whole_bytes") / 1024, 1e-6) : 0
latency_of(row) = 0         # at a gate a request waits for the others, not for a time
load HERE."trials.gpi"

set datafile separator comma
set datafile columnheaders
kib_of(name) = number(name) / 1024
set table $PARTS
plot CSV using (slot_of(strcol("model"))):(number("waiting")):(kib_of("each_pss_bytes")):\
    (kib_of("each_page_tables_bytes")):(kib_of("each_kernel_stacks_bytes")) with table \
    if (number("valid") == 1 && told("each_whole_bytes"))
unset table
set datafile separator whitespace
unset datafile columnheaders

PIECES = 4
array PIECE_NAME[PIECES] = ["its own memory (PSS)", "page tables", "kernel stacks", "kernel objects, sockets (slab)"]
array PIECE[SLOTS * PIECES]
array BAR_SLOT[SLOTS]
array BAR_NOTE[SLOTS]
array BAR_TEXT[SLOTS]
array BAR_LOW[SLOTS]
array BAR_HIGH[SLOTS]
array BAR_MARK[SLOTS]
bars = 0
marks = 0

# A model's bar is of the largest K that it has a median for. Medians do not add up: what is
# left to that of the whole is the slab, for its own is the one that noise is in.
set print $MARKS
do for [m in PRESENT] {
    bars = bars + 1
    at   = (bars - 1) * PIECES
    BAR_SLOT[bars] = int(m)
    BAR_NOTE[bars] = ""
    BAR_TEXT[bars] = "not valid"
    BAR_LOW[bars] = 0.0
    BAR_HIGH[bars] = 0.0
    BAR_MARK[bars] = 0.0
    do for [k = 1:PIECES] { PIECE[at + k] = 0.0 }
    if (has(" ".JOINED, m)) {
        stats $MEDIANS using ($1 == m ? $2 : NaN) nooutput
        K = STATS_max
        stats $MEDIANS using ($1 == m && $2 == K ? $3 : NaN) nooutput
        WHOLE = STATS_median
        stats $TRIALS using ($1 == m && $2 == K && $4 == 1 ? $3 : NaN) nooutput
        BAR_LOW[bars] = STATS_min
        BAR_HIGH[bars] = STATS_max
        do for [k = 1:3] {
            stats $PARTS using ($1 == m && $2 == K ? column(2 + k) : NaN) nooutput
            PIECE[at + k] = STATS_median
        }
        PIECE[at + 4] = WHOLE - PIECE[at + 1] - PIECE[at + 2] - PIECE[at + 3]
        BAR_NOTE[bars] = "K = ".commas(int(K))
        BAR_TEXT[bars] = kib(WHOLE).", of which ".kib(most(PIECE[at + 1], 0)).(DUMB ? " own" : " its own")
        do for [line = 1:|$MEDIANS|] {
            if (word($MEDIANS[line], 1) == m && word($MEDIANS[line], 2) < K) {
                marks = marks + 1
                print m, " ", word($MEDIANS[line], 3), " 1"
            }
        }
    }
    do for [line = 1:|$TRIALS|] {
        if (word($TRIALS[line], 1) == m && word($TRIALS[line], 4) == 0) {
            marks = marks + 1
            print m, " ", word($TRIALS[line], 3), " 0"
            BAR_MARK[bars] = most(real(word($TRIALS[line], 3)), BAR_MARK[bars])
        }
    }
}
unset print

QUESTION = "What does one waiting request cost?"
X_TITLE  = "KiB for each of K requests that wait at a gate"
ROOM     = 0.33
HOW      = (DUMB ? "" : "median of the trials, and their spread · dots: at smaller K, with more noise, and freed slab used again · ") \
         . (DUMB ? "slab and stacks are the whole machine's growth, the server's sockets included" : \
                   "slab: the whole machine's growth, the server's sockets too")
FOOTER   = footer(LATENCY, TRIALS == 1 ? "1 trial" : count(TRIALS)." trials")
WHY      = (strlen(INVALID) ? (DUMB ? "not counted: " : "hollow: ")."not valid (".WHY_HOLLOW.")" : "") \
         . (strlen(WHY_ABSENT) ? (strlen(INVALID) ? " · " : "")."not drawn: ".WHY_ABSENT : "")
load HERE."bars.gpi"
