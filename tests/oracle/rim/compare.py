#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same realms, described to cca-realm-measurements and to `vouchsafe rim`: the RIMs must be equal.

Version 0.1.0, which is what its registry has, differs from what is computed here in three ways that
are known, and which the comparison goes around:
- its devicetree of QEMU is an older one, so the RIM is computed here with the tool's (--dtb);
- it measures no RIPAS of RAM for cloud-hypervisor, so the RIM is that of a description (rim image)
  whose RAM is named as memory that is left alone; the devicetree must be ours to the bit;
- firmware of QEMU and everything of kvmtool is left out: the tool does not know the flash's RIPAS
  yet, and fails on kvmtool's devicetree. Both have known answers in the unit tests.

usage: compare.py REALM-MEASUREMENTS VOUCHSAFE CASES
"""
import os
import random
import struct
import subprocess
import sys
import tempfile

theirs, ours, cases = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
pick = random.Random(20260101)
HOSTS = (["--num-bps", "6", "--num-wps", "4", "--ipa-bits", "52", "--pmu-num-ctrs", "6"],
         ["--num-bps", "2", "--num-wps", "16", "--ipa-bits", "48", "--pmu-num-ctrs", "0", "--sve-vl", "512"],
         ["--num-bps", "16", "--num-wps", "2", "--ipa-bits", "44", "--pmu-num-ctrs", "31", "--lpa2", "false"])
CMDLINES = (None, "console=hvc0", "root=/dev/vda2 ro quiet init=/bin/sh -- a=b")


def run(*args):
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"rim-oracle: {' '.join(args)}\n{done.stderr}")
    return done.stdout


def write(name, content):
    with open(name, "wb") as f:
        f.write(content)
    return name


def kernel(text_offset):
    """An arm64 Image (Documentation/arch/arm64/booting.rst) of random bytes."""
    body = pick.randbytes(pick.randrange(1, 300000))
    clears = pick.choice([0, 4096, 1000000])
    header = struct.pack("<IIQQQQQQII", 0x14000010, 0, text_offset, 64 + len(body) + clears, 0, 0, 0, 0, 0x644d5241, 0)
    return write("Image", header + body)


def inputs(vmm_flags, text_offsets):
    """Options of both tools for a kernel, perhaps an initrd and a command line, or for none."""
    their, vmm, our = [], [], []
    if pick.random() < 0.9:
        image = kernel(pick.choice(text_offsets))
        their, vmm, our = ["-k", image], [vmm_flags[0], "k"], ["-k", image]
        if pick.random() < 0.7:
            initrd = write("initrd", pick.randbytes(pick.choice([1, 4095, 4096, 4097, 70000])))
            their += ["-i", initrd]
            vmm += [vmm_flags[1], "i"]
            our += ["-i", initrd]
    text = pick.choice(CMDLINES)
    if text:
        vmm += [vmm_flags[2], text]
        our += ["-p", text]
    return their, vmm, our


def their_rim(host, their, command, vmm):
    return run(theirs, *host, *their, "--output-dtb", "theirs.dtb", command, *vmm).split()[1]


def padded(rim):
    return rim.strip().ljust(128, "0")


def qemu():
    host, ram, cpus = pick.choice(HOSTS), pick.randrange(32, 700), pick.randrange(1, 9)
    their, vmm, our = inputs(("-kernel", "-initrd", "-append"), (0, 0x80000, 0x1000))
    vmm += ["-M", "virt", "-m", f"{ram}M", "-smp", str(cpus)]
    our += ["-m", f"{ram}M", "-c", str(cpus)]
    digest = pick.choice([None, "sha256", "sha512"])
    if digest:
        vmm += ["-object", f"rme-guest,id=rme0,measurement-algo={digest}"]
        our += ["--hash", digest]
    if pick.random() < 0.3:
        their += ["--pmu", "true"]  # what the host has; this version ignores QEMU's option
        our += ["--pmu"]
    want = their_rim(host, their, "qemu", vmm)
    return want, padded(run(ours, "rim", "qemu", *host, *our, "--dtb", "theirs.dtb", "-o", "hex")), vmm


def image_of_plan(host, report):
    """What `rim cloud-hypervisor` would measure, with its RAM as memory that is left alone."""
    values = dict(zip(host[::2], host[1::2]))
    lines = ['hash = "sha512"', 'rmm = "1.0"', "[realm]", "ipa_bits = 48", "sve_vl = 0"]
    lines += [f"{key} = {values['--' + key.replace('_', '-')]}" for key in ("num_bps", "num_wps")]
    lines += ["[[rom]]", "base = 0x40000000", f"size = {report['ram']}"]
    for address, name, is_kernel in report["data"]:
        lines += ["[[data]]", f"address = {address}", f'file = "{name}"'] + (["kernel = true"] if is_kernel else [])
    lines += ["[[rec]]", "pc = 0x40400000", "gprs = [0x40000000]"]
    return write("plan.toml", "\n".join(lines).encode())


def cloud_hypervisor():
    host, ram, cpus = pick.choice(HOSTS[:2]), pick.randrange(32, 700), pick.randrange(1, 9)
    their, vmm, our = inputs(("--kernel", "--initramfs", "--cmdline"), (0, 0x80000, 0x1000))
    vmm += ["--memory", f"size={ram}M", "--cpus", f"boot={cpus}"]
    our += ["-m", f"{ram}M", "-c", str(cpus)]
    if pick.random() < 0.5:
        vmm += ["--serial", "off"]
        our += ["--no-serial"]
    want = their_rim(host, their, "cloud-hv", vmm)
    run(ours, "rim", "cloud-hypervisor", *host, *our, "--output-dtb", "ours.dtb", "-o", "hex")
    with open("theirs.dtb", "rb") as a, open("ours.dtb", "rb") as b:
        if a.read() != b.read():
            return want, "another devicetree", vmm
    size = ram << 20
    data = [(0x40000000, "ours.dtb", False)]
    if "-k" in our:
        data.append((0x40400000, "Image", True))
    if "-i" in our:
        data.append((0x40000000 + size - (os.path.getsize("initrd") + 4095) // 4096 * 4096, "initrd", False))
    plan = image_of_plan(host, {"ram": size, "data": data})
    return want, padded(run(ours, "rim", "image", plan, "-o", "hex")), vmm


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    for n in range(cases):
        want, got, about = (qemu, cloud_hypervisor)[n % 2]()
        if want != got:
            raise SystemExit(f"rim-oracle: case {n}: {' '.join(about)}\n  theirs {want}\n  ours   {got}")
print(f"rim-oracle: {cases} realms agree")
