# Draws requests.csv as text: a row for each request, a column for each 50 ms.

function column(ns) {
    return int(ns / 5e7 + 0.5)
}

function times(character, count,    text) {
    while (count-- > 0) text = text character
    return text
}

function axis(    text, i) {
    text = "     0"
    for (i = 500; i <= 3000; i += 500) text = text sprintf("%10s", i)
    print text " ms"
    print "     " times("|....:....", 6) "|"
}

BEGIN { print "- the server has not answered yet   = the reply is there, and nobody reads it" }
NR == 1 { next }
$1 != letter {
    letter = $1
    print "\n" letter
    axis()
}
{
    started = column($4)
    ready = started + column($9)
    print sprintf("%3d  ", $3) times(" ", started) times("-", ready - started) times("=", column($8) - ready)
}
