"""Chromium without a window, told what to do through a pipe (the DevTools protocol). Standard library only."""
import base64
import json
import os
import select
import subprocess
import time

PATIENCE = 60  # seconds for one answer
TALLEST = 6000  # pixels of one picture


class Browser:
    def __init__(self, program, folder):
        to_read, self.to = os.pipe()
        self.source, to_write = os.pipe()
        command = [program, '--headless=new', '--remote-debugging-pipe', '--user-data-dir=' + folder, '--no-first-run',
                   '--disable-background-networking', '--disable-component-update', '--disable-gpu', '--hide-scrollbars',
                   '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND']
        if os.geteuid() == 0:
            command.append('--no-sandbox')

        def place_pipes():  # the browser reads from 3 and writes to 4
            reading, writing = os.dup(to_read), os.dup(to_write)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        # pass_fds would close 3 and 4 again
        self.process = subprocess.Popen(command, preexec_fn=place_pipes, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.buffer = b''
        self.events = []
        self.number = 0

    def receive(self):
        end = time.monotonic() + PATIENCE
        while b'\0' not in self.buffer:
            ready, _, _ = select.select([self.source], [], [], max(0, end - time.monotonic()))
            data = os.read(self.source, 1 << 20) if ready else b''
            if not data:
                raise RuntimeError('the browser does not answer' if not ready else 'the browser has ended')
            self.buffer += data
        message, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(message)

    def call(self, method, parameters=None, session=None):
        self.number += 1
        number = self.number
        request = {'id': number, 'method': method, 'params': parameters or {}}
        if session:
            request['sessionId'] = session
        data = json.dumps(request).encode() + b'\0'
        while data:
            data = data[os.write(self.to, data):]
        while True:
            message = self.receive()
            if message.get('id') == number:
                if 'error' in message:
                    raise RuntimeError('%s: %s' % (method, message['error']['message']))
                return message['result']
            self.events.append(message)

    def wait(self, method, session):
        while True:
            for event in self.events:
                if event.get('method') == method and event.get('sessionId') == session:
                    return event
            self.events.append(self.receive())

    def close(self):
        try:
            self.call('Browser.close')
        except (RuntimeError, OSError):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Page:
    """A file in a window of this width, light or dark."""

    def __init__(self, browser, path, width, scheme, media='screen'):
        self.browser = browser
        browser.events = []
        self.target = browser.call('Target.createTarget', {'url': 'about:blank'})['targetId']
        self.session = browser.call('Target.attachToTarget', {'targetId': self.target, 'flatten': True})['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(domain + '.enable')
        self.width = width
        self.call('Emulation.setDeviceMetricsOverride', {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': width < 600})
        self.call('Emulation.setEmulatedMedia', {'media': media, 'features': [{'name': 'prefers-color-scheme', 'value': scheme}]})
        self.url = 'file://' + os.path.abspath(path)
        browser.events = []
        self.call('Page.navigate', {'url': self.url})
        browser.wait('Page.loadEventFired', self.session)

    def call(self, method, parameters=None):
        return self.browser.call(method, parameters, self.session)

    def evaluate(self, script):
        answer = self.call('Runtime.evaluate', {'expression': script, 'returnByValue': True, 'awaitPromise': True})
        if 'exceptionDetails' in answer:
            raise RuntimeError('in the page: ' + json.dumps(answer['exceptionDetails'])[:2000])
        return answer['result'].get('value')

    def complaints(self):
        """What the browser said of the page, and what the page asked for but itself."""
        found = []
        for event in self.browser.events:
            method, parameters = event.get('method'), event.get('params', {})
            if method == 'Log.entryAdded':
                found.append('console: ' + parameters['entry']['text'])
            elif method == 'Runtime.exceptionThrown' or method == 'Runtime.consoleAPICalled':
                found.append('console: ' + json.dumps(parameters)[:300])
            elif method == 'Network.requestWillBeSent':
                url = parameters['request']['url']
                if url != self.url and not url.startswith('data:'):
                    found.append('request: ' + url[:200])
        return found

    def picture(self, path):
        """Saves all of the page, in several pictures where it is long; returns their paths."""
        height = self.evaluate('document.documentElement.scrollHeight')
        paths = []
        for top in range(0, height, TALLEST):
            clip = {'x': 0, 'y': top, 'width': self.width, 'height': min(TALLEST, height - top), 'scale': 1}
            data = self.call('Page.captureScreenshot', {'format': 'png', 'captureBeyondViewport': True, 'clip': clip})['data']
            paths.append(path + ('.png' if height <= TALLEST else '-%d.png' % (top // TALLEST + 1)))
            with open(paths[-1], 'wb') as file:
                file.write(base64.b64decode(data))
        return paths

    def close(self):
        self.browser.call('Target.closeTarget', {'targetId': self.target})
