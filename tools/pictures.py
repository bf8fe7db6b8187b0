"""Makes the pictures of README.md in docs/pictures/: a report, light and dark, and a terminal. Or pictures of reports in other folders.

    python3 tools/pictures.py build
    python3 tools/pictures.py build docs/studies/*/

build: a folder in which knack was built. The terminal shows the quickstart's comparison: text in an SVG, as the program printed it to a
terminal of 112 columns. The report is the one of README's example, which Chromium opens without a window. Of each folder report.html
becomes report.png."""
import base64
import fcntl
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests/report'))
import browser  # noqa: E402

COLUMNS, LINES = 112, 27
CHARACTER, LINE, EDGE = 7.2, 17, 14
WIDTH, TALLEST = 1400, 2400
STYLE = """.paper{fill:#f6f8fa}text{fill:#1c2128;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}
.command{fill:#0068a8;font-weight:600}
@media (prefers-color-scheme:dark){.paper{fill:#14171c}text{fill:#e4e7eb}.command{fill:#56b4e9}}"""


def printed(command, environment):
    """What a command prints to a terminal."""
    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack('HHHH', 60, COLUMNS, 0, 0))
    process = subprocess.Popen(command, stdout=writing, stderr=subprocess.DEVNULL, env=environment)
    os.close(writing)
    text = b''
    while True:
        try:
            data = os.read(reading, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        text += data
    os.close(reading)
    if process.wait() != 0:
        sys.exit('%s: status %d' % (' '.join(command), process.returncode))
    return text.decode().replace('\r', '').split('\n')


def terminal(lines, path):
    """The first lines, each as wide as its characters would be."""
    shown = lines[:LINES] + ['...']
    width, height = round(2 * EDGE + COLUMNS * CHARACTER), round(2 * EDGE + len(shown) * LINE)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">' % (width, height, width, height),
             '<title>knack compare in a terminal</title>', '<!-- Made by tools/pictures.py. -->', '<style>%s</style>' % STYLE,
             '<rect width="%d" height="%d" rx="6" class="paper"/>' % (width, height)]
    for number, line in enumerate(shown):
        text = line.rstrip()
        if text:
            start = len(text) - len(text.lstrip())
            parts.append('<text x="%.1f" y="%d" textLength="%.1f"%s>%s</text>' % (
                EDGE + start * CHARACTER, EDGE + LINE * number + 12, (len(text) - start) * CHARACTER,
                ' class="command"' if number == 0 else '', escape(text[start:]).replace(' ', '\u00a0')))
    path.write_text('\n'.join(parts) + '\n</svg>\n')


def report(window, page_path, scheme, path, end):
    """The top of a page, to the end of the first element of this kind."""
    page = browser.Page(window, page_path, WIDTH, scheme)
    height = min(TALLEST, page.evaluate('document.querySelector("%s").getBoundingClientRect().bottom + 2' % end))
    clip = {'x': 0, 'y': 0, 'width': WIDTH, 'height': height, 'scale': 1}
    data = page.call('Page.captureScreenshot', {'format': 'png', 'captureBeyondViewport': True, 'clip': clip})['data']
    page.close()
    path.write_bytes(base64.b64decode(data))


def compare(knack, name, folder):
    """What it prints; its report is in folder/name."""
    environment = dict(os.environ, KNACK_LEDGER=folder + '/ledger.jsonl')
    return printed([knack, 'compare', 'examples/%s.json' % name, '--out', folder + '/' + name], environment)


def readme(window, knack, folder):
    pictures = ROOT / 'docs/pictures'
    pictures.mkdir(exist_ok=True)
    os.chdir(ROOT)
    lines = compare(knack, 'compare-quickstart', folder)
    terminal(['$ knack compare examples/compare-quickstart.json'] + lines, pictures / 'terminal.svg')
    compare(knack, 'compare-cost', folder)
    for scheme in ('light', 'dark'):
        report(window, folder + '/compare-cost/report.html', scheme, pictures / ('report-%s.png' % scheme), 'table')


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = tempfile.mkdtemp()
    window = browser.Browser(shutil.which('chromium'), folder + '/browser')
    if len(sys.argv) == 2:
        readme(window, str(pathlib.Path(sys.argv[1]).resolve() / 'core/knack'), folder)
    for study in map(pathlib.Path, sys.argv[2:]):
        report(window, study / 'report.html', 'light', study / 'report.png', 'html')
    window.close()
    shutil.rmtree(folder, ignore_errors=True)


main()
