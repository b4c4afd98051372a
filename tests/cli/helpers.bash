# SPDX-License-Identifier: LGPL-2.1-only
# What the tests of the programs share: where things are, and a daemon on a simulated host.

cd "$BATS_TEST_DIRNAME/../.." || exit 1
: "${XLP_BUILD:=build}"
XLPOLICYD=$PWD/$XLP_BUILD/xlpolicyd
XLPOLICY=$PWD/$XLP_BUILD/xlpolicy
SCENARIOS=$PWD/tests/scenarios
NO_XEN='/proc/xen/capabilities is missing (is this dom0, and is xenfs mounted?)'

# Each test has its own of these; whoever needs another SCENARIO sets it before starting.
helpers_setup() {
    DIR=$BATS_TEST_TMPDIR
    SOCKET=$DIR/control.sock PIDFILE=$DIR/pid LOG=$DIR/log CONF=$DIR/xlpolicyd.conf
    SCENARIO=$SCENARIOS/C1.json
    DAEMON_PID=
    printf 'tick_ms = 100\ncpu_affinity = "hard"\nadopt = 1\n' >"$CONF"
}

helpers_teardown() {
    # One that went to the background has written who it is.
    [ -n "$DAEMON_PID" ] || DAEMON_PID=$(cat "$PIDFILE" 2>/dev/null || true)
    if [ -n "$DAEMON_PID" ] && [ "$(cat "/proc/$DAEMON_PID/comm" 2>/dev/null)" = xlpolicyd ]; then
        kill -KILL "$DAEMON_PID" || true
        wait "$DAEMON_PID" 2>/dev/null || true
    fi
}

# Tries a command for up to ten seconds, until it succeeds.
wait_for() {
    local left=100
    until "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "never came true: $*" >&2; return 1; }
        sleep 0.1
    done
}

# Starts the daemon in the foreground with these options more, and waits until it is ready. Its log
# is in $LOG.
start_daemon() {
    : >"$LOG"
    "$XLPOLICYD" -F -f "$CONF" --host "sim:$SCENARIO" --socket "$SOCKET" --pidfile "$PIDFILE" "$@" \
        2>>"$LOG" 3>&- &
    DAEMON_PID=$!
    wait_for grep -q '^xlpolicyd: started' "$LOG"
}

stop_daemon() {
    kill -TERM "$DAEMON_PID"
    wait "$DAEMON_PID"
    DAEMON_PID=
}

# Sends lines to the control socket and prints the replies.
ask() {
    /usr/bin/python3 tests/cli/peer.py "$SOCKET" ask "$@"
}

# One without arguments, as a line.
request() {
    printf '{"xlpolicy":1,"command":"%s"}' "$1"
}

# ask_for COMMAND EXPRESSION: prints a Python expression of r, the result of a command.
ask_for() {
    ask "{\"xlpolicy\":1,\"command\":\"$1\"}" |
        /usr/bin/python3 -c 'import json, sys
r = json.load(sys.stdin)["result"]
print(eval(sys.argv[1]))' "$2"
}

# ---- what the last `run --separate-stderr` showed ----

# ends STATUS STDERR: how the last call ended, and all that it said on stderr.
ends() {
    [ "$status" -eq "$1" ] || { echo "status $status: $output $stderr" >&2; return 1; }
    [ "$stderr" = "${2-}" ] || { echo "stderr: $stderr" >&2; return 1; }
}

has() {
    [[ $output == *"$1"* ]] || { echo "not there: $1" >&2; echo "$output" >&2; return 1; }
}

has_line() {
    grep -qxF -- "$1" <<<"$output" || { echo "no line: $1" >&2; echo "$output" >&2; return 1; }
}

# json EXPRESSION: what jq makes of the output; fails when that is false or the output is not JSON.
json() {
    jq -e "$1" <<<"$output" >/dev/null || { echo "not so: $1" >&2; echo "$output" >&2; return 1; }
}
