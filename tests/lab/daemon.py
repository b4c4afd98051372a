# SPDX-License-Identifier: LGPL-2.1-only
"""xlpolicyd in a laboratory host's dom0, and its command line."""

import json

from common import LabError

CONFIG = "/etc/xlpolicy/xlpolicyd.conf"
LOG = "/var/log/xlpolicyd.log"
PID = "/run/lab/xlpolicyd.pid"

# Until what dom0 did to start the daemon is forgotten, and a vCPU may move again.
START_TICKS = 14


class Daemon:
    """Starts, asks and ends the daemon; settings are those of xlpolicyd.conf."""

    def __init__(self, host, environment=""):
        self.host = host
        self.environment = environment  # "NAME=VALUE ...", for the daemon alone

    def start(self, mode="act", options="", **settings):
        """Writes the configuration, starts the daemon in the background, waits until it answers."""
        lines = [f'mode = "{mode}"'] + [_setting(*item) for item in settings.items()]
        self.host.run(f"cat >{CONFIG} <<'EOF'\n" + "\n".join(lines) + "\nEOF\n")
        self.restart(options)

    def restart(self, options=""):
        """Starts the daemon with the configuration that is there."""
        self.host.run(f"{self.environment} setsid xlpolicyd -F {options} >>{LOG} 2>&1 </dev/null & echo $! >{PID}")
        self.host.until("xlpolicyd answers", lambda: self.host.sh("xlpolicy status")[0] == 0, 180, 1)

    def kill(self, signal="KILL"):
        """Ends it, with no chance to tidy up unless the signal gives one."""
        self.host.run(f"pid=$(cat {PID}); kill -{signal} $pid && "
                      "while kill -0 $pid 2>/dev/null; do sleep 0.1; done")

    def cli(self, arguments):
        """`xlpolicy ARGUMENTS`: its output; LabError if it fails."""
        return self.host.run(f"xlpolicy {arguments}")

    def json(self, arguments):
        return json.loads(self.cli(f"--json {arguments}"))


def running(host, environment="", **settings):
    """A daemon that is already at work."""
    daemon = Daemon(host, environment)
    daemon.start(**settings)
    return daemon


def _setting(name, value):
    if isinstance(value, (int, float)):
        return f"{name} = {value}"
    if isinstance(value, str):
        return f'{name} = "{value}"'
    if isinstance(value, list):
        return f"{name} = [ {', '.join(json.dumps(item) for item in value)} ]"
    raise LabError(f"no way to write the setting {name} = {value!r}")
