# Draws requests.csv as text: a row for each request, a column for each 50 ms.

function column(ns) {
    return int(ns / 5e7 + 0.5)
}

function times(character, count,    text) {
    while (count-- > 0) text = text character
    return text
}

BEGIN {
    rule = times("|....:....", 6) "|....:"
    ground = rule
    gsub(/\./, " ", ground)
    print "- the server has not answered yet   = the reply is there, and nobody reads it"
}

NR == 1 { next }

$1 != letter {
    letter = $1
    print "\n" letter "    0         500       1000      1500      2000      2500      3000 ms"
    print "     " rule
}

{
    started = column($4)
    ready = started + column($9)
    ended = column($8)
    bar = times("-", ready - started) times("=", ended - ready)
    printf "%3d  %s%s%s\n", $3, substr(ground, 1, started), bar, substr(ground, ended + 1)
}
