# An exercise, and the verdict on one answer to it. To be read by the other scripts, which
# run in the repository's root, from the Makefile: it gives them BUILD, CC, COMPILE and
# MAKE.
# shellcheck shell=sh disable=SC2034    # others use what is set here

build=${BUILD:?}/course
limit_s=60                  # a guard: the judge itself says no within ten
compile_cpu_s=20            # enough for any answer; not for #include "/dev/zero"
compile_bytes=2147483648

# Plain words where nobody reads on a terminal.
bold='' red='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') red=$(printf '\033[31m') green=$(printf '\033[32m')
    plain=$(printf '\033[0m')
fi

# echo would take \n in a fact for a new line.
say() {
    printf '%s\n' "$*"
}

fail() {
    say "course: $1" >&2
    exit 2
}

exercises() {
    for conf in exercises/[0-9][0-9]-*/exercise.conf; do
        [ ! -e "$conf" ] || basename "${conf%/exercise.conf}"
    done
}

# What a student edits in exercise $1, below exercises/ and solutions/ alike: C, or a text
# of predictions.
answer_name() {
    name=$(printf '%s' "${1#??-}" | tr - _)
    if [ -e "solutions/$1/$name.txt" ] || [ -e "exercises/$1/$name.txt" ]; then
        echo "$name.txt"
    else
        echo "$name.c"
    fi
}

# Sets exercise, its folder, answer, file and what its exercise.conf says. $1 is its
# number, or its whole name.
exercise_open() {
    number=$1
    case $1 in [0-9]) number=0$1 ;; esac
    exercise=$(exercises | grep -x -e "$1" -e "$number-.*" | head -n 1)
    [ -n "$exercise" ] ||
        fail "there is no exercise $number; there are: $(exercises | cut -c 1-2 | xargs)"
    nn=${exercise%%-*}
    folder=exercises/$exercise
    title='' kind='' lesson='' sources='' libs='' tsan=no wrap='' asked=''
    # shellcheck source=/dev/null
    . "$folder/exercise.conf"
    answer=$(answer_name "$exercise")
    file=$folder/$answer
    key=$exercise    # what the state calls it
}

# The lab's edition of the same exercise: blocks to be put in order.
arrange_open() {
    [ -e "solutions/$exercise/arrange.order" ] ||
        fail "exercise $exercise has no blocks to arrange; do it as it is: make $nn"
    file=$folder/arrange.txt
    key=$exercise/arrange
    title="$title, arranged"
}

# Fortified, recv would become __recv_chk, and a shim would never see it.
flags='-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -U_FORTIFY_SOURCE'
asan="$flags -fsanitize=address,undefined"
threads="$flags -fsanitize=thread"

# Has make bring up to date what all answers share, each with the flags $2 in a folder $1
# of its own. Prints what to link.
shared_objects() {
    objects=$(for source in src/kit/*.c $sources; do
        source=${source#src/}
        echo "$build/$1/obj/${source%.c}.o"
    done)
    # shellcheck disable=SC2086    # a list of files
    "$MAKE" -s --no-print-directory BUILD="$build/$1" CFLAGS="$2" LDFLAGS= $objects >&2 &&
        echo $objects
}

# Compiles $1 with the flags $2 and links it with what follows $3, into file $3.
compile_one() {
    from=$1 options=$2 made=$3
    shift 3
    # shellcheck disable=SC2046,SC2086    # lists of flags
    "$build/bounded" $limit_s prlimit --cpu=$compile_cpu_s --as=$compile_bytes \
        --fsize=$compile_bytes $CC $COMPILE -I"$folder" $options -o "$made" "$from" "$@" \
        $([ -z "$libs" ] || pkg-config --cflags --libs $libs) -lm </dev/null
}

# Compiles the C file $1 into folder $2. Returns 1 if it does not compile, 2 if something
# that is not the student's does not. The compiler's words go to $2/compiler.
compile_answer() {
    by_asan=$(shared_objects asan "$asan") || return 2
    # shellcheck disable=SC2086    # lists of files
    compile_one "$1" "$asan" "$2/program" $by_asan 2>"$2/compiler" || return 1
    if [ -e "$folder/shim.c" ]; then
        wraps=$(for function in $wrap; do echo "-Wl,--wrap=$function"; done)
        # shellcheck disable=SC2086
        compile_one "$1" "$asan" "$2/program-shim" "$folder/shim.c" $by_asan $wraps ||
            return 2
    fi 2>"$2/compiler-shim"
    if [ "$tsan" = yes ]; then
        by_threads=$(shared_objects tsan "$threads") || return 2
        # shellcheck disable=SC2086
        compile_one "$1" "$threads" "$2/program-tsan" $by_threads || return 2
    fi 2>"$2/compiler-tsan"
}

# The blocks of arrange.txt, $1, in the order that it says, as C. The compiler will name
# the line of arrange.txt. Returns 1 where the order names a block that is not there.
arrange() {
    awk -v file="$1" '
        function place(line) { return "#line " line " \"" file "\"\n" }
        /^order:/      { sub(/^order:/, ""); order = order " " $0; next }
        /^--- [A-Z]$/  { block = $2; text[block] = place(NR + 1); next }
        block != ""    { text[block] = text[block] $0 "\n" }
        END {
            count = split(order, name, /[ ,]+/)
            for (i = 1; i <= count; i++) {
                if (name[i] == "") continue
                wrong = used[name[i]]++ ? "is used twice" : ""
                if (!(name[i] in text)) wrong = "is not there"
                if (wrong) {
                    print "block " name[i] " " wrong >"/dev/stderr"
                    exit 1
                }
                printf "%s", text[name[i]]
            }
        }' "$1"
}

# A file of one line may say anything: no control characters to the terminal, no lines of
# its own. Prints the first line of $2 that begins with $1, without it.
line_of() {
    tr -d '\000-\010\013-\037\177' <"$2" | sed -n "s/^$1//p" | head -n 1
}

# Why there is nothing to judge in file $1; or nothing.
complain() {
    if [ ! -e "$1" ]; then
        say "$1 is not there"
    elif [ ! -f "$1" ] || [ ! -r "$1" ]; then
        echo "$1 is no file that can be read"
    elif ! grep -q '[^[:space:]]' "$1"; then
        echo "$1 is empty"
    fi
}

# Sets verdict, fact and look by what the judge said into folder $1, and how it ended, $2.
read_verdict() {
    verdict=broken look='' fact=$(line_of 'rejected: ' "$1/judge")
    cases=$(line_of 'passed: ' "$1/judge")
    case $2 in
    0) [ -z "$cases" ] || verdict=passed fact=$cases ;;
    1) [ -z "$fact" ] || verdict=rejected look=$(line_of 'look: ' "$1/judge") ;;
    124) fact="the judge did not come back within $limit_s s, and was ended" ;;
    129 | 13? | 14? | 15?)
        fact="the judge was ended by signal $(($2 - 128)) while the program ran" \
            look="a program that sends signals to its parent, or to all, does that" ;;
    *) fact="the judge could not work: $(line_of '' "$1/judge")" ;;
    esac
    [ "$verdict" != broken ] || [ -n "$fact" ] ||
        fact="the judge said neither passed nor rejected, and ended with status $2"
}

# Judges what is in folder $1, or the text $1 itself, keeping what is said in folder $2.
judge() {
    "$build/bounded" $limit_s "$build/$exercise/check" "$1" \
        >"$2/judge" 2>&1 </dev/null 9>&-    # the lock: whoever survives must not hold it
    read_verdict "$2" $?
}

# The verdict on $1, an answer to the open exercise, in a folder $2 below the build's.
# Sets verdict to passed, rejected, unjudged (it is not there, or does not compile) or
# broken (the judge could not work), the fact that says why, and where to look.
try() {
    into=$build/$exercise/$2
    rm -rf "$into"
    mkdir -p "$into" || fail "$into can't be made"
    verdict=unjudged look='' fact=$(complain "$1")
    [ -z "$fact" ] || { look="make $nn-reset brings the starter"; return; }
    "$MAKE" -s --no-print-directory "$build/bounded" "$build/$exercise/check" \
        >"$into/making" 2>&1 ||
        { verdict=broken fact="its check can't be built" look="make doctor"; return; }
    case $1 in
    */arrange.txt)
        arranged=$into/$answer
        arrange "$1" >"$arranged" 2>"$into/order" ||
            { fact=$(line_of '' "$into/order") look="the line order: in $1"; return; } ;;
    *.txt) judge "$1" "$into"; return ;;
    *) arranged=$1 ;;
    esac
    compile_answer "$arranged" "$into"
    case $? in
    0) judge "$into" "$into" ;;
    1) verdict=unjudged fact="it does not compile" look="the compiler's first words" ;;
    *) verdict=broken fact="what the check needs does not compile" look="$into" ;;
    esac
}
