'use strict';
// Draws the points of each figure.scatter, and lets pointer and keyboard ask for them.
(() => {
  const NONE = 65535, STEPS = 65534;
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const charts = [];
  let isPrinting = false;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const isDark = () => !isPrinting
    && (root.dataset.theme ? root.dataset.theme === 'dark' : dark.matches);
  // Black is for light pages.
  const visible = (color) => color === '#000000' && isDark() ? '#E8EAED' : color;
  const number = (value) => {
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(2);
    return value.toLocaleString('en', { maximumSignificantDigits: 4 });
  };

  // Knuth's multiplicative hash: neighbors in the data are no neighbors in the order.
  const mixed = (n) => {
    const keys = Uint32Array.from({ length: n }, (_, k) => Math.imul(k, 2654435761));
    return Uint32Array.from({ length: n }, (_, k) => k).sort((a, b) => keys[a] - keys[b]);
  };

  class Chart {
    constructor(figure) {
      this.data = JSON.parse(figure.querySelector('script').textContent);
      this.canvas = figure.querySelector('canvas');
      this.tip = figure.querySelector('.tip');
      this.legend = figure.querySelector('.legend');
      this.spoken = figure.querySelector('.spoken');
      this.select = figure.querySelector('select');
      for (const view of this.data.views) {
        view.x = new Uint16Array(bytes(view.x));
        view.y = new Uint16Array(bytes(view.y));
        view.points = view.points && new Uint32Array(bytes(view.points));
      }
      for (const coloring of this.data.colorings) {
        coloring.values = new Uint16Array(bytes(coloring.values));
      }
      this.select.addEventListener('change', () => this.show(this.select.selectedIndex));
      for (const button of figure.querySelectorAll('[data-zoom]')) {
        button.addEventListener('click', () => this.zoom(button.dataset.zoom));
      }
      this.listen();
      this.show(Math.max(this.select.selectedIndex, 0));
      new ResizeObserver(() => this.draw()).observe(this.canvas);
    }

    // Shows one of the reader's choices.
    show(panel) {
      const [view, coloring] = this.data.panels[panel];
      const isOther = this.view !== this.data.views[view];
      this.view = this.data.views[view];
      this.coloring = this.data.colorings[coloring];
      this.off = new Set();
      this.limits = [0, STEPS];
      this.only = null;
      if (isOther) this.window = { x: 0, y: 0, size: 1 };
      this.point = null;
      const { values, names } = this.coloring;
      const rank = (k) => values[k] === NONE ? -1 : values[k];
      this.order = mixed(values.length);
      if (!names) this.order.sort((a, b) => rank(a) - rank(b) || a - b);
      this.writeLegend();
      this.draw();
    }

    // Whether the legend's filter lets a point be seen.
    isSeen(k) {
      if (this.view.x[k] === NONE || this.view.y[k] === NONE) return false;
      const value = this.coloring.values[k];
      if (this.coloring.names) return !this.off.has(value);
      const [low, high] = this.limits;
      return value === NONE ? low === 0 && high === STEPS : value >= low && value <= high;
    }

    color(value) {
      const { colors } = this.coloring;
      if (value === NONE) return this.data.missing;
      if (colors) return visible(colors[value]);
      const { ramp } = this.data;
      const place = value / STEPS * (ramp.length - 1);
      const low = Math.min(Math.floor(place), ramp.length - 2);
      const channel = (color, at) => parseInt(color.slice(at, at + 2), 16);
      const mix = (at) => {
        const [a, b] = [channel(ramp[low], at), channel(ramp[low + 1], at)];
        return Math.round(a + (b - a) * (place - low));
      };
      return `rgb(${mix(1)},${mix(3)},${mix(5)})`;
    }

    // Pixels that axes leave to the points.
    frame() {
      const { width, height } = this;
      if (!this.view.axes) return { left: 8, top: 8, width: width - 16, height: height - 16 };
      return { left: 58, top: 28, width: width - 74, height: height - 76 };
    }

    place(k) {
      const { left, top, width, height } = this.frame(), { x, y, size } = this.window;
      return [
        left + (this.view.x[k] / STEPS - x) / size * width,
        top + (1 - (this.view.y[k] / STEPS - y) / size) * height,
      ];
    }

    draw() {
      const { canvas } = this, ratio = Math.max(devicePixelRatio || 1, isPrinting ? 2 : 1);
      this.width = canvas.clientWidth;
      if (!this.width) return;
      this.height = Math.round(Math.min(this.width * (this.view.axes ? 0.7 : 0.86), 620));
      canvas.style.height = `${this.height}px`;
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      const context = canvas.getContext('2d');
      context.scale(ratio, ratio);
      const style = getComputedStyle(root);
      const ink = (name) => style.getPropertyValue(name).trim();
      context.fillStyle = isPrinting ? '#ffffff' : ink('--page');
      context.fillRect(0, 0, this.width, this.height);
      const faint = isPrinting ? '#57606a' : ink('--faint');
      const grid = isPrinting ? '#e1e5ea' : ink('--grid');
      if (this.view.axes) this.drawAxes(context, faint, grid);
      const { left, top, width, height } = this.frame();
      context.save();
      context.beginPath();
      context.rect(left - 4, top - 4, width + 8, height + 8);
      context.clip();
      this.drawLines(context, faint);
      this.drawPoints(context, grid);
      context.restore();
      this.mark(context, isPrinting ? '#1b1f24' : ink('--ink'));
      root.dataset.drawn = String(charts.filter((chart) => chart.width).length);
    }

    drawAxes(context, faint, grid) {
      const { left, top, width, height } = this.frame(), { x, y, size } = this.window;
      const [across, up] = this.view.axes;
      context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
      context.lineWidth = 1;
      context.strokeStyle = grid;
      context.fillStyle = faint;
      context.textBaseline = 'middle';
      for (const [at, text] of up.ticks) {
        const place = (at - y) / size;
        if (place < 0 || place > 1) continue;
        const line = Math.round(top + (1 - place) * height) + 0.5;
        context.beginPath();
        context.moveTo(left, line);
        context.lineTo(left + width, line);
        context.stroke();
        context.textAlign = 'right';
        context.fillText(text, left - 6, line);
      }
      context.textAlign = 'center';
      for (const [at, text] of across.ticks) {
        const place = (at - x) / size;
        if (place < 0 || place > 1) continue;
        const line = Math.round(left + place * width) + 0.5;
        context.beginPath();
        context.moveTo(line, top);
        context.lineTo(line, top + height);
        context.stroke();
        context.fillText(text, line, top + height + 15);
      }
      context.fillText(across.label, left + width / 2, top + height + 34);
      context.textAlign = 'left';
      context.fillText(up.label, 6, 12);
    }

    drawLines(context, faint) {
      const { left, top, width, height } = this.frame(), { x, y, size } = this.window;
      context.strokeStyle = faint;
      context.setLineDash([5, 4]);
      for (const ends of this.view.lines) {
        context.beginPath();
        for (const [a, b] of ends) {
          context.lineTo(left + (a - x) / size * width, top + (1 - (b - y) / size) * height);
        }
        context.stroke();
      }
      context.setLineDash([]);
    }

    radius() {
      const n = this.order.length;
      const radius = n <= 2000 ? 3 : n <= 10000 ? 2.2 : n <= 50000 ? 1.6 : 1.1;
      return Math.min(radius * (this.width < 500 ? 0.75 : 1) / Math.sqrt(this.window.size), 6);
    }

    drawPoints(context, dim) {
      const radius = this.radius(), { values } = this.coloring;
      const isRound = radius > 1.3;
      let last = null;
      const passes = this.only === null ? [false] : [true, false];
      for (const isBehind of passes) {
        for (const k of this.order) {
          if (!this.isSeen(k)) continue;
          const isOther = this.only !== null && values[k] !== this.only;
          if (isOther !== isBehind) continue;
          const key = isBehind ? dim : values[k];
          if (key !== last) context.fillStyle = isBehind ? dim : this.color(key);
          last = key;
          const [x, y] = this.place(k);
          if (isRound) {
            context.beginPath();
            context.arc(x, y, radius, 0, 2 * Math.PI);
            context.fill();
          } else {
            context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
          }
        }
      }
    }

    // Marks the point that is asked for, and says what it is.
    mark(context, ink) {
      const k = this.point;
      if (k === null || !this.isSeen(k) || isPrinting) {
        this.tip.hidden = true;
        return;
      }
      const [x, y] = this.place(k);
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, this.radius() + 3, 0, 2 * Math.PI);
      context.stroke();
      this.tip.textContent = this.words(k);
      this.tip.hidden = false;
      const { offsetWidth, offsetHeight } = this.tip;
      const right = this.width - offsetWidth - 4;
      this.tip.style.left = `${Math.max(4, Math.min(x + 12, right))}px`;
      this.tip.style.top = `${y > offsetHeight + 16 ? y - offsetHeight - 12 : y + 14}px`;
    }

    words(k) {
      const { names, range, label } = this.coloring, value = this.coloring.values[k];
      const point = this.data.points[this.view.points ? this.view.points[k] : k];
      const shown = value === NONE ? 'no value'
        : names ? names[value] : number(range[0] + (range[1] - range[0]) * value / STEPS);
      return `${point}\n${label}: ${shown}`;
    }

    ask(k, isSpoken) {
      if (k === this.point) return;
      this.point = k;
      if (isSpoken && k !== null) this.spoken.textContent = this.words(k).replace('\n', ', ');
      this.draw();
    }

    // The point that is seen nearest to a pixel.
    nearest(x, y, limit) {
      let best = null, least = limit * limit;
      for (let k = 0; k < this.order.length; k++) {
        if (!this.isSeen(k)) continue;
        const [a, b] = this.place(k), distance = (a - x) ** 2 + (b - y) ** 2;
        if (distance < least) [best, least] = [k, distance];
      }
      return best;
    }

    // The nearest point in a direction: 45 degrees to either side.
    beside([right, up]) {
      const at = this.point === null || !this.isSeen(this.point)
        ? this.nearest(this.width / 2, this.height / 2, Infinity) : this.point;
      if (at === null || at !== this.point) return at;
      const [x, y] = this.place(at);
      let best = at, least = Infinity;
      for (let k = 0; k < this.order.length; k++) {
        if (k === at || !this.isSeen(k)) continue;
        const [a, b] = this.place(k), along = (a - x) * right + (y - b) * up;
        const aside = Math.abs((a - x) * up) + Math.abs((b - y) * right);
        const distance = along * along + aside * aside;
        if (along > 0.5 && aside <= along && distance < least) [best, least] = [k, distance];
      }
      return best;
    }

    zoom(action, centre = [0.5, 0.5]) {
      const { x, y, size } = this.window;
      const next = action === 'all' ? 1
        : Math.min(1, Math.max(1 / 64, action === 'in' ? size / 1.5 : size * 1.5));
      const within = (v) => Math.min(1 - next, Math.max(0, v));
      this.window = {
        x: within(x + (size - next) * centre[0]),
        y: within(y + (size - next) * centre[1]),
        size: next,
      };
      this.canvas.style.touchAction = next < 1 ? 'none' : '';
      this.draw();
    }

    move(dx, dy) {
      const { width, height } = this.frame(), { x, y, size } = this.window;
      const within = (v) => Math.min(1 - size, Math.max(0, v));
      this.window = { x: within(x - dx / width * size), y: within(y + dy / height * size), size };
      this.draw();
    }

    listen() {
      const { canvas } = this;
      const moves = {
        ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
      };
      let held = null;
      canvas.addEventListener('pointerdown', (event) => {
        held = [event.clientX, event.clientY];
        this.ask(this.nearest(event.offsetX, event.offsetY, 24), false);
      });
      canvas.addEventListener('pointermove', (event) => {
        if (held && event.buttons && this.window.size < 1) {
          this.move(event.clientX - held[0], event.clientY - held[1]);
          held = [event.clientX, event.clientY];
        } else {
          this.ask(this.nearest(event.offsetX, event.offsetY, 12), false);
        }
      });
      canvas.addEventListener('pointerup', () => { held = null; });
      canvas.addEventListener('pointerleave', (event) => {
        if (event.pointerType === 'mouse') this.ask(null, false);
      });
      canvas.addEventListener('dblclick', (event) => {
        const { left, top, width, height } = this.frame();
        this.zoom('in', [(event.offsetX - left) / width, 1 - (event.offsetY - top) / height]);
      });
      canvas.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (moves[event.key]) this.ask(this.beside(moves[event.key]), true);
        else if (event.key === '+' || event.key === '=') this.zoom('in');
        else if (event.key === '-') this.zoom('out');
        else if (event.key === '0') this.zoom('all');
        else if (event.key === 'Escape') this.ask(null, false);
        else return;
        event.preventDefault();
      });
    }

    writeLegend() {
      const { legend, coloring } = this;
      legend.replaceChildren(element('p', { className: 'name', textContent: coloring.label }));
      if (coloring.names) this.writeCategories();
      else this.writeRange();
    }

    writeCategories() {
      const { names, values } = this.coloring;
      const counts = new Map();
      for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
      const entries = [...names.keys(), NONE].filter((value) => counts.has(value));
      const buttons = entries.map((value) => {
        const swatch = element('span', { className: 'swatch' });
        swatch.style.borderColor = swatch.style.background = this.color(value);
        const button = element('button', { type: 'button' },
          swatch,
          element('span', { textContent: value === NONE ? 'no value' : names[value] }),
          element('span', { className: 'count', textContent: number(counts.get(value)) }));
        const emphasise = (only) => { this.only = only; this.draw(); };
        button.addEventListener('click', () => {
          if (!this.off.delete(value)) this.off.add(value);
          this.only = null;
          refresh();
        });
        button.addEventListener('pointerenter', () => emphasise(this.off.has(value) ? null : value));
        button.addEventListener('pointerleave', () => emphasise(null));
        return button;
      });
      const refresh = () => {
        entries.forEach((value, k) => {
          buttons[k].setAttribute('aria-pressed', String(!this.off.has(value)));
        });
        this.draw();
      };
      const set = (textContent, off) => {
        const button = element('button', { type: 'button', textContent });
        button.addEventListener('click', () => { this.off = new Set(off); refresh(); });
        return button;
      };
      this.legend.append(set('All', []), ' ', set('None', entries));
      const items = buttons.map((button) => element('li', {}, button));
      this.legend.append(element('ul', {}, ...items));
      refresh();
    }

    writeRange() {
      const { range } = this.coloring;
      const value = (at) => range[0] + (range[1] - range[0]) * at / STEPS;
      const bar = element('div', { className: 'bar' });
      bar.style.background = `linear-gradient(to right, ${this.data.ramp.join(', ')})`;
      const ends = range.map((end) => element('span', { textContent: number(end) }));
      this.legend.append(bar, element('div', { className: 'ends' }, ...ends));
      for (const [which, text] of [[0, 'From'], [1, 'To']]) {
        const input = element('input', { type: 'range', min: 0, max: STEPS, value: this.limits[which] });
        const shown = element('span', { textContent: ` ${number(value(this.limits[which]))}` });
        input.addEventListener('input', () => {
          this.limits[which] = Number(input.value);
          shown.textContent = ` ${number(value(this.limits[which]))}`;
          this.draw();
        });
        this.legend.append(element('label', {}, text, shown, input));
      }
    }
  }

  const redraw = () => charts.forEach((chart) => { chart.writeLegend(); chart.draw(); });
  const button = document.getElementById('theme');
  const name = () => { button.textContent = isDark() ? 'Light' : 'Dark'; };
  button.hidden = false;
  button.setAttribute('aria-label', 'Change between light and dark');
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    name();
    redraw();
  });
  dark.addEventListener('change', () => { name(); redraw(); });
  addEventListener('beforeprint', () => { isPrinting = true; charts.forEach((c) => c.draw()); });
  addEventListener('afterprint', () => { isPrinting = false; charts.forEach((c) => c.draw()); });
  name();
  for (const figure of document.querySelectorAll('figure.scatter')) {
    charts.push(new Chart(figure));
  }
  root.dataset.drawn = String(charts.filter((chart) => chart.width).length);
})();
