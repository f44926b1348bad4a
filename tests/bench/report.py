# SPDX-License-Identifier: BSD-2-Clause
"""The table as text: printed as it comes, kept for the file."""

WIDTH = 62


def short(value):
    """Three figures, without an exponent; no fraction where there is none."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Report:
    def __init__(self, stream):
        self.stream = stream
        self.lines = []
        self.reached = self.fell_short = self.missing = 0

    def say(self, line):
        self.lines.append(line)
        print(line, file=self.stream, flush=True)

    def title(self, text):
        self.say("")
        self.say(text)

    def figures(self, text):
        """What was measured, without a judgement."""
        self.say("  " + text)

    def judge(self, what, value, asked, unit="", at_most=False):
        """One figure that was asked for."""
        good = value <= asked if at_most else value >= asked
        self.reached += good
        self.fell_short += not good
        figure = f"{short(value)}{unit}"
        limit = f"{'<=' if at_most else '>='} {short(asked)}{unit}"
        self.say(f"    {what:{WIDTH}} {figure:>10}  asked {limit:<12} "
                 f"{'PASS' if good else 'short'}")

    def not_measured(self, what, why):
        self.missing += 1
        self.say(f"    {what:{WIDTH}} not measured: {why}")

    def sum(self):
        return (f"{self.reached} figures reached, {self.fell_short} short, "
                f"{self.missing} not measured")

    def text(self):
        return "\n".join(self.lines) + "\n"
