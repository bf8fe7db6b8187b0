/* Evaluated by tests/report/check.py within a report that is open in the browser; gives what is wrong as a list of sentences. */
(() => {
  const problems = [];
  const say = (what) => problems.push(what);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const short = (text) => text.trim().replace(/\s+/g, ' ').slice(0, 60);
  const root = document.documentElement;

  /* ---- Drawings ---- */
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2.5;
  const checkDrawing = (svg) => {
    const name = `${svg.closest('figure') ? svg.closest('figure').id : 'drawing'} "${short(svg.getAttribute('aria-label') || '')}"`;
    if (svg.getAttribute('role') !== 'img' || !svg.getAttribute('aria-label')) say(`${name}: no name for screen readers`);
    const place = svg.getBoundingClientRect();
    const drawn = svg.getBBox();
    if (!(place.width > 100 && place.height > 50 && drawn.width > 100 && drawn.height > 30)) say(`${name}: nothing is drawn`);
    if (all('path, line, rect, circle, polyline, polygon', svg).length < 3) say(`${name}: hardly anything is drawn`);
    const texts = all('text', svg).filter((text) => text.textContent.trim() && shown(text));
    if (!texts.length) say(`${name}: no text`);
    const boxes = texts.map((text) => text.getBoundingClientRect());
    texts.forEach((text, i) => {
      const box = boxes[i];
      if (box.left < place.left - .5 || box.right > place.right + .5 || box.top < place.top - 1 || box.bottom > place.bottom + 1)
        say(`${name}: "${short(text.textContent)}" is clipped`);
      for (let j = 0; j < i; j++)
        if (meet(box, boxes[j])) say(`${name}: "${short(text.textContent)}" overlaps "${short(texts[j].textContent)}"`);
    });
  };
  if (root.localName === 'svg') {
    checkDrawing(root);
    return { problems, figures: [], drawings: 1 };
  }

  /* ---- What the file is made of ---- */
  if (all('script').length) say('a script');
  for (const element of all('[src], [href], [srcset], object, iframe, embed')) {
    const target = element.getAttribute('href') || element.getAttribute('src') || '';
    if (!target.startsWith('data:') && !target.startsWith('#')) say(`<${element.localName}> refers to ${target.slice(0, 80)}`);
  }
  const ids = all('[id]').map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) say(`the id ${id} twice`);
  let level = 0;
  for (const heading of all('h1, h2, h3, h4, h5, h6')) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) say(`heading "${short(heading.textContent)}" skips a level`);
    level = next;
  }
  if (!root.lang) say('no language');
  for (const cell of all('th')) if (!cell.scope) say(`heading cell "${short(cell.textContent)}" without scope`);
  for (const table of all('table')) if (!table.caption) say('a table without caption');

  /* ---- Width ---- */
  const width = root.clientWidth;
  if (root.scrollWidth > width) {
    say(`the page is ${root.scrollWidth} wide, the window ${width}`);
    for (const element of all('body *')) {
      if (element.closest('.scroll, pre')) continue;
      if (element.getBoundingClientRect().right > width + 1 && shown(element)) {
        say(`  <${element.localName} class="${element.getAttribute('class') || ''}"> "${short(element.textContent)}" reaches beyond it`);
        break;
      }
    }
  }
  for (const element of all('h1, h2, h3, h4, p, li, dt, dd, figcaption, caption, th, td, summary')) {
    if (shown(element) && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      say(`"${short(element.textContent)}" is wider than its place`);
  }

  /* ---- Figures ---- */
  const figures = all('figure');
  for (const figure of figures) {
    if (!all('figcaption', figure).length) say(`figure ${figure.id} without caption`);
    const drawings = all('.drawing', figure);
    if (!drawings.length) say(`figure ${figure.id} is empty`);
    const items = drawings.filter((drawing) => !drawing.classList.contains('for-narrow')).length;
    const visible = drawings.filter(shown).length;
    if (visible !== items) say(`figure ${figure.id}: ${visible} drawings are seen, not ${items}`);
  }
  all('svg').filter(shown).forEach(checkDrawing);

  /* ---- Contrast, by WCAG 2 ---- */
  const parse = (colour) => {
    const part = (colour.match(/[\d.]+/g) || []).map(Number);
    return part.length < 3 ? null : { rgb: part.slice(0, 3), alpha: part.length > 3 ? part[3] : 1 };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => (value / 255 <= .04045 ? value / 255 / 12.92 : ((value / 255 + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const paperOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour && colour.alpha === 1) return colour.rgb;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  for (const element of all('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest('title') || !shown(element)) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest('svg') ? style.fill : style.color);
    const paper = paperOf(element);
    if (!ink) continue;
    const [high, low] = [light(ink.rgb), light(paper)].sort((a, b) => b - a);
    const ratio = (high + .05) / (low + .05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const key = `${ink.rgb} on ${paper}`;
    if (ratio < (large ? 3 : 4.5) && !seen.has(key)) {
      seen.add(key);
      say(`contrast ${ratio.toFixed(2)} (${key}) of "${short(element.textContent)}"`);
    }
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches && matchMedia('screen').matches;
  if (light(paperOf(document.body)) < .2 !== dark) say('the paper does not follow the theme');

  return { problems, figures: figures.map((figure) => figure.id), drawings: all('svg').filter(shown).length };
})();
