#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What other programs are told: Prometheus by the daemon's file and by `export openmetrics`, and
# Ganeti's balancer by `export hbal`; both are asked what they make of it.

bats_require_minimum_version 1.5.0
load helpers

PROMTOOL=build/unpacked/prometheus/usr/bin/promtool

setup() {
    helpers_setup
    METRICS=$DIR/xlpolicy.prom
    printf 'tick_ms = 100\nmetrics_file = "%s"\n' "$METRICS" >"$CONF"
}

teardown() {
    helpers_teardown
}

xlpolicy() {
    run --separate-stderr "$XLPOLICY" "$@"
}

# Has the metrics written now, not only every ten seconds.
write_metrics_now() {
    rm -f "$METRICS"
    kill -HUP "$DAEMON_PID"
    wait_for test -e "$METRICS"
}

ticked() {
    [ "$(ask_for status 'r["ticks"]')" -ge "$1" ]
}

# ---- metrics ----

@test "the metrics file: what promtool finds nothing wrong with, readable by all" {
    start_daemon
    wait_for ticked 5
    write_metrics_now
    cp "$METRICS" "$DIR/copy"
    run -0 "$PROMTOOL" check metrics <"$DIR/copy"
    [ -z "$output" ]
    [ "$(stat -c %a "$METRICS")" = 644 ]
    grep -q '^xlpolicy_mode{mode="advise"} 1$' "$DIR/copy"
    grep -q '^xlpolicy_domain_cpu_demand_pcpus{domain="vm8",domid="8"} 1$' "$DIR/copy"
    grep -q '^xlpolicy_verdicts{reason="cpu-operator-pin",resource="cpu"} 8$' "$DIR/copy"
    [ ! -e "$METRICS.tmp" ]
}

@test "the metrics file goes when the daemon ends, or is told of another place" {
    start_daemon
    wait_for test -e "$METRICS"
    sed -i "s|xlpolicy.prom|other.prom|" "$CONF"
    kill -HUP "$DAEMON_PID"
    wait_for test -e "$DIR/other.prom"
    [ ! -e "$METRICS" ]
    stop_daemon
    [ ! -e "$DIR/other.prom" ]
}

@test "without metrics_file none is written" {
    echo 'tick_ms = 100' >"$CONF"
    start_daemon
    wait_for ticked 3
    run ! ls "$DIR"/*.prom
}

@test "a metrics file that cannot be written is told once, and the work goes on" {
    sed -i "s|xlpolicy.prom|nowhere/xlpolicy.prom|" "$CONF"
    start_daemon
    wait_for grep -q 'cannot write the metrics' "$LOG"
    wait_for ticked 3
    kill -HUP "$DAEMON_PID"
    wait_for ticked 6
    [ "$(grep -c "cannot write the metrics to $DIR/nowhere/xlpolicy.prom: No such file" "$LOG")" -eq 1 ]
    mkdir "$DIR/nowhere"
    kill -HUP "$DAEMON_PID"
    wait_for grep -q 'can be written to .* again' "$LOG"
}

@test "no link in the directory is followed" {
    echo precious >"$DIR/victim"
    ln -s victim "$METRICS.tmp"
    ln -s victim "$METRICS"
    start_daemon
    wait_for test ! -L "$METRICS"
    [ "$(cat "$DIR/victim")" = precious ]
    grep -q xlpolicy_build_info "$METRICS"
}

@test "metrics_file has to be absolute" {
    echo 'metrics_file = "xlpolicy.prom"' >"$CONF"
    run -1 "$XLPOLICYD" -n -f "$CONF"
    [ "$output" = "xlpolicyd: $CONF:1: metrics_file: should be a path that begins with / and is not too long" ]
}

# The names of its series, sorted; without those of reasons, which change with time.
series() {
    grep -vE "^#|reason=" | sed "s/ [^ ]*\$//" | LC_ALL=C sort
}

@test "export openmetrics: OpenMetrics to the letter, and the same series as in the file" {
    start_daemon
    wait_for ticked 5
    write_metrics_now
    xlpolicy --socket "$SOCKET" export openmetrics
    ends 0
    /usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
families = {family.name: family for family in parse(sys.stdin.read())}
assert families["xlpolicy_ticks"].type == "counter"
assert families["xlpolicy_domain_memory_actual_bytes"].unit == "bytes"
assert len(families["xlpolicy_domain_memory_actual_bytes"].samples) == 9' <<<"$output"
    diff <(series <<<"$output") <(series <"$METRICS")
}

@test "export openmetrics without a daemon: the host alone" {
    xlpolicy --host "sim:$SCENARIOS/M2.json" --ticks 3 export openmetrics
    ends 0
    has 'xlpolicy_domain_memory_need_bytes{domain="vm1",domid="1"} '
    [[ $output != *xlpolicy_mode* ]]
    [ "${lines[-1]}" = '# EOF' ]
}

@test "the dashboard and the alerts ask for metrics that there are, in terms Prometheus knows" {
    local dashboard=docs/grafana-dashboard.json names
    # Each expression of the dashboard as a rule, with Grafana's variables filled in.
    jq -r '"groups: [{name: dashboard, rules: [",
           (.panels[].targets[].expr | gsub("\\$__rate_interval"; "5m") |
            "{record: \"x\", expr: \(tojson)},"), "]}]"' $dashboard >"$DIR/dashboard.yml"
    run -0 "$PROMTOOL" check rules --lint=none "$DIR/dashboard.yml"
    sed -n '/^groups:/,/^```/p' docs/metrics.md | grep -v '^```' >"$DIR/alerts.yml"
    run -0 "$PROMTOOL" check rules "$DIR/alerts.yml"
    has '6 rules found'
    names=$(cat "$DIR/dashboard.yml" "$DIR/alerts.yml" docs/clusters.md | grep -o 'xlpolicy_[a-z_]*')
    [ "$(wc -w <<<"$names")" -gt 30 ]
    for name in $names; do
        grep -q "^| \`$name\` |" docs/metrics.md || { echo "no metric $name" >&2; return 1; }
    done
}

# ---- hbal ----

# guests FILE LOAD_PCT NAME...: a host of four pCPUs with these guests, all with that load but for
# the first two, which want all they can get.
guests() {
    local file=$1 load=$2 hot=$3 name list=
    shift 3
    for name; do
        list+="${list:+, }{\"name\": \"$name\", \"load_pct\": $([[ " $hot " == *" $name "* ]] &&
            echo 90 || echo "$load"), \"vcpus\": 2}"
    done
    printf '{"xlpolicy_scenario": 1, "title": "node", "host": {"pcpus": 4}, "run_s": 600,
             "guests": [%s]}' "$list" >"$file"
}

# A cluster of two nodes that Ganeti takes for balanced: four instances on each, all of one size, with
# their secondaries on the other node.
cluster() {
    local i
    echo 'group|g|preferred||'
    echo
    echo 'node1|16384|0|12288|102400|20480|8|M|g|1||N|0|1|1.0'
    echo 'node2|16384|0|12288|102400|20480|8|N|g|1||N|0|1|1.0'
    echo
    for i in 1 2 3 4; do echo "vm$i|1024|10240|1|running|Y|node1|node2|drbd||1|1|N"; done
    for i in 5 6 7 8; do echo "vm$i|1024|10240|1|running|Y|node2|node1|drbd||1|1|N"; done
    echo
    echo
    echo '|128,1,1024,1,1,1|128,1,1024,1,1,1;32768,8,1048576,16,8,12|drbd|4.0|32.0'
}

@test "export hbal: with what the guests want, hbal finds the moves that it did not see" {
    guests "$DIR/node1.json" 4 "vm1 vm2" vm1 vm2 vm3 vm4
    guests "$DIR/node2.json" 4 "" vm5 vm6 vm7 vm8
    cluster >"$DIR/cluster"
    run -0 hbal -t "$DIR/cluster"
    has 'No solution found'

    for node in node1 node2; do
        xlpolicy --host "sim:$DIR/$node.json" --ticks 5 export hbal
        ends 0
        echo "$output" >>"$DIR/util"
    done
    [ "$(wc -l <"$DIR/util")" -eq 8 ]
    grep -qE '^vm1 0\.4[0-9]* 0\.[0-9]* 1 0$' "$DIR/util"
    grep -qE '^vm5 0\.0[0-9]* 0\.[0-9]* 1 0$' "$DIR/util"

    # One of the two busy ones leaves, an idle one comes in its place.
    run -0 hbal -t "$DIR/cluster" -U "$DIR/util" -C
    has 'Solution length=2'
    moved=$(grep -o 'gnt-instance migrate -f vm[0-9]' <<<"$output" | grep -o 'vm[0-9]' | sort | xargs)
    [[ $moved =~ ^vm[12]\ vm[5678]$ ]]
}

@test "export hbal: a name that hbal would pass over is left out and named, exit 1" {
    guests "$DIR/node.json" 4 "" vm1 stranger
    printf 'vm1\nvm2\n' >"$DIR/instances"
    xlpolicy --host "sim:$DIR/node.json" export hbal --instances "$DIR/instances"
    ends 1 'xlpolicy: export: stranger left out: not among the instances'
    [[ $output =~ ^vm1\ 0\.[0-9]{4}\ 0\.[0-9]{4}\ 1\ 0$ ]]

    guests "$DIR/node.json" 4 "" vm1 'two words'
    xlpolicy --host "sim:$DIR/node.json" export hbal
    ends 1 'xlpolicy: export: two words left out: Ganeti has no such names'
    [ "${#lines[@]}" -eq 1 ]

    xlpolicy --host "sim:$DIR/node.json" export hbal -i "$DIR/none"
    ends 1 "xlpolicy: cannot read $DIR/none: No such file or directory"
}

@test "export hbal: the mean over a time, from the daemon" {
    guests "$DIR/node.json" 4 "vm1 vm2" vm1 vm2 vm3
    SCENARIO=$DIR/node.json
    start_daemon
    wait_for ticked 3
    xlpolicy --socket "$SOCKET" export hbal --for 2s
    ends 0
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[0]} =~ ^vm1\ 0\.4 ]]
}

@test "export: usage" {
    local see='; see `xlpolicy help export`'
    xlpolicy export
    ends 2 "xlpolicy: export: needs hbal or openmetrics$see"
    xlpolicy export csv
    ends 2 "xlpolicy: export: \"csv\" is neither hbal nor openmetrics$see"
    xlpolicy export hbal --for ever
    ends 2 "xlpolicy: export: --for ever is not like 90s, 5m, 2h or 1d$see"
    xlpolicy export openmetrics --for 5m
    ends 2 "xlpolicy: export: --for and --instances are for hbal$see"
    xlpolicy --socket "$DIR/none.sock" --host daemon export hbal
    [ "$status" -eq 3 ]
}
