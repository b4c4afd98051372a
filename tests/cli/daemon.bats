#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# xlpolicyd on a simulated host, in real time: what it says, word by word, and how it ends.

bats_require_minimum_version 1.5.0
load helpers

setup() {
    helpers_setup
}

teardown() {
    helpers_teardown
}

# Where it should end by itself, it gets no more than this.
xlpolicyd() {
    timeout 20 "$XLPOLICYD" "$@"
}

refusal() {
    printf '{"xlpolicy":1,"ok":false,"error":"%s","exit_code":%d}' "$1" "$2"
}

# scenario GUEST SECONDS: makes SCENARIO one of such a guest that lasts so long.
scenario() {
    SCENARIO=$DIR/scenario.json
    printf '{"xlpolicy_scenario": 1, "title": "short", "host": {"pcpus": 4}, "guests": [%s],
            "run_s": %d}' "$1" "$2" >"$SCENARIO"
}

# How many vCPUs each pCPU has been given: "[2, 2, 2, 2]".
placement() {
    ask_for state '[sum(d["domid"] > 0 and v.get("hard") == str(p)
                        for d in r["snapshot"]["domains"] for v in d["vcpus"]) for p in range(4)]'
}

placed() {
    [ "$(placement)" = "$1" ]
}

ticked() {
    [ "$(ask_for status 'r["ticks"]')" -ge "$1" ]
}

only_for_root() {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
}

# As the user nobody, who must be able to read the peer.
as_nobody() {
    setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/python3 - "$@" <tests/cli/peer.py
}

# ---- the command line ----

@test "help names every option" {
    run -0 xlpolicyd --help
    [[ $output == *'replay:FILE'* ]]
    [ "${lines[-1]}" = 'Exit codes: 0 done, 1 failed, 2 usage, 3 no Xen here.' ]
    for option in -f -n -F -N --mode --once --host --socket --pidfile --record -v -h -V; do
        [[ $output == *" $option"* ]]
    done
}

@test "the version is printed" {
    run -0 xlpolicyd --version
    [ "$output" = "xlpolicyd $(cat VERSION)" ]
}

@test "an unknown option is a usage error" {
    run -2 xlpolicyd --fast
    [ "${lines[0]}" = "$XLPOLICYD: unrecognized option '--fast'" ]
    [ "${lines[1]}" = "Try xlpolicyd --help." ]
}

@test "an argument too many is a usage error" {
    run -2 xlpolicyd start
    [ "$output" = 'xlpolicyd: unexpected argument "start"; see xlpolicyd --help' ]
}

@test "a mode that does not exist is a usage error" {
    run -2 xlpolicyd --mode go
    [ "$output" = 'xlpolicyd: --mode "go" is not one of: advise act pause' ]
}

@test "a host that does not exist is a usage error" {
    for host in kvm sim: daemon; do
        run -2 xlpolicyd --once -f "$CONF" --host $host
        [ "$output" = "xlpolicyd: --host \"$host\" is not one of: xen sim:FILE replay:FILE" ]
    done
}

@test "without Xen it says so and exits with 3" {
    [ ! -e /proc/xen/capabilities ] || skip "this is a Xen host"
    run -3 xlpolicyd -F -f "$CONF" --socket "$SOCKET" --pidfile "$PIDFILE"
    [ "$output" = "xlpolicyd: no Xen here: $NO_XEN" ]
    [ ! -e "$PIDFILE" ]
}

@test "without Xen the background start fails the same way" {
    [ ! -e /proc/xen/capabilities ] || skip "this is a Xen host"
    run -3 xlpolicyd -f "$CONF" --socket "$SOCKET" --pidfile "$PIDFILE"
    [ "$output" = "xlpolicyd: no Xen here: $NO_XEN" ]
}

# ---- the configuration ----

@test "the shipped configuration is right" {
    run -0 xlpolicyd -n -f daemon/xlpolicyd.conf
    [ "$output" = "configuration OK" ]
}

@test "a configuration asked for by name must exist" {
    run -1 xlpolicyd -n -f "$DIR/none.conf"
    [ "$output" = "xlpolicyd: cannot read $DIR/none.conf: No such file or directory" ]
}

@test "without a configuration at the usual place the defaults hold" {
    [ ! -e /etc/xlpolicy/xlpolicyd.conf ] || skip "there is one at the usual place"
    run -0 xlpolicyd -n
    [ "$output" = "/etc/xlpolicy/xlpolicyd.conf: no such file, all defaults; configuration OK" ]
    "$XLPOLICYD" -F --host "sim:$SCENARIO" --socket "$SOCKET" --pidfile "$PIDFILE" 2>"$LOG" 3>&- &
    DAEMON_PID=$!
    wait_for grep -q 'mode advise, .*, configuration none: the defaults$' "$LOG"
}

@test "an unknown key is refused with its line and the likely one" {
    printf '# ours\n\ncpu_polcy = "off"\n' >"$CONF"
    run -1 xlpolicyd -n -f "$CONF"
    [ "$output" = "xlpolicyd: $CONF:3: cpu_polcy: there is no such setting; did you mean cpu_policy?" ]
}

@test "a value out of range is refused with its line and the range" {
    echo 'tick_ms = 5' >"$CONF"
    run -1 xlpolicyd -F -f "$CONF" --host "sim:$SCENARIO"
    [ "$output" = "xlpolicyd: $CONF:1: tick_ms: \"5\" is not a number from 100 to 60000" ]
}

# ---- one decision ----

@test "once in mode advise prints what would be done and does nothing" {
    run -0 xlpolicyd --once -f "$CONF" --host "sim:$SCENARIO"
    [ "${#lines[@]}" -eq 6 ]
    for line in "${lines[@]}"; do
        [[ $line =~ ^would:\ vm[1-8]\ vCPU\ 0:\ pCPU\ 0\ -\>\ pCPU\ [1-3]:\ needs\ .*\ %$ ]]
    done
}

@test "once in mode act does it" {
    run -0 xlpolicyd --once --mode act -f "$CONF" --host "sim:$SCENARIO" --pidfile "$PIDFILE"
    [ "${#lines[@]}" -eq 6 ]
    for line in "${lines[@]}"; do
        [[ $line =~ ^done:\ vm[1-8]\ vCPU\ 0:\ pCPU\ 0\ -\>\ pCPU\ [1-3]:\ needs\ .*\ %$ ]]
    done
    [ ! -e "$PIDFILE" ]
}

@test "once as a dry run in mode act only says what would be done" {
    run -0 xlpolicyd --once -N --mode act -f "$CONF" --host "sim:$SCENARIO"
    [ "${#lines[@]}" -eq 6 ]
    [[ $output != *done:* ]]
    [[ ${lines[0]} == "would: vm"* ]]
}

@test "once on a balanced host has nothing to do" {
    sed -i 's/^tick_ms.*/tick_ms = 1000/' "$CONF"
    run -0 xlpolicyd --once -f "$CONF" --host "sim:$SCENARIOS/C3.json"
    [ "$output" = "nothing to do" ]
}

@test "once in mode act does not act beside a running daemon" {
    start_daemon
    run -1 xlpolicyd --once --mode act -f "$CONF" --host "sim:$SCENARIO" --pidfile "$PIDFILE"
    [ "$output" = "xlpolicyd: already running (pid $DAEMON_PID, $PIDFILE); one on another host needs its own --pidfile and --socket" ]
}

# ---- modes ----

@test "advise tells its plan once and changes nothing" {
    start_daemon
    wait_for ticked 10
    [ "$(placement)" = "[8, 0, 0, 0]" ]
    # The figures change from tick to tick, and with them at times the plan; the same is not retold.
    grep '^xlpolicyd: would: vm[1-8] vCPU 0: pCPU 0 -> ' "$LOG" | sed 's/[0-9.]* %/N/g' | sort >"$DIR/told"
    [ "$(wc -l <"$DIR/told")" -ge 6 ]
    [ -z "$(uniq -d "$DIR/told")" ]
    [ "$(ask_for status 'r["done"]')" = "{}" ]
    [ "$(ask_for state 'len(r["outcomes"])')" -eq 0 ]
}

@test "act spreads the guests evenly and tells each move" {
    start_daemon --mode act
    wait_for placed "[2, 2, 2, 2]"
    [ "$(grep -c '^xlpolicyd: done: vm' "$LOG")" -eq 6 ]
    [ "$(ask_for status 'sum(r["done"].values())')" -eq 6 ]
    [ "$(ask_for history 'len(r["entries"])')" -eq 6 ]
    [ "$(ask_for history 'r["entries"][0]["text"]')" = \
        "$(sed -n 's/^xlpolicyd: \(done: .*\)/\1/p' "$LOG" | head -n 1)" ]
}

@test "pause looks and could tell what it would do, but says and does nothing" {
    start_daemon --mode pause
    wait_for ticked 8
    [ "$(ask_for state 'len(r["plan"]["actions"])')" -eq 6 ]
    [ "$(placement)" = "[8, 0, 0, 0]" ]
    [ "$(ask_for state 'r["vcpu_views"][1].get("known", True)')" = True ]
    [ "$(wc -l <"$LOG")" -eq 1 ]
}

@test "a dry run never changes anything" {
    start_daemon -N --mode act
    wait_for ticked 8
    [ "$(placement)" = "[8, 0, 0, 0]" ]
    run -0 ask '{"xlpolicy":1,"command":"release","domain":"vm1"}'
    [[ $output == *'"outcome":"dry-run"'* ]]
    [ "$(ask_for state 'r["snapshot"]["domains"][1].get("released", False)')" = False ]
}

@test "the mode is changed over the socket, and the log names who did it" {
    start_daemon
    run -0 ask '{"xlpolicy":1,"command":"mode","mode":"act"}'
    [ "$output" = '{"xlpolicy":1,"ok":true,"result":{"was":"advise","trial_ended":false,"mode":"act","dry_run":false}}' ]
    grep -q "^xlpolicyd: mode: advise -> act (uid $(id -u), pid [0-9]*)\$" "$LOG"
    wait_for placed "[2, 2, 2, 2]"
}

@test "releasing all puts back what was there and ends acting" {
    start_daemon --mode act
    wait_for placed "[2, 2, 2, 2]"
    [ "$(ask_for release '[a["outcome"] for a in r["actions"]], r["mode"]')" = \
        "(['done', 'done', 'done', 'done', 'done', 'done'], 'advise')" ]
    wait_for placed "[8, 0, 0, 0]"
}

@test "a released guest is left alone until it is adopted" {
    start_daemon
    # Three: of eight on one pCPU no more than two would stay.
    for vm in vm1 vm2 vm3; do
        ask '{"xlpolicy":1,"command":"release","domain":"'$vm'"}'
    done >/dev/null
    ask '{"xlpolicy":1,"command":"mode","mode":"act"}' >/dev/null
    wait_for grep_count 5 '^xlpolicyd: done: vm[4-8] vCPU 0: pCPU 0 -> '
    run ! grep -q 'done: vm[1-3] vCPU 0' "$LOG"
    released 3
    run -0 ask '{"xlpolicy":1,"command":"adopt","domain":"3"}'
    [[ $output == *'"kind":"adopt-domain"'* ]]
    wait_for grep -q '^xlpolicyd: done: vm3 vCPU 0: pCPU 0 -> ' "$LOG"
    run ! released 3
}

grep_count() {
    [ "$(grep -c "$2" "$LOG")" -eq "$1" ]
}

released() {
    [ "$(ask_for state 'r["snapshot"]["domains"]['"$1"'].get("released", False)')" = True ]
}

@test "a domain that does not exist is named" {
    start_daemon
    run -0 ask '{"xlpolicy":1,"command":"adopt","domain":"web9"}' \
        '{"xlpolicy":1,"command":"release","domain":"99"}'
    [ "${lines[0]}" = "$(refusal 'no domain \"web9\" here; `xlpolicy list` shows them' 1)" ]
    [ "${lines[1]}" = "$(refusal 'no domain \"99\" here; `xlpolicy list` shows them' 1)" ]
}

# ---- starting and ending ----

@test "a second instance is refused by the pid of the first" {
    start_daemon
    run -1 xlpolicyd -F -f "$CONF" --host "sim:$SCENARIO" --socket "$DIR/other" \
        --pidfile "$PIDFILE"
    [ "$output" = "xlpolicyd: already running (pid $DAEMON_PID, $PIDFILE); one on another host needs its own --pidfile and --socket" ]
    [ "$(ask_for status 'r["pid"]')" -eq "$DAEMON_PID" ]
}

@test "a second instance does not take the socket of the first" {
    start_daemon
    run -1 xlpolicyd -F -f "$CONF" --host "sim:$SCENARIO" --socket "$SOCKET" \
        --pidfile "$DIR/other"
    [ "$output" = "xlpolicyd: another process serves the control socket $SOCKET" ]
    [ "$(ask_for status 'r["pid"]')" -eq "$DAEMON_PID" ]
    [ ! -e "$DIR/other" ]
}

@test "killed, it is started again at once" {
    start_daemon --mode act
    kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" || true
    [ -S "$SOCKET" ]
    [ -s "$PIDFILE" ]
    start_daemon
    [ "$(ask_for status 'r["pid"]')" -eq "$DAEMON_PID" ]
    [ "$(cat "$PIDFILE")" -eq "$DAEMON_PID" ]
}

@test "SIGTERM ends it, leaves the host as it is and nothing behind" {
    start_daemon --mode act
    wait_for placed "[2, 2, 2, 2]"
    kill -TERM "$DAEMON_PID"
    wait "$DAEMON_PID"
    [ "$(tail -n 1 "$LOG")" = "xlpolicyd: stopped; the host stays as it is" ]
    run ! grep -q released "$LOG"
    [ ! -e "$SOCKET" ]
    [ ! -e "$PIDFILE" ]
}

@test "in the background it returns when it is ready" {
    xlpolicyd -f "$CONF" --host "sim:$SCENARIO" --socket "$SOCKET" --pidfile "$PIDFILE" \
        >"$LOG" 2>&1 3>&-
    [ ! -s "$LOG" ]
    DAEMON_PID=$(cat "$PIDFILE")
    [ "$(ask_for status 'r["pid"]')" -eq "$DAEMON_PID" ]
    [ "$(readlink "/proc/$DAEMON_PID/cwd")" = / ]
    [ "$(readlink "/proc/$DAEMON_PID/fd/2")" = /dev/null ]
}

@test "started with no standard descriptor open it serves all the same" {
    xlpolicyd -f "$CONF" --host "sim:$SCENARIO" --socket "$SOCKET" --pidfile "$PIDFILE" \
        <&- >&- 2>&- 3>&-
    DAEMON_PID=$(cat "$PIDFILE")
    [ "$(ask_for status 'r["pid"]')" -eq "$DAEMON_PID" ]
    for fd in 0 1 2; do
        [ "$(readlink "/proc/$DAEMON_PID/fd/$fd")" = /dev/null ]
    done
}

@test "the paths given to a background daemon may be relative" {
    cd "$DIR"
    xlpolicyd -f xlpolicyd.conf --host "sim:$SCENARIO" --socket control.sock --pidfile pid \
        >"$LOG" 2>&1 3>&-
    cd - >/dev/null
    DAEMON_PID=$(cat "$PIDFILE")
    kill -HUP "$DAEMON_PID"
    [ "$(ask_for status 'r["config"]')" = "$CONF" ]
    kill -TERM "$DAEMON_PID"
    wait_for test ! -e "$PIDFILE"
    [ ! -e "$SOCKET" ]
}

@test "the end of a scenario ends it" {
    scenario '{"name": "vm"}' 1
    start_daemon
    wait "$DAEMON_PID"
    grep -q '^xlpolicyd: the host has no more to show$' "$LOG"
}

@test "a recording holds each tick and can be replayed" {
    start_daemon --mode act --record "$DIR/record"
    wait_for placed "[2, 2, 2, 2]"
    kill -TERM "$DAEMON_PID"
    wait "$DAEMON_PID"
    [ "$(wc -l <"$DIR/record")" -ge 3 ]
    run -0 xlpolicyd --once -f "$CONF" --host "replay:$DIR/record"
    [ "${#lines[@]}" -eq 6 ]
}

@test "a recording is not written over an earlier one" {
    echo 'of the crash' >"$DIR/record"
    for i in 1 2; do
        start_daemon --record "$DIR/record"
        grep -qxF "xlpolicyd: recording to $DIR/record.$i" "$LOG"
        stop_daemon
        [ -s "$DIR/record.$i" ]
    done
    [ "$(cat "$DIR/record")" = 'of the crash' ]
    run xlpolicyd -F -f "$CONF" --host "sim:$SCENARIO" --socket "$SOCKET" --pidfile "$PIDFILE" \
        --record "$DIR/none/record"
    [ "$status" -eq 1 ]
    [ "$output" = "xlpolicyd: cannot record to $DIR/none/record: No such file or directory" ]
}

# ---- reloading ----

@test "SIGHUP reads a new configuration" {
    start_daemon
    printf 'tick_ms = 150\nmode = "act"\ncpu_affinity = "hard"\nadopt = 1\n' >"$CONF"
    kill -HUP "$DAEMON_PID"
    wait_for grep -q "^xlpolicyd: reload (SIGHUP): $CONF\$" "$LOG"
    grep -q '^xlpolicyd: mode: advise -> act (the configuration)$' "$LOG"
    [ "$(ask_for status 'r["tick_ms"], r["mode"]')" = "(150, 'act')" ]
}

@test "SIGHUP with a wrong configuration changes nothing and says why" {
    start_daemon
    echo 'tick_ms = "often"' >"$CONF"
    kill -HUP "$DAEMON_PID"
    wait_for grep -q '^xlpolicyd: reload (SIGHUP): the configuration stays as it was: ' "$LOG"
    grep -q "stays as it was: $CONF:1: tick_ms: \"often\" is not a number from 100 to 60000\$" "$LOG"
    [ "$(ask_for status 'r["tick_ms"]')" -eq 100 ]
    run -0 "$XLPOLICY" --socket "$SOCKET" status
    [[ $output == *"Last error:  reload: the configuration stays as it was: $CONF:1: tick_ms: "* ]]
}

@test "the operator's mode outlives a reload that does not change the file's" {
    start_daemon
    ask '{"xlpolicy":1,"command":"mode","mode":"pause"}' "$(request reload)" >/dev/null
    [ "$(ask_for status 'r["mode"]')" = pause ]
}

@test "reload over the socket tells what is wrong with the file" {
    start_daemon
    echo 'tik_ms = 100' >"$CONF"
    run -0 ask "$(request reload)"
    [ "$output" = "$(refusal "$CONF:1: tik_ms: there is no such setting; did you mean tick_ms?" 1)" ]
}

# ---- requests that are wrong ----

@test "garbage is answered with an error, and the next request as ever" {
    start_daemon
    run -0 ask 'rm -rf /' '[1,2]' '' "$(request ping)"
    [ "${#lines[@]}" -eq 4 ]
    for i in 0 1 2; do
        [[ ${lines[$i]} == '{"xlpolicy":1,"ok":false,"error":"the request is '*'"exit_code":2}' ]]
    done
    [ "${lines[3]}" = "{\"xlpolicy\":1,\"ok\":true,\"result\":{\"version\":\"$(cat VERSION)\"}}" ]
}

@test "bytes that are no text do no harm" {
    start_daemon
    head -c 200000 /dev/urandom | run -0 /usr/bin/python3 tests/cli/peer.py "$SOCKET" send
    [ "$(ask_for status 'r["clients"]')" -eq 1 ]
}

@test "another version, an unknown command and an unknown key are refused by name" {
    start_daemon
    run -0 ask '{"xlpolicy":2,"command":"ping"}' '{"xlpolicy":1,"command":"reboot"}' \
        '{"xlpolicy":1,"command":"ping","mode":"act"}' '{"xlpolicy":1,"command":"mode"}'
    [ "${lines[0]}" = "$(refusal 'protocol version 2 is not known here, only 1' 2)" ]
    [ "${lines[1]}" = "$(refusal 'there is no command \"reboot\"' 2)" ]
    [[ ${lines[2]} == *'"error":"the request is wrong: '*mode*'","exit_code":2}' ]]
    [ "${lines[3]}" = "$(refusal 'mode: should be one of: advise act pause' 2)" ]
}

@test "a request longer than 64 KiB is refused and the connection closed" {
    start_daemon
    run -0 /usr/bin/python3 tests/cli/peer.py "$SOCKET" send < <(head -c 65537 /dev/zero)
    [ "$output" = "$(refusal 'the request is longer than 65536 bytes' 2)" ]
}

# ---- who may ----

@test "the socket's mode keeps other users out" {
    start_daemon
    [ "$(stat -c %a "$SOCKET")" = 660 ]
    only_for_root
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$DIR"
    run as_nobody "$SOCKET" ask "$(request ping)"
    [ "$status" -ne 0 ]
    [[ $output == *"PermissionError"* ]]
}

@test "another user who gets through is refused by the daemon" {
    only_for_root
    start_daemon
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$DIR"
    chmod 666 "$SOCKET"
    run -0 as_nobody "$SOCKET" ask "$(request ping)"
    [ "$output" = "$(refusal \
        'refused: only root and members of control_group may talk to xlpolicyd' 4)" ]
}

@test "a member of control_group may ask but not act" {
    only_for_root
    echo 'control_group = "nogroup"' >>"$CONF"
    start_daemon
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$DIR"
    [ "$(stat -c '%a %G' "$SOCKET")" = "660 nogroup" ]
    run -0 as_nobody "$SOCKET" ask "$(request ping)" "$(request status)" "$(request reload)" \
        '{"xlpolicy":1,"command":"mode","mode":"act"}'
    [[ ${lines[0]} == '{"xlpolicy":1,"ok":true,'* ]]
    [[ ${lines[1]} == '{"xlpolicy":1,"ok":true,'* ]]
    [ "${lines[2]}" = "$(refusal 'refused: only root may change anything' 4)" ]
    [ "${lines[3]}" = "$(refusal 'refused: only root may change anything' 4)" ]
    [ "$(ask_for status 'r["mode"]')" = advise ]
}

@test "a supplementary group counts as well" {
    only_for_root
    echo 'control_group = "daemon"' >>"$CONF"
    start_daemon
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$DIR"
    run -0 setpriv --reuid nobody --regid nogroup --groups daemon \
        /usr/bin/python3 - "$SOCKET" ask "$(request ping)" <tests/cli/peer.py
    [[ $output == '{"xlpolicy":1,"ok":true,'* ]]
}

@test "a new control_group gets access on reload" {
    only_for_root
    start_daemon
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$DIR"
    echo 'control_group = "nogroup"' >>"$CONF"
    ask "$(request reload)" >/dev/null
    run -0 as_nobody "$SOCKET" ask "$(request ping)"
    [[ $output == '{"xlpolicy":1,"ok":true,'* ]]
}

# ---- too many, too slow ----

@test "the 65th client is told that all places are taken" {
    start_daemon
    run -0 /usr/bin/python3 tests/cli/peer.py "$SOCKET" crowd 64
    [ "$output" = "$(refusal 'busy: too many clients; try again in a moment' 1)" ]
    [ "$(ask_for status 'r["clients"]')" -eq 1 ]
}

@test "clients that may only ask leave places to root" {
    only_for_root
    echo 'control_group = "nogroup"' >>"$CONF"
    start_daemon
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$DIR"
    run -0 as_nobody "$SOCKET" crowd 56
    [ "$output" = "$(refusal 'busy: too many clients; try again in a moment' 1)" ]
}

@test "a client that reads nothing does not delay the ticks" {
    start_daemon
    /usr/bin/python3 tests/cli/peer.py "$SOCKET" stall 60 3>&- &
    local stalling=$! before
    wait_for clients_are 2
    before=$(ask_for status 'r["ticks"]')
    wait_for ticked $((before + 15))
    kill "$stalling"
    # Ten are due each second; a slow machine may miss some, but knows that it did.
    [ "$(ask_for status 'abs(r["ticks"] + r["ticks_missed"] - 10 * r["uptime_s"]) <= 2')" = True ]
}

# The one that asks is counted.
clients_are() {
    [ "$(ask_for status 'r["clients"]')" -eq "$1" ]
}

# ---- systemd ----

@test "systemd is told of readiness, life, reloads and the end" {
    /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)' "$DIR/notify" >"$DIR/told" 3>&- &
    listening=$!
    wait_for grep -q bound "$DIR/told"
    export NOTIFY_SOCKET="$DIR/notify" WATCHDOG_USEC=400000
    start_daemon
    wait_for ticked 8
    kill -HUP "$DAEMON_PID"
    wait_for grep -q '^RELOADING=1$' "$DIR/told"
    kill -TERM "$DAEMON_PID"
    wait "$DAEMON_PID"
    wait_for grep -q '^STOPPING=1$' "$DIR/told"
    kill "$listening"
    grep -q '^MONOTONIC_USEC=[0-9]*$' "$DIR/told"
    [ "$(grep -c '^READY=1$' "$DIR/told")" -eq 2 ]
    [ "$(grep -c '^WATCHDOG=1$' "$DIR/told")" -ge 3 ]
    grep -q '^STATUS=advise: 9 domains, [0-9]* actions$' "$DIR/told"
}

@test "lines for the journal carry priorities" {
    : >"$LOG"
    JOURNAL_STREAM=$(stat -c %d:%i "$LOG") "$XLPOLICYD" -F -f "$CONF" --host "sim:$SCENARIO" \
        --socket "$SOCKET" --pidfile "$PIDFILE" 2>>"$LOG" 3>&- &
    DAEMON_PID=$!
    wait_for grep -q '^<5>started: version ' "$LOG"
    wait_for grep -q '^<6>would: vm[1-8] ' "$LOG"
}

# The directories that the unit lets it write to, one a line.
unit_writable() {
    sed -n 's|^RuntimeDirectory=|/run/|p; s|^ReadWritePaths=||p' daemon/init/xlpolicyd.service |
        tr ' ' '\n' | sed 's/^-//'
}

@test "what it keeps in /run and /var lies where the unit lets it write" {
    grep -q '^ProtectSystem=strict$' daemon/init/xlpolicyd.service
    # What others keep there, and we only look for.
    paths=$(grep -ohE '/(run|var)/?[[:alnum:]./_-]*' daemon/*.[ch] libxlpolicy/host/xen*.[ch] | sort -u |
        grep -vxF /run/qubes/qmemman.sock)
    [[ $paths == */run/xlpolicy/control.sock* ]]
    for path in $paths; do
        for directory in $(unit_writable); do
            [[ $path/ != "$directory"/* ]] || continue 2
        done
        echo "$path: not below $(unit_writable)" >&2
        return 1
    done
}

@test "the unit lets it see the sockets and processes of dom0, by which it finds other controllers" {
    grep -qE '"/proc/(net/unix|%)' libxlpolicy/host/xen_controller.c
    run ! grep -E '^(PrivateNetwork|ProtectProc|ProcSubset|PrivatePIDs)=' \
        daemon/init/xlpolicyd.service
    grep -q '^RestrictAddressFamilies=AF_UNIX$' daemon/init/xlpolicyd.service
}

# ---- the init script ----

# With a default file of its own that starts a simulated host.
init_script() {
    cat >"$DIR/default" <<END
PATH=$(dirname "$XLPOLICYD"):\$PATH
PIDFILE=$PIDFILE
XLPOLICYD_OPTS="-f $CONF --host sim:$SCENARIO --socket $SOCKET"
END
    sed "s|^DEFAULTS=.*|DEFAULTS=$DIR/default|" daemon/init/xlpolicyd >"$DIR/init"
    chmod +x "$DIR/init"
}

dead() {
    [ ! -e "/proc/$1" ] || grep -q ' (xlpolicyd) Z ' "/proc/$1/stat"
}

init_round() {
    init_script
    run -3 "$@" "$DIR/init" status
    [ "$output" = "xlpolicyd is not running" ]
    run -0 "$@" "$DIR/init" start
    [ "$output" = "xlpolicyd started" ]
    DAEMON_PID=$(cat "$PIDFILE")
    run -0 "$@" "$DIR/init" status
    [ "$output" = "xlpolicyd is running (pid $DAEMON_PID)" ]
    run -0 "$@" "$DIR/init" start
    [ "$output" = "xlpolicyd is already running (pid $DAEMON_PID)" ]
    run -0 "$@" "$DIR/init" reload
    [ "$output" = "xlpolicyd reloads" ]
    run -0 "$@" "$DIR/init" restart
    [ "$output" = $'xlpolicyd stopped\nxlpolicyd started' ]
    DAEMON_PID=$(cat "$PIDFILE")
    kill -KILL "$DAEMON_PID"
    wait_for dead "$DAEMON_PID"
    run -1 "$@" "$DIR/init" status
    [ "$output" = "xlpolicyd is dead, its pidfile is left" ]
    run -0 "$@" "$DIR/init" start
    DAEMON_PID=$(cat "$PIDFILE")
    run -0 "$@" "$DIR/init" stop
    [ "$output" = "xlpolicyd stopped" ]
    run -0 "$@" "$DIR/init" stop
    [ "$output" = "xlpolicyd is not running" ]
}

@test "the init script starts, reloads, restarts and stops it" {
    init_round sh
}

@test "the init script needs no more than busybox" {
    command -v busybox >/dev/null || skip "busybox is not installed"
    init_round busybox sh
}

@test "the init script refuses to reload a wrong configuration" {
    init_script
    run -0 "$DIR/init" start
    DAEMON_PID=$(cat "$PIDFILE")
    echo 'tick_ms = 5' >"$CONF"
    run -1 "$DIR/init" reload
    [ "$output" = "xlpolicyd: $CONF:1: tick_ms: \"5\" is not a number from 100 to 60000" ]
}

@test "the init script is content on a machine without Xen" {
    [ ! -e /proc/xen/capabilities ] || skip "this is a Xen host"
    init_script
    echo "XLPOLICYD_OPTS='-f $CONF --socket $SOCKET'" >>"$DIR/default"
    run -0 "$DIR/init" start
    [ "${lines[1]}" = "xlpolicyd not started" ]
}

@test "the init script ignores a pidfile that names another program" {
    init_script
    echo $$ >"$PIDFILE"
    run -1 "$DIR/init" status
    run -0 "$DIR/init" stop
    [ "$output" = "xlpolicyd is not running" ]
}
