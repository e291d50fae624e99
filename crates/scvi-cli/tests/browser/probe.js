// Does to each chart what a reader does, and writes down what is seen.
addEventListener('load', () => setTimeout(() => {
  const pixels = (canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let colored = 0, hash = 0;
    for (let k = 0; k < data.length; k += 4) {
      const [r, g, b] = [data[k], data[k + 1], data[k + 2]];
      if (Math.max(r, g, b) - Math.min(r, g, b) > 40) colored += 1;
      hash = (Math.imul(hash, 31) + r * 65536 + g * 256 + b) | 0;
    }
    return { colored, hash };
  };
  const charts = [...document.querySelectorAll('figure.scatter')].map((figure) => {
    const canvas = figure.querySelector('canvas'), tip = figure.querySelector('.tip');
    const seen = {};
    ({ colored: seen.colored, hash: seen.drawn } = pixels(canvas));
    seen.options = [...figure.querySelectorAll('option')].map((option) => option.textContent);
    const box = canvas.getBoundingClientRect();
    const point = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
      clientX: box.left + x, clientY: box.top + y, bubbles: true, pointerType: 'mouse',
    }));
    for (let y = 10; y < box.height && tip.hidden; y += 8) {
      for (let x = 10; x < box.width && tip.hidden; x += 8) point('pointermove', x, y);
    }
    seen.hovered = tip.hidden ? '' : tip.textContent;
    point('pointerleave', 0, 0);
    const key = (name) => canvas.dispatchEvent(new KeyboardEvent('keydown', { key: name }));
    key('ArrowRight');
    key('ArrowUp');
    seen.by_keys = tip.hidden ? '' : tip.textContent;
    key('Escape');
    key('+');
    seen.zoomed = pixels(canvas).hash;
    key('0');
    const entry = figure.querySelector('.legend li button');
    if (entry) {
      entry.click();
      seen.pressed = figure.querySelector('.legend li button').getAttribute('aria-pressed');
      seen.filtered = pixels(canvas).colored;
      const [all, none] = figure.querySelectorAll('.legend > button');
      none.click();
      seen.hidden = pixels(canvas).colored;
      all.click();
    }
    const theme = document.getElementById('theme');
    theme.click();
    seen.dark = pixels(canvas).hash;
    theme.click();
    return seen;
  });
  const told = document.createElement('pre');
  told.id = 'probe';
  told.textContent = JSON.stringify({ width: document.documentElement.scrollWidth, charts });
  document.body.append(told);
}, 500));
