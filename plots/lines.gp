# What does each model cost the programmer? Lines of code, functions, and callbacks.
#   gnuplot -c plots/lines.gp DIR svg|png|dumb
# reads DIR/lines.csv, which `make lines` makes; writes DIR/lines.svg or .png, or to the terminal.

NAME = "lines"; DIR = ARG1; FORMAT = ARG2.ARG3       # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

set table $NOWHERE
plot CSV using (meet(strcol("model"))):(0) with table
unset table
named = name_slots(0)

PIECES = 1
array PIECE_NAME[PIECES] = ["lines"]
array PIECE[SLOTS * PIECES]
array BAR_SLOT[SLOTS]
array BAR_NOTE[SLOTS]
array BAR_TEXT[SLOTS]
array BAR_LOW[SLOTS]
array BAR_HIGH[SLOTS]
array BAR_MARK[SLOTS]
bars  = 0
marks = 0
many(n, noun) = commas(int(n))." ".noun.(n == 1 ? "" : "s")
short(l, f, c) = many(l, "line").", ".many(f, "function").(c > 0 ? ", ".many(c, "callback") : "")
add(m, l, f, c) = (bars = bars + 1, BAR_SLOT[bars] = int(m), BAR_NOTE[bars] = "", \
                   BAR_TEXT[bars] = short(l, f, c), BAR_LOW[bars] = 0.0, BAR_HIGH[bars] = 0.0, \
                   BAR_MARK[bars] = 0.0, PIECE[bars] = l, 0)
counted(i) = strlen(LAST[i]) ? real(LAST[i]) : 0        # callbacks: the last field of a row
set table $NOWHERE
plot CSV using (add(slot_of(strcol("model")), number("lines"), number("functions"), \
                    counted(int(column(0)) + 2))):(0) with table
unset table
set datafile separator whitespace
unset datafile columnheaders

QUESTION = "What does each model cost the programmer?"
SCOPE    = "lines of code, without comments and empty lines"
X_TITLE  = DUMB ? "lines of code, without comments and empty lines" : "lines of code"
ROOM     = DUMB ? 0.5 : 0.34
HOW      = "callbacks: the functions that a loop calls (on_...)".(DUMB ? "\n" : " · ") \
         . "a file that models share is charged to each of them"
FOOTER   = "not counted: what all models stand on (src/kit), and the libraries".(DUMB ? "\n" : " ") \
         . "of some: libevent, liburing, src/coro"
WHY      = ""
load HERE."bars.gpi"
