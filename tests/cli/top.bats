#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# top, in a terminal of its own: what its screen shows, what its keys do; and in batch mode.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
    HOST="sim:$SCENARIOS/C1.json"
    FAST=(--set tick_ms=100 --delay 0.1)
    TERMINAL=(tmux -L none)
}

teardown() {
    "${TERMINAL[@]}" kill-server 2>/dev/null || true
    helpers_teardown
}

# start COLUMNS ROWS ARGUMENT...: top in a terminal of that size. Its end is told on the screen.
start() {
    local command
    TERMINAL=(tmux -L "top-$$-$BATS_TEST_NUMBER-$RANDOM" -f /dev/null) # no two share a server
    command=$(printf '%q ' "$XLPOLICY" top "${@:3}")
    "${TERMINAL[@]}" new-session -d -x "$1" -y "$2" \
        "env NO_COLOR=${NO_COLOR-} TERM=${TOP_TERM-screen-256color} $command; echo ended with \$?; sleep 1000" 3>&-
}

keys() {
    "${TERMINAL[@]}" send-keys "$@"
}

# With -e: and its colours.
screen() {
    "${TERMINAL[@]}" capture-pane -p "$@"
}

shows() {
    screen | grep -qE -- "$1"
}

xlpolicy() {
    run --separate-stderr "$XLPOLICY" "$@"
}

@test "80x24: pCPUs and who is on them, guests, the one under the cursor, the keys" {
    start 80 24 --host "$HOST" --set adopt=1 "${FAST[@]}"
    wait_for shows '^   0 \[\|{20}\] 100\.0  [0-9]{3}\.[0-9]  vm1 vm2 vm3 vm4 vm5 vm6 vm7 vm8$'
    wait_for shows '^vm3 +3 +12\.5 +[0-9]+\.[0-9] +[0-9]+\.[0-9] +512 +512 +168 cpu-overload$'
    local page
    page=$(screen)
    [[ $page == 'xlpolicy top: no daemon  9 domains, 9 vCPUs, 4 pCPUs  by cpu '*[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$'\n'* ]]
    grep -q '^Memory \[|* *\] 5120 of 6144 MiB used, 1024 free$' <<<"$page"
    grep -q '^Name .* Last reason$' <<<"$page"
    grep -q '^vm1: vCPU 0 on pCPU 0$' <<<"$page"
    grep -q '^q quit  r reverse ' <<<"$page"
    [ "$(grep -c . <<<"$page")" -ge 18 ]
    keys q
    wait_for shows '^ended with 0$'
}

@test "keys: the cursor, the order, and the other way round" {
    start 80 24 --host "$HOST" "${FAST[@]}"
    wait_for shows '^vm1: vCPU 0 '
    keys Down Down
    wait_for shows '^vm3: vCPU 0 '
    keys k
    wait_for shows '^vm2: vCPU 0 '
    keys End
    wait_for shows '^Domain-0: vCPU 0 '
    keys m
    wait_for shows ' by mem '
    wait_for eval "screen | grep -A1 '^Name' | grep -q '^Domain-0 '"
    keys r
    wait_for shows ' by mem, reversed'
    wait_for eval "screen | grep -A1 '^Name' | grep -q '^vm'"
}

@test "another size is drawn at once: reasons in full where there is room" {
    start 80 24 --host "$HOST" --delay 600
    wait_for shows '^q quit'
    run -1 shows 'not managed: pinned to pCPU 0 by the operator; `xlpolicy adopt` hands it'
    "${TERMINAL[@]}" resize-window -x 160 -y 40
    wait_for shows '^vm1 .* not managed: pinned to pCPU 0 by the operator; `xlpolicy adopt` hands it over$|^vm1 .* not shrunk yet: first seen [0-9]+ s ago, '
    [ "$(screen | grep -n '^q quit' | cut -d: -f1)" -eq 40 ]
    "${TERMINAL[@]}" resize-window -x 50 -y 10
    wait_for shows '^vm1 '
    "${TERMINAL[@]}" resize-window -x 30 -y 5
    wait_for shows '^too small: 40x8 at least$'
}

@test "a daemon is watched, and its mode shown; when it goes, top says so and ends" {
    start_daemon --mode act
    start 100 30 --socket "$SOCKET" --delay 0.2
    wait_for shows '^xlpolicy top: mode act  9 domains'
    wait_for shows '^   1 \[.* vm[1-8] vm[1-8]$'
    keys a
    wait_for shows '^vm8 '
    stop_daemon
    wait_for shows '^ended with 3$'
    shows "^xlpolicy: no xlpolicyd listens on $SOCKET; start it\$"
}

@test "colour, unless NO_COLOR is set or the terminal has none" {
    coloured() { screen -e | grep -q $'\e\[3[123]m\|\e\[[0-9;]*3[123]m'; }
    start 80 24 --host "$HOST" "${FAST[@]}"
    wait_for shows '^q quit'
    wait_for coloured
    "${TERMINAL[@]}" kill-server
    NO_COLOR=1 start 80 24 --host "$HOST" "${FAST[@]}"
    wait_for shows '^   0 \[\|{20}\] 100'
    run -1 coloured
    "${TERMINAL[@]}" kill-server
    TOP_TERM=vt100 start 80 24 --host "$HOST" "${FAST[@]}"
    wait_for shows '^   0 \[\|{20}\] 100'
    run -1 coloured
}

@test "so many pages and no more" {
    start 80 24 --host "$HOST" --delay 0.1 --iterations 2
    wait_for shows '^ended with 0$'
}

@test "the end of a scenario ends it" {
    sed 's/"run_s": [0-9]*/"run_s": 1/' "$SCENARIOS/C3.json" >"$DIR/short.json"
    start 80 24 --host "sim:$DIR/short.json" "${FAST[@]}"
    wait_for shows '^The host has no more to show\.$'
    wait_for shows '^ended with 0$'
}

@test "a terminal that cannot be used: exit 1, and what to do" {
    TOP_TERM=no-such-terminal start 120 24 --host "$HOST"
    wait_for shows '^ended with 1$'
    shows '^xlpolicy: top: cannot use the terminal "no-such-terminal": it is not known; use -b$'
}

@test "no terminal at all: exit 2, and what to do" {
    xlpolicy --host "$HOST" top
    ends 2 'xlpolicy: top: this is no terminal; use -b; see `xlpolicy help top`'
}

@test "batch: all pages, all guests, as wide as asked for" {
    COLUMNS=80 xlpolicy --host "$HOST" --set adopt=1 top -b -n 3 -s mem
    ends 0
    [ "$(grep -c '^xlpolicy top: no daemon ' <<<"$output")" -eq 3 ]
    [ "$(grep -c '^vm[1-8] ' <<<"$output")" -eq 24 ]
    ! grep -E '.{81}' <<<"$output"
    ! grep $'\e' <<<"$output"
    grep -A1 '^Name' <<<"$output" | grep -q '^Domain-0 '
    has 'cpu-overload'
    COLUMNS=160 xlpolicy --host "$HOST" --set adopt=1 top -b -n 1
    has 'needs 100.0 %: pCPU 0 is overloaded at 398.5 %, pCPU 3 carries 0.5 %'
}

@test "batch: a pipe that is closed ends it" {
    run bash -c '"$1" --host "$2" top -b | head -n 1' - "$XLPOLICY" "$HOST"
    [ "$status" -eq 0 ]
    [[ $output == 'xlpolicy top: '* ]]
}

@test "what takes longer than a second tells a person how far it is, and leaves no trace" {
    local command
    cat >"$DIR/long.json" <<'END'
{"xlpolicy_scenario": 1, "title": "long", "host": {"pcpus": 4}, "run_s": 1000000,
 "guests": [{"name": "vm%d", "count": 60, "load_pct": 10}]}
END
    printf -v command '%q ' "$XLPOLICY" --host "sim:$DIR/long.json" list --ticks 50000
    TERMINAL=(tmux -L "top-$$-progress-$RANDOM" -f /dev/null)
    "${TERMINAL[@]}" new-session -d -x 120 -y 80 "$command; echo ended with \$?; sleep 1000" 3>&-
    wait_for shows '^xlpolicy: watching the host, ticks: [0-9]+ of 50000$'
    wait_for shows '^ended with 0$'
    run -1 shows 'watching the host'
}

@test "usage errors: exit 2" {
    local see='; see `xlpolicy help top`'
    xlpolicy --host "$HOST" top -b -d 0
    ends 2 "xlpolicy: top: --delay 0: allowed is 0.1 to 3600 seconds$see"
    xlpolicy --host "$HOST" top -b -n none
    ends 2 "xlpolicy: top: --iterations none: allowed is 1 to 1000000000$see"
    xlpolicy --host "$HOST" top -b --sort size
    ends 2 "xlpolicy: top: --sort size: allowed are cpu|demand|entitled|mem|target|need|floor|name|id$see"
    xlpolicy --host "$HOST" top --json
    ends 2 "xlpolicy: top: --json has no meaning here$see"
}
