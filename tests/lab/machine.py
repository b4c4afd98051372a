# SPDX-License-Identifier: LGPL-2.1-only
"""The emulated machine: a QEMU process, its command line, and its control connection (QMP)."""

import ctypes
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from common import LabError, until
from profiles import LINUX_OPTIONS

QEMU = "qemu-system-x86_64"

# Why each feature is taken away stands in README.md, "What had to be worked around".
CPU = ("EPYC,-monitor,-smap,-rdtscp,-xsave,-xsaveopt,-xsavec,-xgetbv1,-avx,-avx2,-f16c,-fma,"
       "-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,-nrip-save")

# The drives that carry files into and out of dom0 have one size, since a saved state remembers it.
DRIVE_MIB = 256

BOOT_TIMEOUT_S = 300
LOAD_TIMEOUT_S = 120


def version():
    """What identifies this QEMU in a saved state's key."""
    path = shutil.which(QEMU)
    if not path:
        raise LabError(f"{QEMU} is not installed: run make deps")
    state = os.stat(path)
    return f"{path} {state.st_size} {state.st_mtime_ns}"


class Machine:
    """A running QEMU. Ends with its `with` block, and with this process in any case."""

    def __init__(self, profile, images, state=None):
        """Starts a machine of this profile: booting, or from the state saved in a file."""
        sweep()
        self.directory = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        self.process = self.qmp = None
        try:
            for name in ("to-dom0", "from-dom0"):
                with open(self.path(name), "wb") as drive:
                    drive.truncate(DRIVE_MIB << 20)
            self._start(command_line(profile, images), state)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        """A file of this machine's own: its drives, serial.log, qemu.log, sockets."""
        return os.path.join(self.directory, name)

    def connect(self, name):
        """A connection to one of the machine's sockets."""
        def attempt():
            self.check_alive()
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self.path(name))
                return connection
            except OSError:
                connection.close()
                return None
        return until(f"QEMU opens its {name}", attempt, 60, every=0.01)

    def check_alive(self):
        """LabError with QEMU's last words if it has ended."""
        if self.process.poll() is not None:
            raise LabError(f"QEMU ended: {last_line(self.path('qemu.log')) or 'without a word'}")

    def scheduling(self):
        """Nanoseconds that QEMU's threads have run, and that they waited for a host processor."""
        tasks = os.listdir(f"/proc/{self.process.pid}/task")
        times = [self._thread_times(task) for task in tasks]
        return sum(run for run, _ in times), sum(wait for _, wait in times)

    def pcpu_run_ns(self):
        """Nanoseconds that the real machine has run each pCPU of this one, {number: ns}."""
        return {cpu["cpu-index"]: self._thread_times(cpu["thread-id"])[0]
                for cpu in self.qmp.ask("query-cpus-fast")}

    def _thread_times(self, thread):
        try:
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                run, wait, _ = file.read().split()
        except (FileNotFoundError, ProcessLookupError):
            return 0, 0  # a thread that has ended since
        return int(run), int(wait)

    def load_drive(self, contents):
        """Puts an archive on the drive that dom0 reads; it may do so again and again."""
        if len(contents) > DRIVE_MIB << 20:
            raise LabError(f"more than {DRIVE_MIB} MiB of files for dom0 at a time")
        with open(self.path("to-dom0"), "r+b") as drive:
            drive.write(contents)

    def save(self, path):
        """Writes the state of the machine to a file. The machine stays stopped afterwards."""
        self.qmp.ask("stop")
        self.qmp.ask("migrate-set-parameters", **{"max-bandwidth": 100 << 30})
        self.qmp.ask("migrate", uri="exec:cat > " + shlex.quote(path))
        until("the machine's state is saved", lambda: self._migrated("completed"), LOAD_TIMEOUT_S,
              every=0.05)

    def close(self):
        """Ends QEMU and removes the machine's files. May be called at any time, and twice."""
        if self.qmp:
            self.qmp.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, argv, state):
        if state:
            argv = argv + ["-incoming", "exec:cat " + shlex.quote(state)]
        with open(self.path("qemu.log"), "wb") as log:
            try:
                self.process = subprocess.Popen(argv, cwd=self.directory, stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, start_new_session=True,
                                                preexec_fn=_die_with_parent)
            except FileNotFoundError:
                raise LabError(f"{QEMU} is not installed: run make deps") from None
        self.qmp = Qmp(self.connect("qmp.sock"))
        if state:
            until("the saved state is loaded", self._loaded, LOAD_TIMEOUT_S, every=0.01)

    def _loaded(self):
        self.check_alive()
        status = self.qmp.ask("query-status")["status"]
        if status == "paused" and self._migrated("completed"):
            self.qmp.ask("cont")
            return False
        return status == "running"

    def _migrated(self, wanted):
        status = self.qmp.ask("query-migrate").get("status")
        if status == "failed":
            raise LabError("QEMU cannot save or load the machine's state: "
                           + (last_line(self.path("qemu.log")) or "it does not say why"))
        return status == wanted


class Qmp:
    """QEMU's machine protocol: one JSON object a line, a request and its answer at a time."""

    def __init__(self, connection):
        connection.settimeout(LOAD_TIMEOUT_S)
        self.connection = connection
        self.lines = connection.makefile("rb")
        self._next()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        try:
            self.connection.sendall(json.dumps(request).encode() + b"\n")
            while True:
                answer = self._next()
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise LabError(f"QEMU refused {command}: {answer['error']['desc']}")
        except OSError as error:
            raise LabError(f"QEMU does not answer {command}: {error}") from None

    def close(self):
        self.lines.close()
        self.connection.close()

    def _next(self):
        line = self.lines.readline()
        if not line:
            raise LabError("QEMU closed its control connection")
        return json.loads(line)


def command_line(profile, images):
    """QEMU's arguments. A saved state can only be loaded by the same ones."""
    file = lambda name: os.path.join(images, name)
    xen = ("console=com1 com1=115200,8n1 cpuidle=0 bootscrub=0 spec-ctrl=eager-fpu dom0_vcpus_pin "
           f"dom0_mem={profile.dom0_memory_mib}M,max:{profile.dom0_memory_mib}M "
           f"dom0_max_vcpus={profile.dom0_vcpus} {profile.xen_options}").strip()
    linux = f"console=hvc0 {LINUX_OPTIONS}"
    argv = [
        QEMU, "-accel", "tcg,thread=multi", "-cpu", CPU, "-m", f"{profile.memory_mib}M",
        "-smp", f"{profile.pcpus},sockets={profile.sockets}",
        "-display", "none", "-no-reboot", "-nodefaults",
        "-chardev", "socket,id=s0,path=console.sock,server=on,wait=off,logfile=serial.log",
        "-serial", "chardev:s0",
        "-chardev", "socket,id=s1,path=agent.sock,server=on,wait=off", "-serial", "chardev:s1",
        "-qmp", "unix:qmp.sock,server=on,wait=off",
        "-drive", "if=none,id=d0,file=to-dom0,format=raw,readonly=on",
        "-device", "virtio-blk-pci,drive=d0",
        "-drive", "if=none,id=d1,file=from-dom0,format=raw,cache=unsafe",
        "-device", "virtio-blk-pci,drive=d1",
        "-kernel", file("xen"), "-append", xen,
        "-initrd", f"{_escaped(file('vmlinux'))} {linux},{_escaped(file('dom0.cpio'))}",
    ]
    if profile.numa_nodes > 1:
        argv += _numa(profile)
    if profile.passthrough:
        argv += ["-machine", "q35", "-device", "intel-iommu,intremap=on,aw-bits=48",
                 "-device", "edu,addr=6", "-device", "VGA,addr=7.0,multifunction=on",
                 "-device", "intel-hda,addr=7.1",
                 # A PCI bus on the second node: the firmware's tables (_PXM) say so, dom0 tells Xen.
                 "-device", "pxb-pcie,id=far,bus_nr=128,numa_node=1",
                 "-device", "pcie-root-port,id=far1,bus=far,chassis=1,hotplug=off",
                 "-netdev", "user,id=n0", "-device", "e1000e,bus=far1,netdev=n0"]
    return argv


PREFIX = "xlpolicy-lab-"


def sweep():
    """Removes the directories of laboratories whose process was killed before it could."""
    for name in os.listdir(tempfile.gettempdir()):
        pid = name[len(PREFIX):].split("-")[0]
        if name.startswith(PREFIX) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)


def last_line(path):
    """The last line of a log file that says anything; an empty string if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            lines = [line.strip() for line in log if line.strip()]
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _numa(profile):
    """One node for each equal share of the memory and the pCPUs."""
    argv = []
    cpus = profile.pcpus // profile.numa_nodes
    for node in range(profile.numa_nodes):
        argv += ["-object", f"memory-backend-ram,id=m{node},"
                            f"size={profile.memory_mib // profile.numa_nodes}M",
                 "-numa", f"node,nodeid={node},memdev=m{node},"
                          f"cpus={node * cpus}-{(node + 1) * cpus - 1}"]
    return argv


def _escaped(path):
    """QEMU splits -initrd at commas; a doubled one stands for itself. Spaces it cannot take."""
    if " " in path:
        raise LabError(f"QEMU cannot load modules from a path with a space in it: {path}")
    return path.replace(",", ",,")


def _die_with_parent():
    """In the child, before QEMU runs: it must not outlive a test that was killed."""
    pr_set_pdeathsig = 1
    _LIBC.prctl(pr_set_pdeathsig, signal.SIGKILL)


_LIBC = ctypes.CDLL(None)
