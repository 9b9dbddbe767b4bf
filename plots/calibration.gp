# How good were your predictions? Each one against what came out, on log-log axes: a mark
# on the diagonal is a right prediction, one a square above it came out ten times as
# large.
#   gnuplot -c plots/calibration.gp DIR svg|png|dumb
# reads DIR/calibration.csv (make calibration writes it); writes DIR/calibration.svg or
# .png.

NAME = "calibration"; DIR = ARG1; FORMAT = ARG2.ARG3    # junk after the format spoils it
HERE = ARG0[1:strlen(ARG0) - strlen(NAME.".gp")]
load HERE."setup.gpi"

# Units that the marks are in: seconds, bytes, and numbers of something else.
kind(unit)    = unit eq "s" ? 1 : unit eq "B" ? 2 : 3
said(unit, v) = unit eq "s" ? seconds(v) : unit eq "B" ? kib(v / 1024) : count(v)." ".unit
drawn(p, m)   = p > 0 && m > 0

LOW = 0; HIGH = 0; UNDRAWN = 0; KINDS = ""
widen(v)      = (LOW = LOW == 0 || v < LOW ? v : LOW, HIGH = v > HIGH ? v : HIGH, 0)
note(p, m, k) = drawn(p, m) ? \
                (widen(p) + widen(m), KINDS = strstrt(KINDS, k) ? KINDS : KINDS.k." ", 0) : \
                (UNDRAWN = UNDRAWN + 1, 0)
set table $NOWHERE
plot CSV using (note(number("predicted"), number("measured"), \
    sprintf("%d", kind(strcol("unit"))))):(0) with table
unset table
if (HIGH == 0) { LOW = 1; HIGH = 10 }
LOW  = 10.0**floor(log10(LOW) - 0.1)
HIGH = 10.0**ceil(log10(HIGH) + 0.1)

ALL_SECONDS = KINDS eq "1 "
tick_text(v) = ALL_SECONDS ? seconds(v) : v >= 1 && v < 1e4 ? count(v) : \
               sprintf("1e%d", floor(log10(v) + 0.5))
set logscale xy
set xrange [LOW:HIGH]
set yrange [LOW:HIGH]
set xtics scale 0.7, 0.4 nomirror textcolor rgb INK
set ytics scale 0.7, 0.4 nomirror textcolor rgb INK
set xtics ("" HIGH * 1e6 1)     # an own list must begin with something
set ytics ("" HIGH * 1e6 1)
do for [e = floor(log10(LOW) + 0.5):floor(log10(HIGH) + 0.5)] {
    set xtics add (tick_text(10.0**e) 10.0**e)
    set ytics add (tick_text(10.0**e) 10.0**e)
}

QUESTION = "How good were your predictions?"
UNITS    = ALL_SECONDS ? "" : ", each in its own unit (s, bytes, or a number)"
HOW      = (DUMB ? "S: seconds, B: bytes, N: a number · " : \
           "square: seconds, circle: bytes, triangle: a number · ").\
           (DUMB ? "dots" : "black dashes").": a right prediction".\
           (UNDRAWN ? " · not drawn, since it has a 0: ".count(UNDRAWN) : "")
FOOTER   = count(lines - 1).(lines == 2 ? " prediction" : " predictions").MACHINE

# A loop over no kinds would still go round once, and gnuplot 5.4 dies of a kind without
# marks.
x_of(k)    = kind(strcol("unit")) == k && drawn(number("predicted"), number("measured")) ? \
             number("predicted") : NaN
name_of(x) = "  ".strcol("lesson")." ".strcol("key").": ".\
             said(strcol("unit"), number("measured"))
each(what) = strlen(KINDS) == 0 ? "" : \
             ", for [k in KINDS] CSV using (x_of(k + 0)):(number('measured'))".what

MARKS = DUMB ? each("with points pt word('S B N', k + 0)") : \
        each("with points pt int(word('5 7 9', k + 0)) ps 1.6 * SCALE lc rgb colour(k + 0)") \
        . each(":(name_of(0)) with labels left noenhanced font font(13) textcolor rgb GREY")

unset key
set border 3 lw 0.8 lc rgb INK
set xlabel "predicted".UNITS
if (DUMB) {
    set samples 40
    set lmargin 10
    set print "-"
    print QUESTION."\nwhat came out"
    plot x with points pt "." @MARKS
    print "\n".HOW."\n".FOOTER
} else {
    set lmargin at screen 0.085
    set rmargin at screen 0.80
    set tmargin at screen 0.82
    set bmargin at screen 0.205
    set grid xtics ytics lt 1 lc rgb 0xE4E4E4 lw 0.5
    set xlabel offset 0, 0.3 textcolor rgb INK
    set label "{/:Bold ".QUESTION."}" at screen 0.025, 0.945 font font(27) textcolor rgb INK
    set label "what came out" at screen 0.025, 0.868 textcolor rgb INK
    set label HOW    at screen 0.025, 0.057 noenhanced font font(13) textcolor rgb GREY
    set label FOOTER at screen 0.025, 0.024 noenhanced font font(13) textcolor rgb GREY
    set output DIR."/".NAME.".".FORMAT
    plot x with lines lc rgb "black" dt (14, 10) lw 0.8 @MARKS
}
