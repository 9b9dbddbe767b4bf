# Simulates five runs from a seed and writes their requests as CSV. Time goes in steps of 50 ms.
# Every number is drawn again until the picture has one right reading: no two requests that
# matter end at the same moment.

# Lehmer's generator: no product is too large for awk's numbers, whichever awk it is.
function draw(below) {
    state = state * 16807 % 2147483647
    return int(state / 2147483647 * below)
}

# Request i of the present run starts, has its reply lie ready, and ends when that is read.
function request(i, started, ready, ended) {
    start[i] = started
    reply[i] = ready
    end[i] = ended
}

# One at a time.
function staircase(    i, now, next_one) {
    count = 5 + draw(2)
    for (i = now = 0; i < count; i++) {
        next_one = now + 4 + draw(6)
        request(i, now, next_one, next_one)
        now = next_one
    }
}

# All at once, and all take as long.
function wall(    i, latency) {
    count = 6 + draw(4)
    latency = 10 + draw(20)
    for (i = 0; i < count; i++) request(i, 0, latency, latency)
}

# Three at a time; who is free first takes the next. One request alone ends when the last starts.
function pool(    i, w, first, free, ends) {
    do {
        count = 7 + draw(3)
        free[0] = free[1] = free[2] = 0
        for (i = 0; i < count; i++) {
            first = 0
            for (w = 1; w < 3; w++) if (free[w] < free[first]) first = w
            request(i, free[first], free[first] + 4 + draw(9), 0)
            free[first] = end[i] = reply[i]
        }
        ends = 0
        for (i = 0; i < count; i++) ends += end[i] == start[count - 1]
    } while (ends != 1)
}

# One loop for all. When the reply to `culprit` has been read its callback blocks: replies that
# come meanwhile lie there until it returns. At least two do, and one comes later.
function poisoned(    i, j, block, late, after, unique) {
    do {
        count = 8
        for (i = 0; i < count; i++) request(i, 0, 6 + draw(36), 0)
        culprit = draw(count)
        block = reply[culprit] + 12 + draw(6)
        late = after = 0
        unique = 1
        for (i = 0; i < count; i++) {
            end[i] = reply[i]
            if (reply[i] > reply[culprit] && reply[i] < block) { end[i] = block; late++ }
            after += reply[i] > block
            for (j = 0; j < i; j++) unique = unique && reply[i] != reply[j]
            unique = unique && reply[i] != block
        }
    } while (!unique || late < 2 || after < 1)
}

# All at once, and one of them takes far longer.
function straggler(    i, latency) {
    count = 6 + draw(4)
    latency = 8 + draw(6)
    for (i = 0; i < count; i++) request(i, 0, latency, latency)
    i = draw(count)
    request(i, 0, 3 * latency + draw(12), 0)
    end[i] = reply[i]
}

function simulate(kind) {
    if (kind == 0) staircase()
    else if (kind == 1) wall()
    else if (kind == 2) pool()
    else if (kind == 3) poisoned()
    else straggler()
}

function write_rows(letter,    i) {
    for (i = 0; i < count; i++)
        printf "%s,0,%d,%d000000,%d000000,%d000000,%d000000,%d000000,%d000000,200,18,\n", letter, i,
            start[i] * 50, start[i] * 50, start[i] * 50, end[i] * 50, end[i] * 50,
            (reply[i] - start[i]) * 50
}

BEGIN {
    state = seed % 2147483646 + 1
    for (i = 0; i < 10; i++) draw(1)    # neighbouring seeds begin alike
    for (i = 0; i < 5; i++) kinds[i] = i
    print "model,trial,request,start_ns,connected_ns,sent_ns,first_byte_ns,end_ns,server_wait_ns,status,bytes,error"
    for (i = 5; i > 0; i--) {
        drawn = draw(i)
        simulate(kinds[drawn])
        write_rows(substr("EDCBA", i, 1))
        kinds[drawn] = kinds[i - 1]
    }
}
