# Takes a lesson apart, into folder DIR: N.sh, N.assert and N.text for block N, and
#   DIR/blocks   "N LINE KIND TEXT-LINE", where TEXT-LINE is 0 or where its output is told
#   DIR/links    "LINE TARGET"
#   DIR/cited    "LINE FILE FUNCTION", the file as it is written there
# Line numbers are those of the lesson.

function open_block(kind) {
    if (kind == "sh" || kind == "assert") {
        file = DIR "/" ++blocks "." kind
        at[blocks] = NR + 1
        kinds[blocks] = kind
    } else if (kind == "text" && last == "sh") {
        file = DIR "/" blocks ".text"
        told[blocks] = NR + 1
    } else {
        file = "/dev/null"
    }
    last = kind
    printf "" >file
}

# A paragraph at a time, since a citation may go over a line's end:
# [x.c](../src/m/x.c): `f()`, `g()` and `h()`, or `src/m/x.c`: `f()`, or `f()` in either.
function end_paragraph(    rest, source) {
    rest = paragraph
    paragraph = ""
    while (match(rest, SOURCE)) {
        source = substr(rest, RSTART, RLENGTH)
        before = substr(rest, 1, RSTART - 1)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/.*\]\(|^`/, "", source)
        sub(/[`)#].*/, "", source)
        if (match(before, /`[A-Za-z_0-9]+\(\)` (in|of) $/))
            print began, source, name_in(substr(before, RSTART)) >(DIR "/cited")
        while (match(rest, /^(:|,|'s)?( and| then|, then)? *`[A-Za-z_0-9]+\(\)`/)) {
            print began, source, name_in(substr(rest, 1, RLENGTH)) >(DIR "/cited")
            rest = substr(rest, RLENGTH + 1)
        }
    }
}

function name_in(text) {
    match(text, /[A-Za-z_0-9]+\(/)
    return substr(text, RSTART, RLENGTH - 1)
}

BEGIN {
    SOURCE = "(\\[[^]]*\\]\\([^)]*\\.[ch](#[^)]*)?\\)|`src/[^`]*\\.[ch]`)"
    printf "" >(DIR "/blocks")
    printf "" >(DIR "/links")
    printf "" >(DIR "/cited")
}

/^ *([-*]|[0-9]+[.])? *```/ && file == "" {
    end_paragraph()
    indent = match($0, /`/) - 1
    kind = substr($0, indent + 1)
    gsub(/[` ]/, "", kind)
    open_block(kind)
    next
}
/^ *``` *$/ && file != "" { close(file); file = ""; next }
file != "" {
    print substr($0, 1, indent) ~ /^ *$/ ? substr($0, indent + 1) : $0 >file
    next
}

/^ *$/ { end_paragraph(); next }
/^ *[-*0-9]+[.]? / || /^#/ { end_paragraph() }    # an item is a paragraph of its own
{
    if (paragraph == "") began = NR
    paragraph = paragraph (paragraph == "" ? "" : " ") $0
    text = $0
    gsub(/`[^`]*`/, "", text)
    while (match(text, /\]\([^) ]+/)) {
        target = substr(text, RSTART + 2, RLENGTH - 2)
        text = substr(text, RSTART + RLENGTH)
        sub(/#.*/, "", target)
        if (target == "" || target ~ /^(https?|mailto):/) continue
        print NR, target >(DIR "/links")
    }
}

END {
    end_paragraph()
    if (file != "") print "a block is not closed" >(DIR "/unclosed")
    for (n = 1; n <= blocks; n++) print n, at[n], kinds[n], told[n] + 0 >(DIR "/blocks")
}
