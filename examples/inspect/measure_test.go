package main

// tooWide lists what reaches beyond the window, and the document if it scrolls.
const tooWide = `(() => {
  const wide = [];
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > limit) wide.push('the document: ' + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll('body *')) {
    const r = e.getBoundingClientRect();
    if (r.width > 0 && (r.right > limit + 0.5 || r.left < -0.5)) wide.push(e.tagName + '.' + e.className + ' ' + r.right);
  }
  return wide;
})()`

// contrast is that of one text with what is behind it, by WCAG 2.
type contrast struct {
	Text, Color, Ground string
	Ratio               float64
}

// contrasts measures every text node that is shown, and texts made by the style.
const contrasts = `(() => {
  const rgba = s => {
    const n = s.match(/[\d.]+/g).map(Number);
    return n.length == 3 ? [...n, 1] : n;
  };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const ground = e => {
    const layers = [];
    for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below),
      matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1]);
  };
  const luminance = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const measure = (text, style, e) => {
    const below = ground(e);
    const color = over(rgba(style.color), below);
    const [hi, lo] = [luminance(color), luminance(below)].sort((a, b) => b - a);
    found.push({Text: text, Color: style.color, Ground: below.join(), Ratio: (hi + 0.05) / (lo + 0.05)});
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text && e.checkVisibility()) measure(text, getComputedStyle(e), e);
  }
  for (const e of document.querySelectorAll('[data-label]')) {
    const style = getComputedStyle(e, '::before');
    if (style.content != 'none') measure(style.content, style, e);
  }
  return found;
})()`
