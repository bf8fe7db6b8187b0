"""Makes the pictures of README.md in docs/pictures/: a report, light and dark, and a terminal.

    python3 tools/pictures.py build

build: a folder in which knack was built. The comparison is the quickstart's; Chromium opens its report without a window. A picture of
the terminal is text in an SVG, as the program printed it to a terminal of 112 columns."""
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
WIDTH, HEIGHT = 1100, 1000
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


def report(window, page_path, scheme, path):
    page = browser.Page(window, page_path, WIDTH, scheme)
    clip = {'x': 0, 'y': 0, 'width': WIDTH, 'height': HEIGHT, 'scale': 1}
    data = page.call('Page.captureScreenshot', {'format': 'png', 'captureBeyondViewport': True, 'clip': clip})['data']
    page.close()
    path.write_bytes(base64.b64decode(data))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    knack = str(pathlib.Path(sys.argv[1]).resolve() / 'core/knack')
    pictures = ROOT / 'docs/pictures'
    pictures.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp()
    environment = dict(os.environ, KNACK_LEDGER=folder + '/ledger.jsonl')
    command = ['compare', 'examples/compare-quickstart.json']
    os.chdir(ROOT)
    lines = printed([knack] + command + ['--out', folder + '/quickstart'], environment)
    terminal(['$ knack ' + ' '.join(command)] + lines, pictures / 'terminal.svg')
    window = browser.Browser(shutil.which('chromium'), folder + '/browser')
    for scheme in ('light', 'dark'):
        report(window, folder + '/quickstart/report.html', scheme, pictures / ('report-%s.png' % scheme))
    window.close()
    shutil.rmtree(folder, ignore_errors=True)


main()
