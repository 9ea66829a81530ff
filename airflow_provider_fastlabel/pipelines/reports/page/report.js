"use strict";
/* The report's program. What it shows is in the element #data; every text goes through textContent.

A picture is {n: name, i: task, z: [width, height], s: status, p: split, w: who labelled it, c: objects, k: step of
"objects per picture", o: objects, a: attribute values, r: reasons, f: findings, t: thumbnail}; s, p, w and r are numbers
of data.texts. An object is [class, x, y, width, height, cell of size, cell of place, outline ...], in thousandths of the
picture. A finding is [kind, object, other object, words]. */
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const dialog = document.getElementById("pictures");
const main = document.getElementById("main");
const classOf = new Map(data.classes.map((each) => [each[3], each]));

const number = (value) => value.toLocaleString("en-US");
const many = (count, one, more = one + "s") => `${number(count)} ${count === 1 ? one : more}`;
// Only all is 100 %, and only nothing 0 %.
const percent = (part, whole) => {
  if (!part || part === whole) return part ? "100 %" : "0 %";
  const share = (100 * part) / whole;
  if (share < 0.1) return "< 0.1 %";
  return `${share > 99 ? (Math.floor(10 * share) / 10).toFixed(1) : share.toFixed(share < 10 ? 1 : 0)} %`;
};
const className = (id) => (classOf.has(id) ? classOf.get(id)[0] : "another class");
const colour = (id) => (classOf.get(id) || [])[1] || data.palette[id % data.palette.length];
const group = (id) => Math.min(id, data.maps.classes);
const sum = (list) => list.reduce((all, each) => all + each, 0);

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/* ---- pictures ---- */

function drawing(picture, focus, closer) {
  const [width, height] = picture.z;
  const objects = picture.o || [];
  const view = closer && focus.size ? around(picture, focus) : frame(picture);
  const made = svg("svg", { viewBox: view.join(" "), role: "img", "aria-label": `Picture ${picture.n}` });
  if (picture.t) made.append(svg("image", { href: picture.t, width, height, preserveAspectRatio: "none" }));
  else made.append(svg("rect", { width, height, fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "vector-effect": "non-scaling-stroke" }));
  objects.forEach((object, at) => {
    if (focus.size && !focus.has(at)) outline(made, object, picture, { "stroke-opacity": 0.55, "stroke-width": 1 });
  });
  objects.forEach((object, at) => {
    if (focus.size && !focus.has(at)) return;
    const main = focus.has(at);
    outline(made, object, picture, { stroke: "#000", "stroke-width": main ? 5 : 3.5, "stroke-opacity": 0.65 });
    outline(made, object, picture, { "stroke-width": main ? 3 : 2, ...(main ? { "fill-opacity": 0.14, fill: colour(object[0]) } : {}) });
  });
  return made;
}

function outline(parent, object, picture, attributes) {
  const [width, height] = picture.z;
  const x = (value) => (value * width) / 1000, y = (value) => (value * height) / 1000;
  const shared = { fill: "none", stroke: colour(object[0]), "vector-effect": "non-scaling-stroke", ...attributes };
  if (object.length > 7) {
    const points = [];
    for (let at = 7; at < object.length; at += 2) points.push(`${x(object[at])},${y(object[at + 1])}`);
    parent.append(svg("polygon", { points: points.join(" "), ...shared }));
  } else if (object[3] <= 1 && object[4] <= 1) {
    parent.append(svg("circle", { cx: x(object[1]), cy: y(object[2]), r: Math.max(width, height) / 80, ...shared }));
  } else {
    parent.append(svg("rect", { x: x(object[1]), y: y(object[2]), width: x(Math.max(object[3], 1)), height: y(Math.max(object[4], 1)), ...shared }));
  }
}

/* The picture, and a margin where something reaches out of it. */
function frame(picture) {
  const [width, height] = picture.z;
  let [left, top, right, bottom] = [0, 0, 1000, 1000];
  for (const object of picture.o || []) {
    left = Math.min(left, object[1]); top = Math.min(top, object[2]);
    right = Math.max(right, object[1] + object[3]); bottom = Math.max(bottom, object[2] + object[4]);
  }
  left = Math.max(left, -400); top = Math.max(top, -400); right = Math.min(right, 1400); bottom = Math.min(bottom, 1400);
  return [(left * width) / 1000, (top * height) / 1000, ((right - left) * width) / 1000, ((bottom - top) * height) / 1000];
}

/* The part of the picture around what is meant, at least a third of it: a small thumbnail shows no more. */
function around(picture, focus) {
  const [width, height] = picture.z;
  const whole = frame(picture);
  const boxes = [...focus].map((at) => picture.o[at]).filter(Boolean);
  if (!boxes.length) return whole;
  const left = Math.min(...boxes.map((box) => box[1])) * width / 1000, right = Math.max(...boxes.map((box) => box[1] + box[3])) * width / 1000;
  const top = Math.min(...boxes.map((box) => box[2])) * height / 1000, bottom = Math.max(...boxes.map((box) => box[2] + box[4])) * height / 1000;
  const side = Math.min(Math.max((right - left) * 1.8, (bottom - top) * 1.8 * 4 / 3, whole[2] / 3), Math.max(whole[2], whole[3] * 4 / 3));
  const place = (middle, length, start, most) => Math.min(Math.max(middle - length / 2, start), Math.max(start, start + most - length));
  return [place((left + right) / 2, side, whole[0], whole[2]), place((top + bottom) / 2, side * 0.75, whole[1], whole[3]), side, side * 0.75];
}

function focusOf(picture, test) {
  const found = new Set();
  if (test) (picture.o || []).forEach((object, at) => { if (test(object)) found.add(at); });
  return found;
}

function findingFocus(finding) {
  return new Set(finding.slice(1, 3).filter((at) => at >= 0));
}

function card(picture, words, focus, onclick, closer) {
  return el("button", { class: "shot", type: "button", onclick },
    drawing(picture, focus, closer),
    words ? el("b", {}, words) : undefined,
    el("small", {}, shortName(picture.n)));
}

function shortName(name) {
  return name.length > 48 ? `…${name.slice(-46)}` : name;
}

/* ---- the dialog: a list of pictures, and one picture large ---- */

function heading(title, back) {
  const head = el("h2", { id: "pictures-title", tabindex: "-1" }, title);
  const close = el("button", { class: "plain", type: "button", onclick: () => dialog.close() }, "Close");
  const left = back ? el("button", { class: "plain", type: "button", onclick: back }, "Back") : undefined;
  return el("div", { class: "bar-top" }, left, head, close);
}

function show(...content) {
  dialog.replaceChildren(...content);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  dialog.querySelector("h2").focus();
}

/* Shows the pictures that fit: `test` chooses pictures, `object` objects of them, `kind` a kind of finding. */
function pick(title, count, unit, { test = () => true, object, kind } = {}) {
  const found = [];
  for (const picture of data.pictures) {
    if (!test(picture)) continue;
    const finding = kind === undefined ? undefined : (picture.f || []).find((each) => each[0] === kind);
    if (kind !== undefined && !finding) continue;
    const focus = finding ? findingFocus(finding) : focusOf(picture, object);
    if (object && !finding && !focus.size) continue;
    found.push([picture, finding, focus]);
  }
  found.sort((a, b) => (b[0].t ? 1 : 0) - (a[0].t ? 1 : 0));
  list(title, count, unit, found, 60);
}

function list(title, count, unit, found, most) {
  const back = () => list(title, count, unit, found, most);
  const sheet = el("div", { class: "sheet" });
  for (const [picture, finding, focus] of found.slice(0, most))
    sheet.append(card(picture, finding && finding[3], focus, () => large(picture, focus, back), Boolean(finding)));
  const pictures = many(found.length, "picture");
  const note = found.length
    ? `${number(count)} ${unit} in all${data.pictures.length < data.total ? `; this file holds ${unit === "pictures" ? `${number(found.length)} of them` : `${pictures} with some of them`}` : `, in ${pictures}`}.`
    : `${number(count)} ${unit} in all; none of them is among the ${many(data.pictures.length, "picture")} that this file holds.`;
  const more = found.length > most
    ? el("button", { class: "plain more", type: "button", onclick: () => list(title, count, unit, found, most + 120) }, `Show more of ${number(found.length)}`)
    : undefined;
  show(heading(title), el("div", { class: "body" }, el("p", { class: "note" }, note), sheet, more));
}

function large(picture, focus, back) {
  const facts = el("dl");
  const fact = (name, value) => { if (value !== undefined && value !== "") facts.append(el("dt", {}, name), el("dd", {}, value)); };
  fact("Status", data.texts[picture.s]);
  if (picture.p !== undefined) fact("Split", data.texts[picture.p]);
  if (picture.w !== undefined) fact("Annotator", data.texts[picture.w]);
  fact("Size", `${picture.z[0]} x ${picture.z[1]} pixels`);
  fact("Objects", number(picture.c));
  fact("Task", picture.i);
  const words = el("ul");
  for (const finding of picture.f || []) words.append(el("li", { class: "reason" }, finding[3]));
  for (const reason of picture.r || []) words.append(el("li", { class: "reason" }, `Left out: ${data.texts[reason].replaceAll("_", " ")}`));
  const objects = el("ul", { class: "objects", tabindex: "0", "aria-label": "Objects of the picture" });
  const counts = new Map();
  for (const object of picture.o || []) counts.set(object[0], (counts.get(object[0]) || 0) + 1);
  for (const [id, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    const swatch = el("span", { class: "swatch" });
    swatch.style.background = colour(id);
    objects.append(el("li", {}, swatch, `${className(id)}: ${number(count)}`));
  }
  const without = picture.t ? undefined : el("p", { class: "note" }, "The photograph is not in this file; these are its labels.");
  show(heading(picture.n, back), el("div", { class: "body large" },
    el("div", {}, drawing(picture, focus, false), without),
    el("div", {}, words.childElementCount ? words : undefined, facts, objects.childElementCount ? objects : undefined)));
}

/* ---- figures ---- */

function figure(title, note, ...content) {
  return el("section", { class: "card" }, el("h2", {}, title), el("p", { class: "note" }, note), ...content);
}

/* Rows are {name, count, parts, text, click}; those without `click` have no pictures. */
function bars(rows, most = 12) {
  const box = el("div", { class: "bars" });
  const largest = Math.max(1, ...rows.map((row) => row.count));
  const fill = (all) => {
    box.replaceChildren();
    for (const row of all ? rows : rows.slice(0, most)) {
      const track = el("span", { class: "track" });
      (row.parts || [row.count]).forEach((part, at) => {
        if (!part) return;
        const piece = el("span", { class: `fill part-${at % 5}` });
        piece.style.width = `${(100 * part) / largest}%`;
        track.append(piece);
      });
      const content = [el("span", { class: "name", title: row.name }, row.name), track, el("span", { class: "number" }, row.text || number(row.count))];
      box.append(row.click
        ? el("button", { class: "bar", type: "button", onclick: row.click, "aria-label": `${row.name}: ${row.text || number(row.count)}. Show pictures` }, ...content)
        : el("div", { class: "bar none" }, ...content));
    }
    if (rows.length > most)
      box.append(el("button", { class: "plain more", type: "button", onclick: () => fill(!all) }, all ? "Show fewer" : `Show all ${number(rows.length)}`));
  };
  fill(false);
  return box;
}

/* A map of buttons, of which Tab reaches one and the arrows the others. */
function map(columns, counts, describe, click, order) {
  const box = el("div", { class: "map", role: "group" });
  box.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  const largest = Math.max(1, ...counts);
  const cells = order.map((cell, at) => {
    const count = counts[cell];
    const made = el("button", { type: "button", tabindex: at ? "-1" : "0", "aria-label": describe(cell, count), title: describe(cell, count), ...(count ? { onclick: () => click(cell, count) } : { "data-empty": "", "aria-disabled": "true" }) });
    if (count) made.style.background = `color-mix(in oklab, var(--accent) ${Math.round(12 + 88 * Math.sqrt(count / largest))}%, var(--track))`;
    made.dataset.cell = cell;
    return made;
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const next = cells[cells.indexOf(document.activeElement) + step];
    if (!step || !next) return;
    event.preventDefault();
    cells.forEach((cell) => cell.setAttribute("tabindex", cell === next ? "0" : "-1"));
    next.focus();
  });
  box.append(...cells);
  return box;
}

function cellsOf(rows, size, chosen) {
  const counts = new Array(size).fill(0);
  for (const [id, ...pairs] of rows)
    if (chosen === "" || id === Number(chosen)) for (let at = 0; at < pairs.length; at += 2) counts[pairs[at]] += pairs[at + 1];
  return counts;
}

function aspectWords(column, columns) {
  const half = (column - columns / 2) / 2;
  const factor = (value) => (2 ** Math.abs(value)).toFixed(1);
  return half >= 0 ? `${factor(half)} to ${factor(half + 0.5)} times wider than tall` : `${factor(half + 0.5)} to ${factor(half)} times taller than wide`;
}

function sizeWords(row, rows) {
  const share = (value) => { const part = 100 * 2 ** value; return part < 1 ? part.toFixed(1) : part.toFixed(0); };
  return `side ${share(row - rows)} to ${share(row - rows + 1)} % of the picture's`;
}

function mapsOf(chosen) {
  const [rows, columns] = data.maps.sizes, grid = data.maps.grid;
  const fits = (object) => chosen === "" || group(object[0]) === Number(chosen);
  const label = chosen === "" ? "All classes" : chosenName(Number(chosen));
  const sizes = cellsOf(data.sizes, rows * columns, chosen), places = cellsOf(data.places, grid * grid, chosen);
  const order = [];
  for (let row = rows - 1; row >= 0; row -= 1) for (let column = 0; column < columns; column += 1) order.push(row * columns + column);
  const sizeText = (cell, count) => `${sizeWords(Math.floor(cell / columns), rows)}, ${aspectWords(cell % columns, columns)}: ${many(count, "object")}`;
  const placeText = (cell, count) => `column ${(cell % grid) + 1}, row ${Math.floor(cell / grid) + 1}: ${many(count, "object")}`;
  const sizeMap = map(columns, sizes, sizeText, (cell, count) => pick(`${label}: ${sizeWords(Math.floor(cell / columns), rows)}, ${aspectWords(cell % columns, columns)}`, count, "objects", { object: (each) => each[5] === cell && fits(each) }), order);
  const placeMap = map(grid, places, placeText, (cell, count) => pick(`${label}: middle in column ${(cell % grid) + 1}, row ${Math.floor(cell / grid) + 1}`, count, "objects", { object: (each) => each[6] === cell && fits(each) }), places.map((_, at) => at));
  sizeMap.setAttribute("aria-label", "Map of sizes and shapes");
  placeMap.setAttribute("aria-label", "Map of places in the picture");
  return [
    figure("Size and shape of boxes", `${label}. A cell far from the others holds outliers.`, el("p", { class: "ordinate" }, "Up: larger, to the whole picture"), sizeMap, el("p", { class: "axis" }, el("span", {}, "taller than wide"), el("span", {}, "square"), el("span", {}, "wider than tall"))),
    figure("Where objects are", `${label}. The frame is the picture; a cell counts the middles of boxes.`, placeMap, el("p", { class: "axis" }, el("span", {}, "bottom left"), el("span", {}, "bottom right"))),
  ];
}

const chosenName = (id) => (id >= data.maps.classes ? "Other classes" : className(id));

function people() {
  const rows = data.people;
  const click = ([text, tasks]) => () => pick(data.texts[text], tasks, "pictures", { test: (picture) => picture.w === text });
  const timed = rows.filter((row) => row[4]);
  const parts = [];
  if (timed.length) {
    const seconds = timed.map((row) => Math.log(row[4])), least = Math.min(...seconds), most = Math.max(...seconds);
    const share = Math.max(0.05, ...timed.map((row) => row[3] / row[1]));
    const plot = el("div", { class: "plot", role: "group", "aria-label": "Pace against rework" });
    const taken = [], named = [];
    for (const row of timed) {
      const point = el("button", { type: "button", onclick: click(row), title: data.texts[row[0]], "aria-label": `${data.texts[row[0]]}: ${row[4]} seconds a picture, ${percent(row[3], row[1])} came back. Show pictures` });
      const x = 6 + (most > least ? 86 * (Math.log(row[4]) - least) / (most - least) : 43), lowest = 6 + 86 * (row[3] / row[1]) / share;
      let y = lowest;
      const step = lowest > 50 ? -8 : 8;  // side by side, to be clicked, and within the figure
      while (taken.some(([left, bottom]) => Math.abs(left - x) < 5 && Math.abs(bottom - y) < 8) && Math.abs(y - lowest) < 40) y += step;
      taken.push([x, y]);
      point.style.left = `${x}%`;
      point.style.bottom = `${y}%`;
      plot.append(point);
      if (!named.some(([left, bottom]) => Math.abs(left - x) < 34 && Math.abs(bottom - y) < 9)) {
        named.push([x, y]);
        const name = el("span", { "aria-hidden": "true" }, shortName(data.texts[row[0]]).slice(0, 18));
        name.style[x > 60 ? "right" : "left"] = `calc(${x > 60 ? 100 - x : x}% + 17px)`;
        name.style.bottom = `calc(${y}% - 9px)`;
        plot.append(name);
      }
    }
    const shown = (value) => `${Number(Math.exp(value).toPrecision(2))} s`;
    parts.push(el("p", { class: "ordinate" }, `Up: more came back, to ${percent(share * 100, 100)}`), plot,
      el("p", { class: "axis" }, el("span", {}, `faster, ${shown(least)} a picture`), el("span", {}, `slower, ${shown(most)}`)));
  }
  const body = el("tbody");
  const add = (row) => {
    const [text, tasks, objects, back, median] = row;
    const returned = back
      ? el("button", { type: "button", onclick: () => pick(`${data.texts[text]}: came back`, back, "pictures", { test: (picture) => picture.w === text && isBack(picture) }), "aria-label": `${data.texts[text]}: ${back} came back. Show pictures` }, `${number(back)} (${percent(back, tasks)})`)
      : "0";
    body.append(el("tr", {}, el("td", {}, el("button", { type: "button", onclick: click(row) }, data.texts[text])), el("td", {}, number(tasks)), el("td", {}, number(objects)), el("td", {}, median ? `${number(median)} s` : "–"), el("td", {}, returned)));
  };
  rows.slice(0, 100).forEach(add);
  const more = rows.length > 100 ? el("p", { class: "more" }, el("button", { class: "plain", type: "button", onclick: () => { rows.slice(100).forEach(add); more.remove(); } }, `Show all ${number(rows.length)}`)) : undefined;
  const head = el("thead", {}, el("tr", {}, ...["Annotator", "Pictures", "Objects", "Median", "Came back"].map((name) => el("th", { scope: "col" }, name))));
  const note = timed.length ? "Median time of a picture, and the share that was declined or sent back." : "The tasks do not say how long they took; the share that was declined or sent back.";
  const made = figure("Annotators: pace and rework", note, ...parts, el("table", {}, head, body), more);
  made.classList.add("broad");
  return made;
}

const BACK = new Set(["declined", "sent_back", "customer_declined"]);
const isBack = (picture) => BACK.has(data.texts[picture.s]) || picture.b === 1;

function reasons() {
  const words = { read: "could not be read", skipped: "left out of the export", adjusted: "changed in the export" };
  const click = {
    tasks_empty: (count) => pick("Without objects", count, "pictures", { test: (picture) => picture.c === 0 }),
    clipped: (count) => pick("Cut at the border", count, "objects", { kind: 2 }),
  };
  const rows = data.reasons.map(([name, count, what, text]) => {
    const known = data.pictures.some((picture) => (picture.r || []).includes(text));
    const open = known ? () => pick(name, count, "annotations", { test: (picture) => (picture.r || []).includes(text) }) : click[name] && (() => click[name](count));
    return { name: name.replaceAll("_", " "), count, text: `${number(count)} ${words[what]}`, click: open || undefined };
  });
  const note = rows.length ? "Annotations and pictures that are not in the data set as FastLabel has them." : "Every annotation could be read, and the data set says of none that it was left out or changed.";
  const listed = bars(rows);
  listed.classList.add("wordy");
  return figure("Left out or adjusted", note, listed);
}

function changed() {
  if (data.changes === null)
    return figure("Change since the last report", "No earlier report at this place has other counts: this is the first, nothing has changed since, or the earlier one is gone.");
  if (!data.changes.length) return figure("Change since the last report", "The counts are those of the report before.");
  const body = el("tbody"), more = el("p", { class: "more" });
  const tables = { statuses: "status", splits: "split", classes: "class" };
  const add = ([table, name, before, now]) => {
    const label = table ? `${tables[table]} ${name}` : name;
    const open = now ? opener(table, name, now) : undefined;
    const delta = now - before;
    body.append(el("tr", {}, el("td", {}, open ? el("button", { type: "button", onclick: open }, label) : label), el("td", {}, number(before)), el("td", {}, number(now)),
      el("td", { class: delta > 0 ? "up" : "down" }, `${delta > 0 ? "+" : "−"}${number(Math.abs(delta))}`)));
  };
  data.changes.slice(0, 14).forEach(add);
  if (data.changes.length > 14)
    more.append(el("button", { class: "plain", type: "button", onclick: () => { data.changes.slice(14, 1000).forEach(add); more.remove(); } }, `Show all ${number(data.changes.length)}`));
  const head = el("thead", {}, el("tr", {}, ...["", "Before", "Now", "Change"].map((name) => el(name ? "th" : "td", name ? { scope: "col" } : {}, name))));
  return figure("Change since the last report", `${many(data.changes.length, "count differs", "counts differ")} from the report before.`, el("table", {}, head, body), more);
}

function opener(table, name, count) {
  const id = (data.classes.find((each) => each[0] === name) || [])[3];
  if (table === "classes") return id === undefined ? undefined : () => pick(name, count, "objects", { object: (each) => each[0] === id });
  if (table === "statuses") return () => pick(name, count, "pictures", { test: (picture) => data.texts[picture.s] === name });
  if (table === "splits") return () => pick(name, count, "pictures", { test: (picture) => data.texts[picture.p] === name });
  return () => pick("All pictures", data.total, "pictures");
}

/* ---- the contact sheet ---- */

function sheet() {
  const suspicious = data.pictures.slice(0, data.sheet);
  const grid = el("div", { class: "sheet" });
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Kinds of suspicion" });
  const more = el("p", { class: "more" });
  const fill = (kind, most) => {
    const shown = suspicious.filter((picture) => kind < 0 || (picture.f || []).some((each) => each[0] === kind));
    grid.replaceChildren(...shown.slice(0, most).map((picture) => {
      const finding = picture.f.find((each) => each[0] === kind) || picture.f[0];
      const focus = findingFocus(finding);
      return card(picture, finding[3], focus, () => large(picture, focus), true);
    }));
    more.replaceChildren();
    if (shown.length > most) more.append(el("button", { class: "plain", type: "button", onclick: () => fill(kind, 1000) }, `Show all ${number(shown.length)}`));
    const total = kind < 0 ? 0 : data.kinds[kind][1];
    if (kind >= 0 && total > shown.length)
      more.append(" ", el("button", { class: "plain", type: "button", onclick: () => pick(data.kinds[kind][0], total, "findings", { kind }) }, `More of ${number(total)} findings`));
    chips.querySelectorAll("button").forEach((chip) => chip.setAttribute("aria-pressed", String(Number(chip.dataset.kind) === kind)));
  };
  const first = matchMedia("(max-width: 640px)").matches ? 8 : 18;
  const chip = (kind, text) => el("button", { class: "chip", type: "button", "data-kind": kind, "aria-pressed": "false", onclick: () => fill(kind, first) }, text);
  chips.append(chip(-1, "The most suspicious"));
  data.kinds.forEach(([title, count], kind) => { if (count) chips.append(chip(kind, `${title} ${number(count)}`)); });
  const compared = data.compared;
  const note = !suspicious.length ? "Nothing looks suspicious."
    : `${many(suspicious.length, "picture")} to look at first: the worst of each kind in turn. A suspicion is no error; click to judge.`;
  const alike = compared ? ` ${number(compared)} of ${many(data.total, "picture")} ${compared === 1 ? "was" : "were"} compared with one another.` : " No pictures were at hand to be compared with one another.";
  const section = el("section", { class: "card" }, el("h2", {}, "Contact sheet"), el("p", { class: "note" }, note + (data.total ? alike : "")), chips, grid, more);
  if (!suspicious.length) chips.remove();
  else fill(-1, first);
  return section;
}

/* ---- the page ---- */

function header() {
  const toggle = el("button", { class: "plain", type: "button", onclick: () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (getComputedStyle(document.documentElement).colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.style.colorScheme = dark ? "light" : "dark";
  } }, "Dark or light");
  const held = data.pictures.length, photographs = data.pictures.filter((picture) => picture.t).length;
  const lead = !data.total ? "The data set is empty: no task matched."
    : held < data.total ? `Counts are of everything. Of the ${number(data.total)} pictures, this file holds ${number(held)}, ${many(photographs, "photograph")} among them: the most suspicious, and some for every bar, point and cell.`
      : `${held === 1 ? "The one picture is" : `All ${number(held)} pictures are`} in this file, ${many(photographs, "as a photograph", "as photographs")}.`;
  const tile = (value, one, more = one + "s") => el("li", {}, el("strong", {}, number(value)), value === 1 ? one : more);
  document.getElementById("top").append(
    el("div", { class: "head" }, el("div", {}, el("h1", {}, data.project), el("p", { class: "lead" }, lead)), toggle),
    el("ul", { class: "tiles" }, tile(data.tasks, "task"), tile(data.total, "picture"), tile(data.objects, "object"), tile(data.classes.length, "class", "classes"),
      tile(sum(data.kinds.map((kind) => kind[1])), "suspicion")));
}

function legend() {
  if (data.splits.filter(Boolean).length < 1) return undefined;
  return el("p", { class: "legend" }, ...data.splits.map((name, at) => el("span", {}, el("i", { class: `part-${at % 5}` }), name || "no split")));
}

function build() {
  header();
  main.append(sheet());
  if (data.since) main.append(since());
  const figures = el("div", { class: "figures" });
  const simple = (rows, key) => bars(rows.map(([text, count]) => ({ name: data.texts[text] || "(none)", count, text: `${number(count)} · ${percent(count, data.total)}`, click: () => pick(data.texts[text] || "(none)", count, "pictures", { test: (picture) => picture[key] === text }) })));
  const stack = el("div", { class: "stack" }, figure("Status", "Pictures by the status of their task.", simple(data.statuses, "s")));
  figures.append(stack);
  if (data.split_counts.length) stack.append(figure("Split", "Pictures by the split of the data set they are in.", simple(data.split_counts, "p")));
  figures.append(figure("Class balance", "Objects of each class.", legend(), bars(data.classes.map(([name, , parts, id]) => ({ name, count: sum(parts), parts, text: `${number(sum(parts))} · ${percent(sum(parts), data.objects)}`, click: () => pick(name, sum(parts), "objects", { object: (each) => each[0] === id }) })))));
  figures.append(figure("Objects per picture", "How many pictures have so many objects.", bars(data.per_picture.map(([step, count]) => ({ name: step < 13 ? many(step, "object") : `${step} to ${2 * step - 1} objects`, count, click: () => pick(step < 13 ? many(step, "object") : `${step} to ${2 * step - 1} objects`, count, "pictures", { test: (picture) => picture.k === step }) })), 20)));
  main.append(figures);
  const choice = el("select", { id: "class" }, el("option", { value: "" }, "All classes"));
  const seen = new Set();
  for (const each of data.classes) {
    const id = group(each[3]);
    if (!seen.has(id)) choice.append(el("option", { value: id }, chosenName(id)));
    seen.add(id);
  }
  const maps = el("div", { class: "figures pair" });
  choice.addEventListener("change", () => maps.replaceChildren(...mapsOf(choice.value)));
  maps.append(...mapsOf(""));
  if (data.objects) main.append(el("p", { class: "maps" }, el("label", { for: "class" }, "Maps of"), choice), maps);
  const rest = el("div", { class: "figures" });
  for (const [title, values] of data.attributes)
    rest.append(figure(title, "Values of the attribute.", bars(values.map(([name, id, count]) => ({ name, count, click: () => pick(`${title}: ${name}`, count, "values", { test: (picture) => (picture.a || []).includes(id) }) })))));
  if (data.people.length) rest.append(people());
  rest.append(el("div", { class: "stack" }, reasons(), changed()));
  main.append(rest);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

build();
