#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Memory that is kept for a guest about to be created: xlpolicy reserve, and the daemon behind it.

bats_require_minimum_version 1.5.0
load helpers

# Three guests that use little, and one that is created after so many seconds, ten of them to a real one,
# and takes two of them, or so many, to be built.
write_host() {
    cat >"$SCENARIO" <<EOF
{"xlpolicy_scenario": 1, "host": {"pcpus": 2, "free_mib": 200, "speed": 10}, "run_s": 36001,
 "guests": [
   {"name": "old%d", "count": 3, "age_s": 600, "memory_mib": 512, "used_mib": 150},
   {"name": "web9", "start_s": $1, "build_s": ${2:-2}, "memory_mib": 256, "used_mib": 100}]}
EOF
}

setup() {
    helpers_setup
    SCENARIO=$DIR/host.json
    write_host 36000
    printf 'tick_ms = 200\nmem_reserve = "64m"\nmode = "act"\n' >"$CONF"
    start_daemon
}

teardown() {
    helpers_teardown
}

xlpolicy() {
    run --separate-stderr "$XLPOLICY" --socket "$SOCKET" "$@"
}

none_left() {
    [ "$("$XLPOLICY" --socket "$SOCKET" --json mem-list | jq '.reservations | length')" -eq 0 ]
}

@test "reserve --wait prints a number, and has the memory" {
    xlpolicy reserve 400m --wait
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    xlpolicy mem-list
    has 'ready: 400 MiB are kept free, for another '
    [ "$("$XLPOLICY" --socket "$SOCKET" --json mem-list | jq '.host.free_kib / 1024 >= 464')" = true ]
    xlpolicy status
    has 'Reserved:    reservation 1: ready: '
    xlpolicy info
    has_line 'reserved_memory (MiB)  : 400'
    xlpolicy --json info
    json '.reserved_kib == 409600'
    xlpolicy --json mem-list
    json '.reservations[0].reservation.granted_kib == 409600
          and .reservations[0].reason.code == "reserve-ready"'
    xlpolicy unreserve 1
    ends 0
    has_line 'reservation 1: given up by the operator'
    none_left
    xlpolicy unreserve 1
    ends 1 'xlpolicy: unreserve: there is no reservation 1; `xlpolicy mem-list` shows them'
    xlpolicy history
    has 'done: reservation 1: 400 MiB are free, and kept for it'
}

@test "what cannot be had is refused with the sum" {
    xlpolicy reserve 8g
    [ "$status" -eq 4 ]
    [[ $stderr == 'xlpolicy: reserve: refused: 8192 MiB cannot be had, at most '*' MiB: 136 MiB are free beyond'* ]]
    none_left
}

@test "the guest it is for takes it as it is built, and then it is over" {
    stop_daemon
    write_host 50
    start_daemon
    xlpolicy reserve --for web9 --wait 256m
    [ "$status" -eq 0 ]
    xlpolicy reserve --for web9 1m
    ends 4 'xlpolicy: reserve: refused: reservation 1 is for a guest of that name already; `xlpolicy unreserve` ends it'
    wait_for none_left
    xlpolicy history
    has 'done: reservation 1 for web9: 256 MiB are free, and kept for it'
    has 'done: reservation 1 for web9: over: the guest (ID 4) has taken what it was for, 256 MiB'
    xlpolicy history web9
    has 'done: reservation 1 for web9: made: '
    has 'done: reservation 1 for web9: over: '
    [[ $output != *' old1: '* ]]
    xlpolicy history 4
    has 'done: reservation 1 for web9: the guest (ID 4) takes its memory out of it'
    has 'done: reservation 1 for web9: over: '
    [[ $output != *' old1: '* ]]
    xlpolicy history old1
    [[ $output == *' old1: '* && $output != *'reservation'* ]]
}

@test "a client that waits and is killed leaves it to its time" {
    "$XLPOLICY" --socket "$SOCKET" reserve 1000m --ttl 20s --wait >"$DIR/out" 2>/dev/null &
    wait_for grep -q '^1$' "$DIR/out" # so that it can be given up
    kill -KILL $!
    wait_for none_left
    xlpolicy history
    has 'done: reservation 1: over: its time is up, and nobody has used it'
}

@test "whoever waits is told how far it is, and that it is over" {
    printf '"used": 1' >/dev/null
    "$XLPOLICY" --socket "$SOCKET" reserve 1150m --wait >"$DIR/out" 2>"$DIR/err" &
    wait_for grep -q '^reservation 1: waits: .* of 1150 MiB are free, .* on the way' "$DIR/err"
    xlpolicy unreserve 1
    ends 0
    status=0
    wait $! || status=$?
    [ "$status" -eq 1 ]
    [ "$(cat "$DIR/out")" = 1 ]
    grep -q '^xlpolicy: reservation 1 ended before it was ready: given up by the operator$' "$DIR/err"
    xlpolicy reserve 1150m --ttl 2s --wait
    [ "$status" -eq 1 ]
    [ "$output" = 2 ]
    [ "${stderr##*$'\n'}" = 'xlpolicy: reservation 2 ended before it was ready: its time was up; --ttl gives it more, --min is content with less' ]
}

is_there() {
    [ "$("$XLPOLICY" --socket "$SOCKET" --json list | jq --arg name "$1" '[.domains[] | select(.name == $name)] | length')" -eq 1 ]
}

@test "transfer gives it to a guest that is being built" {
    stop_daemon
    write_host 50 36000
    start_daemon
    xlpolicy reserve 300m --wait
    [ "$status" -eq 0 ]
    wait_for is_there web9
    xlpolicy reserve --transfer 1 web9
    ends 0
    has_line 'reservation 1 for web9: the guest (ID 4) takes its memory out of it'
    xlpolicy mem-list
    has 'the guest (ID 4) is being built and has taken 0 MiB of 300 MiB'
    xlpolicy status
    has_line 'Reserved:    reservation 1 for web9: the guest (ID 4) is being built and has taken 0 MiB of 300 MiB'
}

@test "transfer to a guest that is unknown, or runs already, and other nonsense, is refused" {
    xlpolicy reserve 100m
    ends 0
    xlpolicy reserve --transfer 1 nobody
    ends 1 'xlpolicy: no domain "nobody" here; `xlpolicy list` shows them'
    xlpolicy reserve --transfer 7 old1
    ends 1 'xlpolicy: transfer: there is no reservation 7; `xlpolicy mem-list` shows them'
    xlpolicy reserve --transfer 1 old1
    ends 4 'xlpolicy: transfer: refused: old1 runs already, so that nothing of the reservation would be left; `xlpolicy unreserve 1` ends it'
    xlpolicy unreserve 1
    wait_for none_left
    xlpolicy reserve --transfer 1 --wait old1
    [ "$status" -eq 2 ]
    xlpolicy reserve 12x
    ends 2 'xlpolicy: reserve: "12x" is no size; 512m or 2g are; see `xlpolicy help reserve`'
    xlpolicy reserve --min 2g 1g
    [ "$status" -eq 2 ]
    xlpolicy reserve --ttl 0 1g
    [ "$status" -eq 2 ]
    xlpolicy unreserve all
    [ "$status" -eq 2 ]
    xlpolicy --host xen reserve 1g
    ends 2 'xlpolicy: reserve: only a daemon can keep memory for a guest; leave out --host xen'
    xlpolicy -N --json reserve 1m --for a
    json '.would_send == {"xlpolicy": 1, "command": "reserve", "min_kib": 1024, "max_kib": 1024, "name": "a"}'
}

@test "a daemon that only advises has guests give nothing, and says so; one that watches refuses" {
    xlpolicy advise
    xlpolicy reserve 100m --wait
    [ "$status" -eq 0 ]
    [[ $stderr == *'xlpolicyd is in mode advise: no guest gives memory for it'* ]]
    xlpolicy pause
    xlpolicy reserve 10m
    [ "$status" -eq 4 ]
    [[ $stderr == *'refused: xlpolicyd only watches (mode pause)'* ]]
}

@test "requests that are wrong are refused" {
    local reply
    for request in '"reserve"' '"reserve","min_kib":1' '"reserve","min_kib":2,"max_kib":1' \
        '"reserve","max_kib":0' '"reserve","max_kib":1,"ttl_s":0' '"unreserve"' '"transfer"' \
        '"transfer","reservation":1' '"unreserve","reservation":4294967295' \
        '"reservations","reservation":1'; do
        reply=$(ask "{\"xlpolicy\":1,\"command\":$request}")
        [[ $reply == *'"exit_code":2'* ]] || { echo "$request: $reply" >&2; return 1; }
    done
    ask '{"xlpolicy":1,"command":"reservations"}' | jq -e '.result.reservations == []'
}
