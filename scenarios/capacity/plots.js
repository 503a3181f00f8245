// Draws each figure of a report from what it carries, with uPlot, which stands below.
"use strict";

// Where nobody set a locale, browsers name a language such as `en-US@posix`, which is none.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}

const HEIGHT = 240;
const FONT = "11px system-ui, sans-serif";
const COLOURS = 6;
const number = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const spoken = (value) => (value == null ? "–" : number.format(value));

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function series(line, at) {
  const stroke = colour(`--c${at % COLOURS}`);
  return {
    label: line.name,
    stroke,
    width: 1.8,
    spanGaps: true,
    value: (_, value) => spoken(value),
    points: { show: true, size: line.dots ? 7 : 4, fill: stroke },
    ...(line.dots ? { paths: () => null } : {}),
  };
}

function axis(more) {
  const line = { stroke: colour("--line"), width: 1 };
  return {
    stroke: colour("--soft"),
    font: FONT,
    grid: line,
    ticks: { ...line, size: 4 },
    values: (_, values) => values.map(spoken),
    ...more,
  };
}

// What lies behind the lines: where the knee is, and where further measurements would be.
function behind(plot) {
  return (shown) => {
    const { ctx, bbox } = shown;
    const at = (x, y) => [shown.valToPos(x, "x", true), shown.valToPos(y, "y", true)];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour("--c0");
    ctx.globalAlpha = 0.14;
    if (plot.knee) {
      const [from, to] = plot.knee.map((x) => at(x, 0)[0]);
      ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
    }
    if (plot.area.length) {
      const above = plot.area.map(([x, , high]) => at(x, high));
      const below = plot.area.map(([x, low]) => at(x, low)).reverse();
      ctx.beginPath();
      for (const [x, y] of [...above, ...below]) ctx.lineTo(x, y);
      ctx.fill();
    }
    if (plot.limit != null) {
      const height = at(0, plot.limit)[1];
      ctx.globalAlpha = 1;
      ctx.strokeStyle = colour("--bad");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([5 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, height);
      ctx.lineTo(bbox.left + bbox.width, height);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function draw(figure) {
  const plot = JSON.parse(figure.dataset.plot);
  const place = figure.querySelector("div");
  place.replaceChildren();
  const shown = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      scales: {
        x: { time: false, range: [0, plot.right] },
        y: { range: [0, plot.top] },
      },
      axes: [
        axis({ label: plot.across, labelFont: FONT, labelSize: 18, size: 28 }),
        axis({ size: 54 }),
      ],
      series: [
        { label: plot.across, value: (_, value) => spoken(value) },
        ...plot.lines.map(series),
      ],
      cursor: { drag: { x: false, y: false } },
      hooks: { drawAxes: [behind(plot)] },
    },
    uPlot.join(plot.lines.map((line) => [line.x, line.y])),
    place,
  );
  figure.fit = () => shown.setSize({ width: place.clientWidth, height: HEIGHT });
}

addEventListener("DOMContentLoaded", () => {
  const figures = [...document.querySelectorAll("figure[data-plot]")];
  const resized = new ResizeObserver((found) => found.forEach((one) => one.target.fit()));
  for (const figure of figures) {
    draw(figure);
    resized.observe(figure);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures.forEach(draw));
});
