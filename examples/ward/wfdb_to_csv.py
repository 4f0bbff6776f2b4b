#!/usr/bin/env python3
"""Turns a record of PhysioNet's WFDB format into a CSV file that `tidegate sim` replays.

    wfdb_to_csv.py RECORD.hea OUT.csv --columns MLII=mlii V5=v5 [--from 0] [--seconds 180]
                   [--off mlii 20 40] [--silent 30 42]

Reads signals stored in formats 212 and 16 with one sample per frame or several (the mean of a frame is taken), as
https://physionet.org/physiotools/wag/header-5.htm and signal-5.htm describe them. `--off COLUMN FROM TO` puts the
amplifier's lower rail in the place of a column, as an electrode that fell off gives; `--silent FROM TO` leaves the
noise of the base line and no beat in all columns. Both are faults that the record does not have: say so where you use
them. Needs nothing but Python.
"""

import argparse
import pathlib
import random
import re
import struct


class Signal:
    def __init__(self, line):
        fields = line.split()
        self.file = fields[0]
        self.format, per_frame, _, offset = re.match(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$", fields[1]).groups()
        self.per_frame = int(per_frame or 1)
        self.offset = int(offset or 0)
        gain, baseline = re.match(r"([\d.e+]+)(?:\((-?\d+)\))?", fields[2]).groups()
        self.zero = int(fields[4])
        self.gain = float(gain)
        self.baseline = int(baseline) if baseline else self.zero
        self.name = fields[8]


def read_header(path):
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    fields = lines[0].split()
    return float(fields[2].split("/")[0]), [Signal(line) for line in lines[1 : 1 + int(fields[1])]]


def samples_212(data):
    """Two samples of 12 bits in three bytes, two's complement."""
    for at in range(0, len(data) - 2, 3):
        low, middle, high = data[at : at + 3]
        for value in (low | (middle & 0x0F) << 8, high | (middle & 0xF0) << 4):
            yield value - 4096 if value >= 2048 else value


def read_samples(folder, signals):
    data = (folder / signals[0].file).read_bytes()[signals[0].offset :]
    if signals[0].format == "212":
        return list(samples_212(data))
    if signals[0].format == "16":
        return [value for (value,) in struct.iter_unpack("<h", data[: len(data) // 2 * 2])]
    raise SystemExit(f"{signals[0].file}: format {signals[0].format} is not read, only 212 and 16")


def frames(signals, samples):
    """Each frame's values in physical units, by the name of the signal."""
    width = sum(signal.per_frame for signal in signals)
    for start in range(0, len(samples) - width + 1, width):
        values, at = {}, start
        for signal in signals:
            mean = sum(samples[at : at + signal.per_frame]) / signal.per_frame
            values[signal.name] = (mean - signal.baseline) / signal.gain
            at += signal.per_frame
        yield values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("header", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--columns", nargs="+", required=True, metavar="SIGNAL=column")
    parser.add_argument("--from", dest="start", type=float, default=0, help="seconds into the record")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--off", nargs=3, metavar=("COLUMN", "FROM", "TO"))
    parser.add_argument("--silent", nargs=2, type=float, metavar=("FROM", "TO"))
    arguments = parser.parse_args()
    rate, signals = read_header(arguments.header)
    columns = dict(pair.split("=") for pair in arguments.columns)
    rows = list(frames(signals, read_samples(arguments.header.parent, signals)))
    first = round(arguments.start * rate)
    noise = random.Random(1)
    off_column, off_from, off_to = arguments.off or (None, 0, 0)
    with arguments.out.open("w") as out:
        out.write("t_ms," + ",".join(columns.values()) + "\n")
        for number, values in enumerate(rows[first : first + round(arguments.seconds * rate)]):
            second = number / rate
            row = {column: values[signal] for signal, column in columns.items()}
            if arguments.silent and arguments.silent[0] <= second < arguments.silent[1]:
                row = {column: noise.gauss(-0.3, 0.01) for column in row}
            if off_column and float(off_from) <= second < float(off_to):
                row[off_column] = -5.12
            out.write(
                f"{round(second * 1000)},"
                + ",".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in row.values())
                + "\n"
            )


if __name__ == "__main__":
    main()
