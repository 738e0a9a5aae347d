// Draws the charts of a page anew, so that they answer the pointer: the values below it, a click on the legend to hide a
// curve, dragging to zoom in, and a double click to zoom out.
(() => {
  "use strict";
  const NS = "http://www.w3.org/2000/svg";
  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, LINE] = [860, 420, 72, 16, 34, 44, 18];

  const make = (parent, name, attributes, text) => {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const rounded = (value, digits = 6) => String(Number(value.toPrecision(digits)));
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const seconds = (value) => {
    const [size, name] = UNITS.find(([size]) => Math.abs(value) >= 2 * size) ?? [1, "s"];
    return `${rounded(value / size, 4)} ${name}`;
  };

  const linearTicks = ([first, last], count, rounds) => {
    const rough = (last - first) / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = rounds?.find((round) => round >= rough) ?? [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999999) * power;
    const ticks = [];
    for (let number = Math.ceil(first / step); number * step <= last && ticks.length < 50; number++) ticks.push(number * step);
    return ticks;
  };
  const logTicks = ([first, last], count) => {
    const [from, to] = [Math.floor(Math.log10(first)), Math.ceil(Math.log10(last))];
    const every = Math.max(1, Math.ceil((to - from) / count));
    const ticks = [];
    for (let power = from; power <= to; power += every) {
      for (const factor of (to - from) * 2 < count ? [1, 2, 5] : [1]) ticks.push(factor * 10 ** power);
    }
    return ticks.filter((tick) => tick >= first && tick <= last);
  };

  const range = (values, isLog) => {
    let [first, last] = [Infinity, -Infinity];
    for (const value of values) {
      if (value === null || (isLog && value <= 0)) continue;
      first = Math.min(first, value);
      last = Math.max(last, value);
    }
    if (first > last) return isLog ? [1, 10] : [0, 1];
    if (first < last) return [first, last];
    if (isLog) return [first / 2, last * 2];
    const room = first === 0 ? 1 : Math.abs(first) / 2;
    return [first - room, last + room];
  };

  class Chart {
    constructor(figure) {
      this.data = JSON.parse(figure.querySelector("script").textContent);
      this.picture = figure.querySelector(".sqltrack-picture");
      this.hidden = new Set();
      this.zoom = null;
      this.tip = document.createElement("div");
      this.tip.className = "sqltrack-tip";
      const hint = document.createElement("p");
      hint.className = "sqltrack-hint";
      hint.textContent = "Drag to zoom in, double-click to zoom out, click a name to hide its curve.";
      figure.append(this.tip, hint);
      this.draw();
    }

    shown() {
      return this.data.curves.filter((_, number) => !this.hidden.has(number));
    }

    draw() {
      const { data } = this;
      const legend = this.legendLines();
      const height = HEIGHT - TOP - BOTTOM - LINE * legend.length;
      const curves = this.shown();
      const xs = this.zoom ?? range(data.curves.flatMap((curve) => range(curve.x, false)), false);
      const ys = range(curves.flatMap((curve) => range(curve.y.filter((_, at) => curve.x[at] >= xs[0] && curve.x[at] <= xs[1]), data.log)), data.log);
      const place = data.log ? Math.log10 : (value) => value;
      const width = WIDTH - LEFT - RIGHT;
      this.frame = { xs, ys, width, height };
      const x = (value) => LEFT + ((value - xs[0]) / (xs[1] - xs[0])) * width;
      const y = (value) => TOP + (1 - (place(value) - place(ys[0])) / (place(ys[1]) - place(ys[0]))) * height;
      this.x = x;
      this.y = y;

      const svg = document.createElementNS(NS, "svg");
      for (const [key, value] of Object.entries({ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "font-family": "system-ui, sans-serif", "font-size": 12, role: "img" })) svg.setAttribute(key, value);
      make(svg, "title", {}, data.title || `${data.y_label} over ${data.x_label}`);
      make(svg, "rect", { width: WIDTH, height: HEIGHT, fill: "#fff" });
      const clip = `sqltrack-clip-${Math.random().toString(36).slice(2)}`;
      make(make(svg, "clipPath", { id: clip }), "rect", { x: LEFT, y: TOP - 2, width, height: height + 4 });

      for (const tick of data.log ? logTicks(ys, height / 40) : linearTicks(ys, height / 40)) {
        make(svg, "path", { d: `M${LEFT} ${y(tick)}h${width}`, stroke: "#ddd" });
        make(svg, "text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, rounded(tick));
      }
      const rounds = data.seconds ? [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400].filter((round) => round >= 1) : undefined;
      for (const tick of linearTicks(xs, width / 90, rounds)) {
        make(svg, "path", { d: `M${x(tick)} ${TOP + height}v5`, stroke: "#333" });
        make(svg, "text", { x: x(tick), y: TOP + height + 18, "text-anchor": "middle" }, data.seconds ? seconds(tick) : rounded(tick));
      }
      make(svg, "path", { d: `M${LEFT} ${TOP}v${height}h${width}`, fill: "none", stroke: "#333" });
      make(svg, "text", { x: LEFT + width / 2, y: TOP + height + 34, "text-anchor": "middle" }, data.x_label);
      make(svg, "text", { transform: `translate(14 ${TOP + height / 2}) rotate(-90)`, "text-anchor": "middle" }, data.y_label);
      if (data.title) make(svg, "text", { x: LEFT + width / 2, y: 20, "text-anchor": "middle", "font-weight": "bold" }, data.title);

      const area = make(svg, "g", { "clip-path": `url(#${clip})` });
      for (const curve of curves) this.drawCurve(area, curve);
      this.marker = make(svg, "path", { stroke: "#999", "stroke-dasharray": "3 3", d: "" });
      this.selection = make(svg, "rect", { y: TOP, height, width: 0, fill: "#0072b233" });
      for (const [line, entries] of legend.entries()) {
        for (const [number, at] of entries) this.drawLegend(svg, number, LEFT + at, TOP + height + BOTTOM + LINE * line);
      }
      this.listen(svg);
      this.picture.replaceChildren(svg);
    }

    drawCurve(area, curve) {
      const hasPlace = (value) => value !== null && value !== undefined && (!this.data.log || value > 0);
      let path = "";
      curve.y.forEach((value, at) => {
        if (!hasPlace(value)) return;
        const isFirst = !hasPlace(curve.y[at - 1]);
        path += `${isFirst ? "M" : "L"}${this.x(curve.x[at]).toFixed(1)} ${this.y(value).toFixed(1)}`;
        if (isFirst && !hasPlace(curve.y[at + 1])) make(area, "circle", { cx: this.x(curve.x[at]), cy: this.y(value), r: 2, fill: curve.color });
      });
      make(area, "path", { class: "sqltrack-curve", d: path, stroke: curve.color });
    }

    legendLines() {
      const lines = [];
      let taken = Infinity;
      this.data.curves.forEach((curve, number) => {
        const needed = 36 + 7 * [...curve.name].length;
        if (taken + needed > WIDTH - LEFT - RIGHT) {
          lines.push([]);
          taken = 0;
        }
        lines.at(-1).push([number, taken]);
        taken += needed;
      });
      return lines;
    }

    drawLegend(svg, number, x, y) {
      const curve = this.data.curves[number];
      const group = make(svg, "g", { class: `sqltrack-legend${this.hidden.has(number) ? " sqltrack-off" : ""}` });
      make(group, "path", { d: `M${x} ${y + 8}h16`, stroke: curve.color, "stroke-width": 3 });
      make(group, "text", { x: x + 22, y: y + 12 }, curve.name);
      group.addEventListener("click", () => {
        if (!this.hidden.delete(number)) this.hidden.add(number);
        this.draw();
      });
    }

    /// The value of the horizontal axis below the pointer.
    value(svg, event) {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * WIDTH;
      const { xs, width } = this.frame;
      return xs[0] + (Math.min(Math.max(at - LEFT, 0), width) / width) * (xs[1] - xs[0]);
    }

    listen(svg) {
      svg.addEventListener("pointerdown", (event) => {
        if (event.button === 0 && !event.target.closest(".sqltrack-legend")) this.start = this.value(svg, event);
      });
      svg.addEventListener("pointermove", (event) => this.move(svg, event));
      svg.addEventListener("pointerup", (event) => {
        if (this.start === undefined) return;
        const zoom = [this.start, this.value(svg, event)].sort((a, b) => a - b);
        this.start = undefined;
        if (this.x(zoom[1]) - this.x(zoom[0]) > 4) this.zoom = zoom;
        this.draw();
      });
      svg.addEventListener("pointerleave", () => {
        this.tip.style.display = "none";
        this.marker.setAttribute("d", "");
      });
      svg.addEventListener("dblclick", () => {
        this.zoom = null;
        this.draw();
      });
    }

    move(svg, event) {
      const at = this.value(svg, event);
      if (this.start !== undefined) {
        const [from, to] = [this.x(this.start), this.x(at)].sort((a, b) => a - b);
        this.selection.setAttribute("x", from);
        this.selection.setAttribute("width", to - from);
      }
      this.marker.setAttribute("d", `M${this.x(at)} ${TOP}v${this.frame.height}`);
      const label = this.data.seconds ? seconds(at) : rounded(at);
      const lines = this.shown().map((curve) => {
        const near = this.nearest(curve, at);
        return near === undefined ? null : `${curve.name}: ${rounded(curve.y[near])} at ${this.data.seconds ? seconds(curve.x[near]) : rounded(curve.x[near])}`;
      });
      this.tip.textContent = [`${this.data.x_label} ${label}`, ...lines.filter((line) => line !== null)].join("\n");
      const box = this.picture.getBoundingClientRect();
      const left = event.clientX - box.left;
      this.tip.style.display = "block";
      this.tip.style.left = `${left > box.width / 2 ? left - this.tip.offsetWidth - 12 : left + 12}px`;
      this.tip.style.top = `${event.clientY - box.top + 12}px`;
    }

    /// The place of the point that is nearest, among those that have a value.
    nearest(curve, at) {
      let best;
      curve.x.forEach((x, place) => {
        if (curve.y[place] !== null && (best === undefined || Math.abs(x - at) < Math.abs(curve.x[best] - at))) best = place;
      });
      return best;
    }
  }

  for (const figure of document.querySelectorAll(".sqltrack-chart:not([data-ready])")) {
    figure.dataset.ready = "";
    new Chart(figure);
  }
})();
