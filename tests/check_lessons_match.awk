# Compares what a lesson says that is printed, the first file, with what was. Line by
# line, without empty ones: words must match, a number matches any number, a time ("17ms")
# any time, an ellipsis anything, and one alone on its line any lines. Where it fails: exits
# 1 and prints "N EXPECTED", N counted in the first file, then what came instead.

# A fast machine prints "900us" where another takes "1.2ms".
function without_units(text,    done) {
    text = text " "
    while (match(text, /0 ?(ns|us|µs|ms|s)[^A-Za-z0-9]/)) {
        done = done substr(text, 1, RSTART) "s"
        text = substr(text, RSTART + RLENGTH - 1)    # from what follows the unit
    }
    return done text
}

function bare(text) {
    gsub(/[0-9]+([.,][0-9]+)*/, "0", text)
    gsub(/[ \t\r]+/, " ", text)
    text = without_units(text)
    gsub(/ *… */, "…", text)
    gsub(/^ | $/, "", text)
    return text
}

# Whether a line is as expected; the parts between ellipses must come in their order.
function agrees(wanted, line,    part, parts, i, here) {
    parts = split(wanted, part, "…")
    if (parts == 1) return line == wanted
    if (substr(line, 1, length(part[1])) != part[1]) return 0
    line = substr(line, length(part[1]) + 1)
    for (i = 2; i < parts; i++) {
        here = index(line, part[i])
        if (!here) return 0
        line = substr(line, here + length(part[i]))
    }
    return length(line) >= length(part[parts]) &&
        substr(line, length(line) - length(part[parts]) + 1) == part[parts]
}

FILENAME == ARGV[1] { counted++ }
!/[^ \t\r]/         { next }
FILENAME == ARGV[1] { wanted[++w] = bare($0); told[w] = $0; line[w] = counted; next }
                    { came[++c] = bare($0); said[c] = $0 }

# The usual search of a pattern with gaps: at a mismatch the last gap swallows a line
# more.
END {
    i = j = furthest = 1
    while (j <= c) {
        if (i <= w && wanted[i] == "…") {
            gap = i++
            from = j
        } else if (i <= w && agrees(wanted[i], came[j])) {
            i++
            j++
        } else if (gap) {
            i = gap + 1
            j = ++from
        } else {
            break
        }
        if (i > furthest) { furthest = i; reached = j }
    }
    while (i <= w && wanted[i] == "…") i++
    if (i > w && j > c) exit 0
    if (i > w) { furthest = w; told[w] = "no more"; reached = j }
    print line[furthest], told[furthest]
    print reached <= c ? said[reached ? reached : 1] : "nothing more"
    exit 1
}
