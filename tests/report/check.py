"""Opens reports of made-up comparisons in a browser and says what is wrong with them; see tests/report.sh.

check.py BROWSER MAKE_REPORT FOLDER: reports and pictures go to FOLDER."""
import base64
import os
import pathlib
import shutil
import subprocess
import sys
import time

import browser

HERE = pathlib.Path(__file__).parent
CHECKS = (HERE / 'page_checks.js').read_text()
WIDTHS = (390, 1400)
SCHEMES = ('light', 'dark')
OPEN_ALL = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"

# name, arguments of make_report, what the page must say, what it must not say
CASES = [
    ('2-arms', 'one 2 5', ['HELPS'], ['Not finished', 'Screening of']),
    ('8-arms', 'one 8 20', ['HELPS', 'HURTS', 'NOT WORTH IT', 'trials failed', 'not finite', 'What was compared'], ['Not finished']),
    ('20-arms', 'one 20 10', ['HELPS', 'HURTS', 'INCONCLUSIVE'], ['Not finished']),
    ('factorial', 'factorial 8 10', ['Main effects', 'Interactions', 'Combinations'], ['Not finished']),
    ('factorial-4-tricks', 'factorial 16 6', ['Main effects', 'Interactions'], ['Not finished']),
    ('ablation', 'ablation 8 10', ['HELPS', 'Combinations'], ['Not finished']),
    ('screening', 'screen 20 6', ['Screening of', 'to be confirmed'], ['Not finished']),
    ('long-texts', 'one 8 20 long', ['HELPS', 'without-any-blank'], ['Not finished']),
    ('unfinished', 'one 8 20 unfinished', ['Not finished'], ['HELPS', 'HURTS', 'INCONCLUSIVE', 'NOT WORTH IT', 'Holm', 'Figure 1']),
]

FAULTY = """<!DOCTYPE html><html><head><style>body{background:#fff}.pale{color:#aaa}</style></head><body>
<h1>Faulty</h1><h3>Skipped</h3><p class="pale">pale</p><p style="width:2000px">wide</p>
<img src="http://example.invalid/picture.png" alt="">
<figure id="f"><div class="drawing"><svg width="300" height="100" viewBox="0 0 300 100"><rect width="300" height="100" fill="none"/>
<text x="10" y="50">one text</text><text x="30" y="52">another</text><text x="280" y="90">beyond the edge</text></svg></div></figure>
<script>console.error('a complaint')</script></body></html>"""
FAULTS = ['a script', 'skips a level', 'contrast', 'wide, the window', 'overlaps', 'is clipped', 'without caption', 'console: ',
          'request: http://example.invalid', 'no language', 'no name for screen readers']


class Tests:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, problems):
        self.failed += bool(problems)
        self.passed += not problems
        print('%-4s %s' % ('FAIL' if problems else 'ok', name), flush=True)
        for problem in problems[:20]:
            print('       ' + problem)
        if len(problems) > 20:
            print('       and %d more' % (len(problems) - 20))


def inspect(page):
    """Problems of an open page, its fold-outs opened."""
    page.evaluate(OPEN_ALL)
    found = page.evaluate(CHECKS)
    return page.complaints() + found['problems'], found


def check_checks(window, folder, tests):
    """A page with known faults: each of them has to be found."""
    path = folder / 'faulty.html'
    path.write_text(FAULTY)
    page = browser.Page(window, path, 390, 'dark')
    problems, _ = inspect(page)
    page.close()
    tests.check('a faulty page is found out', ['not found: ' + fault for fault in FAULTS if not any(fault in text for text in problems)])


def check_case(window, folder, case, tests):
    name, _, said, unsaid = case
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = browser.Page(window, folder / name / 'report.html', width, scheme)
            problems, found = inspect(page)
            text = page.evaluate('document.body.innerText')
            problems += ['does not say "%s"' % words for words in said if words.lower() not in text.lower()]
            problems += ['says "%s"' % words for words in unsaid if words in text]
            if name != 'unfinished' and found['drawings'] == 0:
                problems.append('no figures')
            page.picture(str(folder / ('%s-%d-%s' % (name, width, scheme))))
            page.close()
            tests.check('%s, %d pixels, %s: %d drawings' % (name, width, scheme, found['drawings']), problems)


def check_print(window, folder, name, tests):
    """Printed from a dark screen: on white, with every figure, within the paper's width."""
    page = browser.Page(window, folder / name / 'report.html', 700, 'dark', 'print')
    found = page.evaluate(CHECKS)
    page.picture(str(folder / (name + '-print')))
    pdf = page.call('Page.printToPDF', {'printBackground': True, 'preferCSSPageSize': True})
    (folder / (name + '.pdf')).write_bytes(base64.b64decode(pdf['data']))
    page.close()
    tests.check(name + ', printed', found['problems'])


def check_charts(window, folder, name, tests):
    problems = []
    for path in sorted((folder / name / 'charts').glob('*.svg')):
        for scheme in SCHEMES:
            page = browser.Page(window, path, 800, scheme)
            found = page.evaluate(CHECKS)
            problems += [path.name + ', ' + scheme + ': ' + text for text in page.complaints() + found['problems']]
            page.close()
    tests.check(name + ', charts as files', problems)


def check_download(window, folder, name, tests):
    target = folder / 'downloads'
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    page = browser.Page(window, folder / name / 'report.html', 1400, 'light')
    window.call('Browser.setDownloadBehavior', {'behavior': 'allow', 'downloadPath': str(target.resolve())})
    page.evaluate("document.querySelector('a[download]').click()")
    file = target / 'values.csv'
    for _ in range(100):
        if file.exists() and file.stat().st_size:
            break
        time.sleep(.1)
    page.close()
    same = file.exists() and file.read_bytes() == (folder / name / 'values.csv').read_bytes()
    tests.check(name + ', download link', [] if same else ['the downloaded file is not values.csv'])


def main():
    program, make_report, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, arguments, _, _ in CASES:
        subprocess.run([make_report, str(folder / name)] + arguments.split(), check=True)
    tests = Tests()
    window = browser.Browser(program, str(folder / 'profile'))
    try:
        check_checks(window, folder, tests)
        for case in CASES:
            check_case(window, folder, case, tests)
        for name in ('8-arms', '20-arms', 'factorial', 'long-texts'):
            check_print(window, folder, name, tests)
            check_charts(window, folder, name, tests)
        check_download(window, folder, '8-arms', tests)
    finally:
        window.close()
        shutil.rmtree(folder / 'profile', ignore_errors=True)
    print('Pictures: ' + os.path.relpath(folder))
    print('%d passed, %d failed' % (tests.passed, tests.failed))
    return 1 if tests.failed else 0


if __name__ == '__main__':
    sys.exit(main())
