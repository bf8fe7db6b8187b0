"""Draws the pictures of the docs, as SVG beside this file, or in the folder that is named:

    python3 docs/drawings/draw.py [FOLDER]

Standard library only. Texts must not overlap, nor leave the picture: whoever adds one that does is told so. The floors are those of
tests/check_floors.sh. A test compares what this writes with what is committed.
"""
import os
import re
import sys
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))

# Name, on light paper, on dark paper: those of core/draw/style.c.
COLOURS = [('paper', '#ffffff', '#14171c'), ('ink', '#1c2128', '#e4e7eb'), ('muted', '#57606a', '#a3acb8'),
           ('grid', '#e4e7eb', '#2a3038'), ('axis', '#8c959f', '#6b7480'), ('margin', '#fbf1d4', '#332d19'),
           ('arm', '#0068a8', '#56b4e9'), ('helps', '#00795a', '#2fc79a'), ('hurts', '#c24100', '#ff8f4d'),
           ('same', '#8a4f9e', '#d79ae8'), ('wash', '#f6f8fa', '#1d222a')]

# Of DejaVu Sans, the widest of the usual fonts, in shares of the size.
WIDTHS = {'ijl': .28, " .,:;|'": .33, '()[]/-<>!fIJ': .39, 'rt': .41, 'szck': .58, 'mMW%': .97, 'w@': .84,
          'ABCDEFGHKLNOPQRSTUVXYZ+±': .75}


def width(text, size, bold=False, code=False):
    if code:
        return len(text) * .602 * size
    shares = (next((share for letters, share in WIDTHS.items() if letter in letters), .63) for letter in text)
    return sum(shares) * size * (1.1 if bold else 1)


class Drawing:
    def __init__(self, name, title, wide, high):
        self.name, self.title, self.wide, self.high = name, title, wide, high
        self.parts, self.texts = [], []

    def text(self, x, y, text, kind='ink', size=12, anchor='start', bold=False, code=False):
        """One line whose baseline is at y."""
        long = width(text, size, bold, code)
        left = x - {'start': 0, 'middle': long / 2, 'end': long}[anchor]
        place = (left, y - .8 * size, left + long, y + .25 * size)
        if place[0] < 0 or place[1] < 0 or place[2] > self.wide or place[3] > self.high:
            raise SystemExit(f'{self.name}: "{text}" leaves the picture: {place}')
        for other, taken in self.texts:
            if place[0] < taken[2] and taken[0] < place[2] and place[1] < taken[3] and taken[1] < place[3]:
                raise SystemExit(f'{self.name}: "{text}" overlaps "{other}"')
        self.texts.append((text, place))
        style = ' font-weight="600"' if bold else ''
        self.parts.append(f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" '
                          f'class="fill-{kind}{" code" if code else ""}"{style}>{escape(text)}</text>')

    def box(self, x, y, wide, high, edge='axis', fill='paper', round=4, thick=1, dashes=False):
        dashed = ' stroke-dasharray="4 3"' if dashes else ''
        self.parts.append(f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="{round}" '
                          f'class="fill-{fill} edge-{edge}" stroke-width="{thick}"{dashed}/>')

    def label(self, x, y, wide, high, text, edge='axis', kind='ink', round=4, size=12, bold=False, thick=1):
        """A box with one line of text in its middle."""
        if width(text, size, bold) > wide - 8:
            raise SystemExit(f'{self.name}: "{text}" does not fit its box')
        self.box(x, y, wide, high, edge, round=round, thick=thick)
        self.text(x + wide / 2, y + high / 2 + .36 * size, text, kind, size, 'middle', bold)

    def line(self, *points, kind='axis', thick=1.5, arrow=False, dashes=False):
        path = 'M' + ' L'.join(f'{x:g} {y:g}' for x, y in points)
        end = f' marker-end="url(#{kind})"' if arrow else ''
        dashed = ' stroke-dasharray="4 3"' if dashes else ''
        self.parts.append(f'<path d="{path}" fill="none" class="edge-{kind}" stroke-width="{thick}"{end}{dashed}/>')

    def dot(self, x, y, kind, radius=5):
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius}" class="fill-{kind}"/>')

    def write(self, folder):
        light, dark = (''.join(f'.fill-{colour[0]}{{fill:{colour[i]}}}.edge-{colour[0]}{{stroke:{colour[i]}}}'
                               for colour in COLOURS) for i in (1, 2))  # not every program that shows SVG knows variables
        heads = ''.join(f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
                        f'orient="auto"><path d="M0 0L8 4L0 8z" class="fill-{kind}"/></marker>' for kind in ('axis', 'arm'))
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.wide} {self.high}" width="{self.wide}" '
                 f'height="{self.high}" role="img" aria-labelledby="title">',
                 f'<title id="title">{escape(self.title)}</title>', '<!-- Made by docs/drawings/draw.py. -->',
                 f'<style>{light}', f'@media (prefers-color-scheme:dark){{{dark}}}',
                 "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}",
                 ".code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}</style>",
                 f'<defs>{heads}</defs>',
                 f'<rect width="{self.wide}" height="{self.high}" class="fill-paper"/>', *self.parts, '</svg>', '']
        with open(os.path.join(folder, self.name + '.svg'), 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines))


def loop():
    """The hooks and stages of docs/contract.md, where they are in a training."""
    d = Drawing('loop', 'The training loop, with the hooks and stages at which tricks act', 840, 784)
    notes = 470

    def note(y, first, tricks):
        d.text(notes, y + (12 if tricks else 17), first)
        if tricks:
            d.text(notes, y + 27, tricks, 'muted', 11)

    def hook(y, name, first, tricks=''):
        d.label(150, y, 130, 26, name, 'arm', 'arm', round=13, bold=True)
        note(y, first, tricks)

    def stage(y, name, first, tricks):
        d.label(150, y, 130, 26, name, 'helps', 'helps', thick=2, bold=True)
        note(y, first, tricks)

    def host(y, name, first):
        d.label(150, y, 130, 26, name)
        note(y, first, '')

    def frame(inset, y, end, name):
        d.box(20 + inset, y, 430 - 2 * inset, end - y)
        d.text(30 + inset, y + 17, name, 'muted')

    def arrows(*ends):
        for y in ends:
            d.line((215, y - 12), (215, y - 1), arrow=True)

    d.label(20, 14, 70, 24, 'hook', 'arm', 'arm', round=12, bold=True)
    d.text(98, 31, 'acts at one point')
    d.label(222, 14, 70, 24, 'stage', 'helps', 'helps', thick=2, bold=True)
    d.text(300, 31, 'wraps what lies inside of it')
    d.label(496, 14, 70, 24, 'host')
    d.text(574, 31, 'what knack does itself')

    frame(0, 52, 770, 'run')
    hook(60, 'run_begin', 'before the first step')
    frame(16, 94, 724, 'each epoch')
    hook(102, 'epoch_begin', 'an epoch is about to begin', 'early-stop')
    frame(32, 136, 530, 'each step')
    hook(144, 'pre_step', 'the batch is here, and may be edited', 'mixup, cutmix')
    d.box(68, 178, 334, 218, 'helps', thick=2)
    d.text(78, 196, 'gradient', 'helps', bold=True)
    note(180, 'all passes of the step; a trick may make more', 'sam, awp, fgm, pgd, freelb')
    frame(64, 206, 350, 'each micro-batch: forward')
    stage(232, 'layer', 'the output of a layer', 'mixup, cutmix, fgm, pgd, freelb')
    stage(270, 'head', 'the last layer', 'arcface, cosface, sphereface')
    stage(308, 'loss', 'one value an item', 'label-smoothing, focal, rdrop')
    host(360, 'backward', 'micro-batches summed, in true scale')
    hook(412, 'post_backward', 'the final gradient is here, and may be changed', 'grad-clip')
    host(452, 'optimizer update', 'unless a hook or stage says KNACK_SKIP_UPDATE')
    hook(492, 'post_step', 'the new weights are here', 'ema, swa, snapshot-ensemble')
    arrows(270, 308, 452, 492)
    d.line((215, 334), (215, 359), arrow=True)
    d.line((215, 386), (215, 411), arrow=True)
    hook(542, 'epoch_end', 'all steps of the epoch are done')
    frame(32, 580, 712, 'evaluation of each weight set')
    hook(606, 'eval_begin', 'these weights are in use', 'ema, swa')
    stage(642, 'predict', 'each batch of the part', 'tta, snapshot-ensemble')
    hook(678, 'eval_end', 'the metrics of these weights are known')
    hook(734, 'run_end', 'training is over', 'checkpoint-average')
    return d


def floors():
    """The floors of core/, as tests/check_floors.sh has them, and who stands on the public contract."""
    what = {'cli': 'commands, tables, progress; functions for programs that embed knack',
            'compare': 'many trainings and what they tell: plan, trials, store, inference, report',
            'train': 'the loop, passes and stages, the functions of the contract, checkpoints',
            'plugin': 'manifests, options, loading', 'model': 'parameters, layers, models', 'data': 'readers, draws, views',
            'tensor': 'tensors, the tape, operations; kernels/', 'draw': 'charts as SVG',
            'base': 'status, memory, arena, random streams, JSON, files, text, threads'}
    with open(os.path.join(HERE, '..', '..', 'tests', 'check_floors.sh'), encoding='utf-8') as file:
        rows = [line.split() for line in re.search(r"floors='\n(.*?)'", file.read(), re.S).group(1).split('\n')][::-1]
    d = Drawing('floors', 'The floors of knack: each includes only lower ones', 840, 138 + 62 * len(rows))
    for x, name, note in ((20, 'the program knack', 'a main() of one line'), (290, 'programs of yours', 'embed knack'),
                          (560, 'plugins', 'a .so and a manifest each')):
        d.box(x, 14, 260, 44, 'arm')
        d.text(x + 130, 33, name, 'arm', 13, 'middle', bold=True)
        d.text(x + 130, 50, note, 'muted', 11, 'middle')
        d.line((x + 130, 58), (x + 130, 73), arrow=True)
    d.box(20, 74, 800, 30, 'helps', thick=2)
    d.text(420, 94, 'include/knack/: the public contract: knack.h for programs, plugin.h and tensor.h for plugins', 'ink', 12,
           'middle')
    d.text(24, 124, 'libknack.so: each floor includes only lower ones', 'muted', 11)
    for i, row in enumerate(rows):
        y, gap = 134 + 62 * i, 10
        each = (800 - gap * (len(row) - 1)) / len(row)
        for k, name in enumerate(row):
            x = 20 + k * (each + gap)
            d.box(x, y, each, 50, 'axis', 'wash')
            d.text(x + each / 2, y + 21, name, 'ink', 14, 'middle', bold=True)
            d.text(x + each / 2, y + 40, what[name], 'muted', 11, 'middle')
    return d


def comparison():
    """From a config to a report."""
    d = Drawing('comparison', 'The way of a comparison, from a config to a report', 840, 644)
    notes = 330

    def step(y, name, first, second='', edge='axis'):
        d.box(90, y, 190, 44, edge, 'wash', thick=2 if edge != 'axis' else 1)
        d.text(185, y + 27, name, 'ink', 14, 'middle', bold=True)
        d.text(notes, y + 19, first)
        if second:
            d.text(notes, y + 36, second, 'muted', 11)

    step(16, 'config', 'What every arm trains: data, model, budget.', 'and tricks, seeds, metric and margin, from the command or a file')
    step(90, 'plan', 'Arms, contrasts, seeds, looks, margin: fixed before the first trial.', 'kept in the store; the report says what was changed later')
    step(164, 'check', "Each arm's config is opened once: options, tricks, data.", 'whatever can be refused is refused here, before any training')
    step(238, 'calibration', 'Each arm for a moment alone on the machine: what an update costs.',
         'and so which other budgets of the baseline the line at equal cost takes')
    for i in range(3):
        d.box(90 + 66 * i, 318, 58, 36, 'arm', 'paper', thick=2)
        d.text(119 + 66 * i, 341, f'seed {i + 1}' if i < 2 else '...', 'arm', 11, 'middle')
    d.text(notes, 331, 'Trials: one process each, one seed, one arm; as many at once as --jobs.')
    d.text(notes, 348, 'a block is one seed: all arms, the same initial weights and data order', 'muted', 11)
    step(390, 'knack.db', 'Every trial, as soon as it is done; only the parent writes.', 'SQLite; a kill loses no finished trial',
         'helps')
    step(464, 'analysis', 'Differences within blocks: intervals, tests, cost, verdicts.', 'from the store alone, at any time')
    step(538, 'report', 'Terminal, report.html, comparison.json, values.csv, charts.', 'knack report DIR makes them again')
    for top, bottom in ((60, 88), (134, 162), (208, 236), (282, 314), (354, 388), (434, 462), (508, 536)):
        d.line((185, top), (185, bottom), arrow=True)
    d.line((90, 412), (44, 412), (44, 336), (86, 336), kind='arm', arrow=True)
    d.text(12, 430, 'schedule:', 'arm', 11)
    d.text(12, 445, 'the next trial,', 'arm', 11)
    d.text(12, 460, 'or enough?', 'arm', 11)
    d.text(notes, 619, 'The ledger, a file of yours, counts the comparisons on each test set.')
    d.box(90, 602, 190, 26, 'axis', 'paper', dashes=True)
    d.text(185, 619, 'ledger.jsonl', 'muted', 12, 'middle')
    return d


def verdict():
    """The parts of a verdict's line, and which interval gets which word."""
    d = Drawing('verdict', 'How to read a verdict: the parts of its line, and where its interval lies', 840, 672)
    d.text(20, 28, 'One line of a report, in parts', 'ink', 14, bold=True)
    parts = [('sam', 'the arm', 'what is compared with the baseline'),
             ('HELPS, at least 0.5 points:', 'the verdict', 'the word, and what the interval says of the margin (here 0.5)'),
             ('+1.50', 'the difference', 'mean of the arm minus mean of the baseline, over all seeds'),
             ('[+0.88, +2.12]', 'the 95 % interval', 'which true differences these seeds allow'),
             ('10 of 10 seeds', 'wins', 'seeds in which the arm was better'),
             ('Holm 0.001', 'the adjusted p', 'how often luck alone would give such a difference, in any of the arms asked about'),
             ('costs 2.00x', 'the cost', 'passes of a whole training; the baseline has 1'),
             ('at equal cost: +5.1', 'the fair difference', 'from a baseline that was trained as much longer')]
    x, y = 20, 62
    d.box(12, 40, 816, 64, 'axis', 'wash')
    for i, (text, _, _) in enumerate(parts):
        long = width(text, 12, code=True)
        if x + long > 810:
            x, y = 20, y + 30
        d.text(x, y, text, 'ink', 12, code=True)
        d.line((x, y + 5), (x + long, y + 5), kind='arm', thick=2)
        d.text(x + long + 3, y - 4, str(i + 1), 'arm', 9, bold=True)
        x += long + 22
    for i, (_, name, note) in enumerate(parts):
        y = 130 + 21 * i
        d.text(30, y, str(i + 1), 'arm', 12, bold=True)
        d.text(50, y, name, 'ink', 12, bold=True)
        d.text(210, y, note)

    d.text(20, 326, 'Where the interval lies decides the word', 'ink', 14, bold=True)
    unit, top = 90, 364  # one point of accuracy; the first interval

    def at(points):
        return 160 + unit * points

    rows = [(.9, 2.1, 'helps', 'HELPS, at least 0.5', 'all of it beyond the margin'),
            (.15, 1.15, 'helps', 'HELPS, size uncertain', 'beyond 0; the margin is inside'),
            (.08, .42, 'helps', 'HELPS, but less than 0.5', 'beyond 0, within the margin'),
            (-.3, .3, 'same', 'NO MEANINGFUL DIFFERENCE', 'within the margin, 0 inside'),
            (-.9, .38, 'same', 'NOT WORTH IT', 'does not gain the margin'),
            (-.5, 1.3, 'muted', 'INCONCLUSIVE', '0 and the margin are inside'),
            (-1.3, -.3, 'hurts', 'HURTS, size uncertain', 'all of it below 0'),
            (0, 0, 'same', 'IDENTICAL', 'the same value with every seed')]
    d.box(at(-.5), top - 16, unit, 30 * len(rows) + 8, 'margin', 'margin', round=0)
    d.line((at(0), top - 16), (at(0), top + 30 * len(rows) - 8), kind='ink', thick=1)
    for i, (low, high, kind, word, why) in enumerate(rows):
        y = top + 30 * i
        d.line((at(low), y), (at(high), y), kind=kind, thick=3)
        for end in (low, high):
            d.line((at(end), y - 5), (at(end), y + 5), kind=kind, thick=2)
        d.dot(at((low + high) / 2), y, kind)
        d.text(380, y + 4, word, kind, 12, bold=True)
        d.text(600, y + 4, why, 'ink', 12)
    base = top + 30 * len(rows) + 4
    d.line((40, base), (350, base), kind='axis', thick=1)
    for points, text in ((-1, '-1'), (-.5, '-0.5'), (0, '0'), (.5, '+0.5'), (1, '+1'), (2, '+2')):
        d.line((at(points), base), (at(points), base + 4), kind='axis', thick=1)
        d.text(at(points), base + 17, text, 'muted', 11, 'middle')
    d.text(380, base + 16, 'points of accuracy; shaded: the margin, what does not matter to you', 'muted', 11)
    d.text(20, base + 44, 'A verdict rests on the weaker of two lines: at equal updates and, where costs differ, at equal cost.', 'ink', 12)
    return d


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    for draw in (loop, floors, comparison, verdict):
        draw().write(folder)


main()
